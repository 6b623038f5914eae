"""Finding faces with MediaPipe's BlazeFace networks.

Reference: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection
on Mobile GPUs", 2019, arXiv:1907.05047.
"""

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from facevox.core.portrait.mediapipe_model import MediapipeModel

MIN_SCORE = 0.5
OVERLAP = 0.3
"""Intersection over union from which two boxes show the same face."""

PREVIEW_SIDE = 640
"""Longer side to which a photo is shrunk once before the networks shrink it further [px]."""

TILE_SHARE = 0.6
"""Side of a tile over the side of the photo, when small faces are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that the detector found.

    Attributes:
        score: How sure the detector is, 0 to 1.
        box: Corners x0, y0, x1, y1, from the brows to the chin [px].
        points: The person's right eye, left eye, nose tip, mouth, right ear, left ear [px].
    """

    score: float
    box: Float[np.ndarray, " 4"]
    points: Float[np.ndarray, "6 2"]

    @property
    def size(self) -> float:
        """Length of the longer side of the box [px]."""
        return float((self.box[2:] - self.box[:2]).max())

    def moved(self, *, scale: float = 1.0, x: int = 0, y: int = 0) -> "Detection":
        """Return the detection after scaling the picture and then shifting it [px]."""
        offset = np.array([x, y])
        return replace(
            self,
            box=self.box * scale + np.tile(offset, 2),
            points=self.points * scale + offset,
        )


@dataclass(frozen=True)
class BlazeFace:
    """One of the two networks and the grid its answers refer to.

    Attributes:
        model: The network.
        side: Side of its square input [px].
        layers: Cells per side and faces per cell of each layer of the grid.
    """

    model: MediapipeModel
    side: int
    layers: tuple[tuple[int, int], ...]

    def __call__(self, pixels: UInt8[np.ndarray, "h w 3"]) -> list[Detection]:
        """Return the faces in a picture, best score first.

        Args:
            pixels: RGB; shrunk to fit and padded with black to a square.

        Raises:
            MissingPiece: If the network is not installed.
        """
        square, scale = _letterbox(pixels, self.side)
        boxes, logits = self.model(square.astype(np.float32) / 127.5 - 1)
        logits = logits.reshape(-1)
        scores = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
        rows = np.flatnonzero(scores >= MIN_SCORE)
        raw = boxes.reshape(-1, 8, 2)[rows].astype(np.float64)
        raw[:, [0, *range(2, 8)]] += self._anchors[rows, None] * self.side
        raw /= scale
        corners = np.concatenate([raw[:, 0] - raw[:, 1] / 2, raw[:, 0] + raw[:, 1] / 2], axis=1)
        found = [
            Detection(float(score), box, points)
            for score, box, points in zip(scores[rows], corners, raw[:, 2:], strict=True)
        ]
        return merge_detections(found)

    @property
    def _anchors(self) -> Float[np.ndarray, "anchors 2"]:
        return _cell_centers(self.layers)


@cache
def _cell_centers(layers: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Return the middles of all cells, 0 to 1, row by row, layer by layer."""
    grids = []
    for cells, faces in layers:
        ticks = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        grids.append(np.repeat(grid, faces, axis=0))
    return np.concatenate(grids)


SHORT_RANGE = BlazeFace(
    MediapipeModel("face_detection_short_range"), side=128, layers=((16, 2), (8, 6))
)
"""For faces within about two metres: the larger part of a portrait."""

FULL_RANGE = BlazeFace(
    MediapipeModel("face_detection_full_range_sparse"), side=192, layers=((48, 1),)
)
"""For faces within about five metres: small ones in a wide picture."""


def find_faces(pixels: UInt8[np.ndarray, "h w 3"], *, closer: bool = False) -> list[Detection]:
    """Find all faces in a photo.

    Args:
        pixels: The photo, RGB.
        closer: Also look at tiles of the photo, for small faces, and at the photo with a
            margin, for a face that fills it or is cut off by its edge.

    Returns:
        Each face once, best score first; empty when there is none.

    Raises:
        MissingPiece: If the networks are not installed.
    """
    small, scale = _shrunk(pixels, PREVIEW_SIDE)
    found = [face.moved(scale=1 / scale) for face in _look(small)]
    if closer:
        found += [face.moved(scale=1 / scale) for face in _look_with_margin(small)]
        found += _look_at_tiles(pixels)
    return merge_detections(found)


def merge_detections(detections: list[Detection]) -> list[Detection]:
    """Melt detections of the same face into one, weighted by score.

    Two detections are of one face when their boxes overlap by `OVERLAP`, or when
    the middle of the smaller one lies within the inner half of the larger.

    Args:
        detections: In any order.

    Returns:
        One detection per face, best score first.
    """
    left = sorted(detections, key=lambda detection: -detection.score)
    faces = []
    while left:
        same = [other for other in left if other is left[0] or _same_face(left[0], other)]
        left = [other for other in left if not any(other is one for one in same)]
        weights = np.array([one.score for one in same])
        faces.append(
            Detection(
                same[0].score,
                np.average([one.box for one in same], axis=0, weights=weights),
                np.average([one.points for one in same], axis=0, weights=weights),
            )
        )
    return faces


def _same_face(one: Detection, other: Detection) -> bool:
    low, high = np.maximum(one.box[:2], other.box[:2]), np.minimum(one.box[2:], other.box[2:])
    common = np.prod(np.clip(high - low, 0, None))
    areas = [np.prod(face.box[2:] - face.box[:2]) for face in (one, other)]
    if common >= OVERLAP * (sum(areas) - common):
        return True
    large, small = (one, other) if areas[0] >= areas[1] else (other, one)
    middle = (large.box[:2] + large.box[2:]) / 2
    distance = np.abs((small.box[:2] + small.box[2:]) / 2 - middle)
    return bool((distance < (large.box[2:] - large.box[:2]) / 4).all())


def _look(pixels: np.ndarray) -> list[Detection]:
    return [*SHORT_RANGE(pixels), *FULL_RANGE(pixels)]


def _look_with_margin(pixels: np.ndarray) -> list[Detection]:
    height, width = pixels.shape[:2]
    margin = max(height, width) // 2
    wide = np.full((height + 2 * margin, width + 2 * margin, 3), 128, np.uint8)
    wide[margin:-margin, margin:-margin] = pixels
    found = [face.moved(x=-margin, y=-margin) for face in _look(wide)]
    return [face for face in found if _is_inside(face, width, height)]


def _look_at_tiles(pixels: np.ndarray) -> list[Detection]:
    return [face.moved(x=left, y=top) for top, left, tile in _tiles(pixels) for face in _look(tile)]


def _tiles(pixels: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
    """Return 3 x 3 overlapping tiles with their top and left [px]."""
    height, width = pixels.shape[:2]
    side = int(TILE_SHARE * min(height, width)) or 1
    tops = np.linspace(0, height - side, 3).astype(int)
    lefts = np.linspace(0, width - side, 3).astype(int)
    return [
        (int(top), int(left), pixels[top : top + side, left : left + side])
        for top in tops
        for left in lefts
    ]


def _is_inside(face: Detection, width: int, height: int) -> bool:
    x, y = (face.box[:2] + face.box[2:]) / 2
    return bool(0 <= x < width and 0 <= y < height)


def _letterbox(pixels: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """Return the picture scaled to fit the upper left of a black square, and the scale."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.zeros((side, side, 3), np.uint8)
    square[: size[1], : size[0]] = cv2.resize(pixels, size, interpolation=method)
    return square, scale


def _shrunk(pixels: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """Return the picture with at most `side` as its longer side, and the scale."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels, 1.0
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), scale
