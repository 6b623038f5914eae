"""The picture the video shows, and the part of it in which anything can move."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Int, UInt8

from facevox.core.errors import InputError
from facevox.core.portrait.portrait import Portrait
from facevox.models.face.warp.lattice import Lattice

MAX_SIZE = 4096
MAX_ENLARGEMENT = 2.0
NODES_PER_IOD = 30
"""Fineness of the movement fields at most; lips are about .1 IOD thick."""

_SIDES, _ABOVE_EYES, _BELOW_EYES = 3.1, 3.0, 4.2
"""Extent of what moves: to both sides, above and below the eyes [IOD]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where the face stands in the output.

    Attributes:
        photo: The output picture before anything moves.
        crop: The pixels of `lattice`, continued beyond the photo's border.
        lattice: Block of the crop in coordinates of the crop (left = top = 0).
        origin: Column and row of the crop's first pixel in the photo; may be negative.
        landmarks: Face mesh in the crop [px].
    """

    photo: UInt8[np.ndarray, "height width 3"]
    crop: UInt8[np.ndarray, "crop_height crop_width 3"]
    lattice: Lattice
    origin: tuple[int, int]
    landmarks: Float32[np.ndarray, "478 3"]

    def write_back(
        self, frame: UInt8[np.ndarray, "height width 3"], crop: UInt8[np.ndarray, "h w 3"]
    ) -> None:
        """Put a moved crop into a frame, leaving out what lies beyond the photo."""
        left, top = self.origin
        height, width = frame.shape[:2]
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + crop.shape[1], width), min(top + crop.shape[0], height)
        if x0 < x1 and y0 < y1:
            frame[y0:y1, x0:x1] = crop[y0 - top : y1 - top, x0 - left : x1 - left]


def _even(value: float) -> int:
    return max(2, 2 * round(value / 2))


def output_size(width: int, height: int, size: int | None) -> tuple[int, int]:
    """Return the even width and height of the video of a photo [px].

    Args:
        width: Of the photo.
        height: Of the photo.
        size: Longest side wanted; None keeps the photo's, up to `MAX_SIZE`.

    Raises:
        InputError: If `size` is not between 64 and `MAX_SIZE`.
    """
    longest = max(width, height)
    if size is not None and not 64 <= size <= MAX_SIZE:
        raise InputError(f"size must be between 64 and {MAX_SIZE} pixels, got {size}.")
    scale = min((size or min(longest, MAX_SIZE)) / longest, MAX_ENLARGEMENT)
    if scale == 1.0:
        return max(2, width - width % 2), max(2, height - height % 2)
    return _even(width * scale), _even(height * scale)


def output_photo(
    pixels: UInt8[np.ndarray, "h w 3"], size: int | None
) -> UInt8[np.ndarray, "height width 3"]:
    """Return the photo as the video shows it; see `output_size`."""
    width, height = output_size(pixels.shape[1], pixels.shape[0], size)
    if 0 <= pixels.shape[1] - width <= 1 and 0 <= pixels.shape[0] - height <= 1:
        return np.ascontiguousarray(pixels[:height, :width])
    shrinks = width < pixels.shape[1]
    return cv2.resize(
        pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )


def _moving_box(
    landmarks: Float32[np.ndarray, "478 3"], iod: float, width: int, height: int
) -> tuple[int, int, int, int]:
    """Return the box that can move: within the photo, but never cutting the face."""
    low, high = landmarks[:, :2].min(0) - 0.3 * iod, landmarks[:, :2].max(0) + 0.3 * iod
    x, eyes = (low[0] + high[0]) / 2, landmarks[[468, 473], 1].mean()
    return (
        int(min(max(x - _SIDES * iod, 0), low[0])),
        int(min(max(eyes - _ABOVE_EYES * iod, 0), low[1])),
        int(np.ceil(max(min(x + _SIDES * iod, width), high[0]))),
        int(np.ceil(max(min(eyes + _BELOW_EYES * iod, height), high[1]))),
    )


def _reflected(start: int, stop: int, size: int) -> Int[np.ndarray, " count"]:
    """Return indices into `size` pixels, going back and forth beyond both ends."""
    period = max(2 * (size - 1), 1)
    index = np.abs(np.arange(start, stop)) % period
    return np.minimum(index, period - index) if size > 1 else index * 0


def _cut(
    photo: UInt8[np.ndarray, "height width 3"], box: tuple[int, int, int, int]
) -> UInt8[np.ndarray, "h w 3"]:
    """Return the pixels of a box, mirrored beyond the border."""
    height, width = photo.shape[:2]
    x0, y0, x1, y1 = box
    rows, columns = _reflected(y0, y1, height), _reflected(x0, x1, width)
    return photo[rows[:, None], columns[None, :]]


def set_stage(portrait: Portrait, iod: float, size: int | None) -> Stage:
    """Scale the photo and cut out what can move.

    Args:
        portrait: Photo and face.
        iod: Distance between the irises as if seen from the front [px of the photo].
        size: Longest side of the output [px], or None for the photo's own.
    """
    height, width = portrait.pixels.shape[:2]
    photo = output_photo(portrait.pixels, size)
    out_height, out_width = photo.shape[:2]
    same = abs(width - out_width) <= 1 and abs(height - out_height) <= 1
    factor = np.ones(2) if same else np.array([out_width / width, out_height / height])
    landmarks = portrait.landmarks.astype(np.float64).copy()
    landmarks[:, :2] = (landmarks[:, :2] + 0.5) * factor - 0.5
    landmarks[:, 2] *= factor.mean()
    iod = iod * float(factor.mean())
    step = max(1, math.ceil(iod / NODES_PER_IOD))
    x0, y0, x1, y1 = _moving_box(landmarks.astype(np.float32), iod, out_width, out_height)
    columns, rows = -(-(x1 - x0) // step), -(-(y1 - y0) // step)
    lattice = Lattice(step=step, left=0, top=0, columns=columns, rows=rows)
    crop = _cut(photo, (x0, y0, x0 + lattice.width, y0 + lattice.height))
    landmarks[:, :2] -= (x0, y0)
    return Stage(
        photo=photo,
        crop=crop,
        lattice=lattice,
        origin=(x0, y0),
        landmarks=landmarks.astype(np.float32),
    )
