"""Finding glasses: what moves around the eyes must stay inside their rims.

Between the eyes bare skin shades off gently, while the bridge of glasses is an edge.
Frames of the colour of the skin, and rimless ones, are not found.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

EYE_CORNERS = ((33, 133), (362, 263))

SURE, LIKELY, RIM = 7.5, 4.5, 6.0
"""Change of log brightness per IOD across a bridge that tells glasses; the lower value
only with rims below both eyes that are as clear as the last."""

_STEP = 0.008


@dataclass(frozen=True)
class Rims:
    """Free space around one eye inside its lens.

    Attributes:
        above: Height of the upper rim's lower edge over the eye's middle [IOD].
        below: Depth of the lower rim's upper edge under it [IOD].
    """

    above: float
    below: float


def find_glasses(
    crop: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 2"], iod: float
) -> tuple[Rims, Rims] | None:
    """Return the rims around both eyes, None if the face wears no glasses.

    Args:
        crop: The working crop of the photo, sRGB.
        landmarks: Face mesh [px of the crop].
        iod: Distance between the iris centres [px].
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = np.log(cv2.GaussianBlur(grey, (0, 0), max(0.5, _STEP * iod)) + 8)
    along = (landmarks[473] - landmarks[468]) / np.linalg.norm(landmarks[473] - landmarks[468])
    axes = np.array([along, [-along[1], along[0]]], np.float32)

    def edges(centre: np.ndarray, half: float, top: float, bottom: float) -> np.ndarray:
        x, y = np.arange(-half, half, 0.01), np.arange(top, bottom, _STEP)
        grid = centre + iod * (x[None, :, None] * axes[0] + y[:, None, None] * axes[1])
        grid = grid.astype(np.float32)
        strip = cv2.remap(
            grey, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.abs(np.gradient(np.median(strip, axis=1), _STEP))

    eyes = [landmarks[list(corners)].mean(0) for corners in EYE_CORNERS]
    bridge = float(edges((eyes[0] + eyes[1]) / 2, 0.06, -0.22, 0.30).max())
    under = [edges(eye, 0.10, 0.17, 0.50) for eye in eyes]
    if bridge < LIKELY or (bridge < SURE and min(float(e.max()) for e in under) < RIM):
        return None
    over = [edges(eye, 0.10, -0.45, -0.13)[::-1] for eye in eyes]
    limit = 0.5 * min(bridge, 12.0)
    right, left = (
        Rims(above=0.13 + _first(up, limit), below=0.17 + _first(down, limit))
        for up, down in zip(over, under, strict=True)
    )
    return right, left


def _first(edges: np.ndarray, limit: float) -> float:
    """Return how far the first clear edge is away, less a margin for its blur [IOD]."""
    hits = np.flatnonzero(edges > limit)
    return _STEP * max(0, (int(hits[0]) if len(hits) else len(edges)) - 2)
