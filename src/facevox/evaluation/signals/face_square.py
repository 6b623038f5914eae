"""The square around a face that judges of pictures look at: one per clip, so that it stays put."""

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.errors import InputError

ENLARGEMENT = 1.5
"""Side of the square as a multiple of the larger side of the landmarks' box: brow to chin, and
some hair, neck and background."""


def face_square(
    landmarks: Float32[np.ndarray, "frames 478 3"], enlargement: float = ENLARGEMENT
) -> tuple[int, int, int]:
    """Return the square around the face of a clip.

    Its centre is the median over frames of the centre of the landmarks' box, its side the
    median of the box's larger side, enlarged: a jaw that drops neither moves nor zooms it,
    and motion of the head stays visible.

    Args:
        landmarks: x, y, z of every frame [px]; NaN where no face was found.
        enlargement: Of the side.

    Returns:
        Left, top and side [px]; the square may reach beyond the picture.

    Raises:
        InputError: If no frame shows a face.
    """
    found = landmarks[np.isfinite(landmarks).all((1, 2)), :, :2].astype(np.float64)
    if not len(found):
        raise InputError("no frame shows a face, so there is nothing to crop.")
    low, high = found.min(1), found.max(1)
    side = max(round(enlargement * float(np.median((high - low).max(1)))), 1)
    left, top = np.round(np.median((low + high) / 2, 0) - side / 2).astype(int)
    return int(left), int(top), side


def crop_square(
    pixels: UInt8[np.ndarray, "h w 3"], square: tuple[int, int, int]
) -> UInt8[np.ndarray, "side side 3"]:
    """Cut a square out of a picture at its own resolution; its border is repeated outside."""
    left, top, side = square
    rows = np.clip(np.arange(top, top + side), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, pixels.shape[1] - 1)
    return pixels[rows[:, None], columns]
