"""Telling a drawn or rendered face from a photographed one.

Skin in a photograph changes everywhere a little: shading, pores, noise.  Drawn skin is flat or
shaded without any texture, or it is hatched.  Three ratios of how colours change from pixel to
pixel say so; being ratios, they bear other light, other contrast and missing colour.  The face
is seen at one size, so that the photo's own size does not matter.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from facevox.core.portrait.attention_mesh import LEFT_EYE, LIPS, NUM_LIDS, RIGHT_EYE, SIDE
from facevox.core.portrait.face_mesh import crop_around

MIN_RELIEF, MIN_TEXTURE, MAX_GRAIN = 0.115, 0.095, 1.1
"""Bounds of the measures within which a face counts as photographed: 1,154 of 1,159 photographs,
good ones and bad ones, lie inside all of them (docs/decisions/0033-drawn-portraits.md)."""

OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Outline of the face, from the top of the forehead clockwise in the picture."""

RIGHT_BROW = (46, 53, 52, 65, 55, 156, 70, 63, 105, 66, 107)
LEFT_BROW = (276, 283, 282, 295, 285, 383, 300, 293, 334, 296, 336)

_FEATURES = (LIPS, RIGHT_EYE[: 2 * NUM_LIDS], LEFT_EYE[: 2 * NUM_LIDS], RIGHT_BROW, LEFT_BROW)
_SMOOTHING = 0.8  # [px of the crop]: noise of single pixels says nothing
_RIM, _GAP = 9, 5  # kept away from the outline, and from the features [px of the crop]
_CLIPPED = 0.985  # an overexposed photograph is flat where it is white
_ENOUGH = 0.3  # share of the skin that must not be white for the rest to speak for it
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Surface:
    """How the colours of a face change from pixel to pixel.

    Attributes:
        relief: Upper quartile of the change on the skin over the strongest in the face (its
            98th percentile); small where skin is painted or rendered without texture.
        texture: Median of the change on the skin over its 98th percentile; small where flat
            colours meet at steps.
        grain: Median of the second difference over that of the first; large where skin is
            dots or strokes, or where nothing changes at all.
    """

    relief: float
    texture: float
    grain: float

    @property
    def is_drawn(self) -> bool:
        """Whether photographs hardly ever look so."""
        return self.relief < MIN_RELIEF or self.texture < MIN_TEXTURE or self.grain > MAX_GRAIN


def looks_drawn(pixels: UInt8[np.ndarray, "h w 3"], landmarks: Float[np.ndarray, "478 3"]) -> bool:
    """Return whether a face looks drawn or rendered, not photographed.

    Args:
        pixels: The picture, RGB.
        landmarks: Face mesh [px].
    """
    crop = crop_around(landmarks)
    return measure_surface(crop.cut(pixels, SIDE), crop.to_square(landmarks, SIDE)).is_drawn


def measure_surface(
    picture: Float32[np.ndarray, "s s 3"], landmarks: Float[np.ndarray, "478 3"]
) -> Surface:
    """Return how the colours of a face change.

    Args:
        picture: The face as the landmark network sees it, values from 0 to 1.
        landmarks: Face mesh in it [px].
    """
    smooth = cv2.GaussianBlur(picture, (0, 0), _SMOOTHING)
    right, down = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx) / 8 for dx in (1, 0))
    first = np.sqrt((right**2 + down**2).max(2))
    second = np.abs(cv2.Laplacian(smooth, cv2.CV_32F)).max(2)
    face, skin = _regions(landmarks, len(picture))
    lit = skin & (picture.max(2) < _CLIPPED)
    if lit.sum() > _ENOUGH * skin.sum():
        skin = lit
    if not skin.any():
        return Surface(1.0, 1.0, 0.0)
    median, upper, most = np.quantile(first[skin], (0.5, 0.75, 0.98)).tolist()
    strongest = max(float(np.quantile(first[face], 0.98)), _TINY)
    grain = float(np.median(second[skin])) / max(median, _TINY)
    flat = median < _TINY  # not one step of colour on half of the skin
    return Surface(
        relief=upper / strongest,
        texture=0.0 if flat else median / most,
        grain=grain,
    )


def _regions(
    landmarks: np.ndarray, side: int
) -> tuple[Bool[np.ndarray, "s s"], Bool[np.ndarray, "s s"]]:
    """Return the pixels of the face, and those of its bare skin."""
    face = _hull(landmarks, OUTLINE, side)
    skin = cv2.erode(face, np.ones((_RIM, _RIM), np.uint8), borderValue=0)
    gap = np.ones((_GAP, _GAP), np.uint8)
    for points in _FEATURES:
        skin[cv2.dilate(_hull(landmarks, points, side), gap) > 0] = 0
    return face > 0, skin > 0


def _hull(landmarks: np.ndarray, points: tuple[int, ...], side: int) -> UInt8[np.ndarray, "s s"]:
    flat = np.round(landmarks[list(points), :2]).astype(np.int32)
    canvas = np.zeros((side, side), np.uint8)
    cv2.fillPoly(canvas, [cv2.convexHull(flat)], 1)
    return canvas
