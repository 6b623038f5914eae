"""One eye of a photo in its own axes: lids, brow, iris, all as curves over its width."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from scipy.interpolate import PchipInterpolator

UPPER_LIDS = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (362, 398, 384, 385, 386, 387, 388, 466, 263),
)
LOWER_LIDS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    (362, 382, 381, 380, 374, 373, 390, 249, 263),
)
BROWS = ((46, 53, 52, 65, 55), (285, 295, 282, 283, 276))
IRISES = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))


@dataclass(frozen=True)
class EyeGeometry:
    """Where the parts of one eye are, sampled on the pixels of a box.

    `across` runs along the line between the eye's corners to the picture's right,
    `down` at right angles to it; both in IOD from the middle of the corners.  The
    curves have one value per pixel of the box: the position of each edge at that
    pixel's `across`.

    Attributes:
        box: x0, y0, x1, y1 in the crop [px].
        axes: Unit vectors of `across` and `down` in the crop.
        across: Position along the eye [IOD].
        down: Position below the line of the corners [IOD].
        upper: Margin of the upper lid [IOD].
        lower: Margin of the lower lid [IOD].
        brow: Lower border of the brow [IOD].
        corners: `across` of the left and right corner [IOD].
        outer: +1 if the outer corner is on the picture's right, else -1.
        iris: Centre (across, down) and radius of the iris [IOD].
        openness: Largest distance between the lids [IOD].
    """

    box: tuple[int, int, int, int]
    axes: Float32[np.ndarray, "2 2"]
    across: Float32[np.ndarray, "h w"]
    down: Float32[np.ndarray, "h w"]
    upper: Float32[np.ndarray, "h w"]
    lower: Float32[np.ndarray, "h w"]
    brow: Float32[np.ndarray, "h w"]
    corners: tuple[float, float]
    outer: float
    iris: tuple[float, float, float]
    openness: float


def measure_eye(
    landmarks: Float32[np.ndarray, "478 2"], iod: float, index: int, size: tuple[int, int]
) -> EyeGeometry | None:
    """Measure one eye.

    Args:
        landmarks: Face mesh [px of the crop].
        iod: Distance between the iris centres [px].
        index: 0 for the eye on the picture's left, 1 for the other.
        size: Height and width of the crop [px].

    Returns:
        None if the eye is not inside the crop or seen too much from the side.
    """
    upper, lower = landmarks[list(UPPER_LIDS[index])], landmarks[list(LOWER_LIDS[index])]
    left, right = upper[0], upper[-1]
    width = float(np.linalg.norm(right - left))
    if width < 0.18 * iod or right[0] <= left[0]:
        return None
    centre, along = (left + right) / 2, (right - left) / width
    axes = np.array([along, [-along[1], along[0]]], np.float32)
    box = _box(centre, iod, size)
    if box[2] - box[0] < 8 or box[3] - box[1] < 8:
        return None

    def local(points: np.ndarray) -> np.ndarray:
        return (points - centre) @ axes.T / iod

    columns, rows = np.meshgrid(
        np.arange(box[0], box[2], dtype=np.float32), np.arange(box[1], box[3], dtype=np.float32)
    )
    grid = local(np.stack([columns, rows], -1)).astype(np.float32)
    across = np.ascontiguousarray(grid[..., 0])
    upper_edge = _curve(local(upper), across)
    lower_edge = np.maximum(_curve(local(lower), across), upper_edge)
    brow = np.minimum(_curve(local(landmarks[list(BROWS[index])]), across), upper_edge - 0.06)
    iris = local(landmarks[list(IRISES[index])])
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    half = width / 2 / iod
    return EyeGeometry(
        box=box,
        axes=axes,
        across=across,
        down=np.ascontiguousarray(grid[..., 1]),
        upper=upper_edge,
        lower=lower_edge,
        brow=brow,
        corners=(-half, half),
        outer=-1.0 if index == 0 else 1.0,
        iris=(float(iris[0, 0]), float(iris[0, 1]), radius),
        openness=float((lower_edge - upper_edge).max()),
    )


def _box(centre: np.ndarray, iod: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box around an eye, kept inside the crop."""
    left, right, above, below = 0.48 * iod, 0.48 * iod, 0.42 * iod, 0.36 * iod
    return (
        max(0, int(centre[0] - left)),
        max(0, int(centre[1] - above)),
        min(size[1], int(centre[0] + right) + 1),
        min(size[0], int(centre[1] + below) + 1),
    )


def _curve(points: np.ndarray, across: np.ndarray) -> Float32[np.ndarray, "h w"]:
    """Return a smooth curve through points, held constant beyond its ends."""
    order = np.argsort(points[:, 0])
    x, y = points[order, 0], points[order, 1]
    keep = np.concatenate([[True], np.diff(x) > 1e-4])
    curve = PchipInterpolator(x[keep], y[keep])
    return np.asarray(curve(np.clip(across, x[0], x[-1])), np.float32)
