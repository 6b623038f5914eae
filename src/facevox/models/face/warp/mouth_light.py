"""How bright and which colour teeth, tongue and gums are in the light of a photo.

The light is read from the whites of the eyes and from the cheeks: skin alone says
nothing about teeth (their ratio runs from 1 to 8 over the people we measured).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.warp.linear_light import luminance, to_light

EYE_RINGS = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
"""Landmarks around the opening of the right and the left eye."""

IRISES = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))
"""Centre and rim of the right and the left iris."""

CHEEKS = (50, 280)

_TEETH_OVER_SCLERA = 1.35
"""Luminance of front teeth over the brighter white of the eyes (`recipes/teeth.py`)."""

_TOOTH_TINT = np.array([0.97, 1.0, 0.92], np.float32)
_SKIN = np.array([1.70, 1.0, 0.80], np.float32)
"""Typical ratio of red and blue to green of skin in white light."""

_GUM = np.array([0.50, 0.17, 0.16], np.float32)
_TONGUE = np.array([0.46, 0.16, 0.15], np.float32)
_CAVITY = np.array([0.060, 0.019, 0.015], np.float32)


@dataclass(frozen=True)
class MouthLight:
    """Colours of what is behind the lips, in linear RGB under the photo's light.

    Attributes:
        teeth: Front of the upper teeth when nothing shades them.
        gum: Gums.
        tongue: Tongue near the lips.
        cavity: Back of the mouth.
        colourfulness: 0 in a grey or toned photo, 1 in a colour one.
        side: Brightness of the picture's left side over the right side, as a log ratio.
    """

    teeth: Float32[np.ndarray, "3"]
    gum: Float32[np.ndarray, "3"]
    tongue: Float32[np.ndarray, "3"]
    cavity: Float32[np.ndarray, "3"]
    colourfulness: float
    side: float


def measure_mouth_light(
    crop: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 2"], iod: float
) -> MouthLight:
    """Read the light of a photo and return the colours inside the mouth.

    The luminance of teeth follows that of the sclera; the skin adds nothing (44 people
    photographed once with closed lips and once smiling, residual 0.32 in natural log).
    Their tint follows the sclera too.

    Args:
        crop: The working crop, sRGB.
        landmarks: Face mesh [px of the crop].
        iod: Distance between the iris centres [px].
    """
    sclera, cheeks = read_sclera_and_cheeks(crop, landmarks, iod)
    cheek = np.mean(cheeks, axis=0)
    if sclera is None:
        sclera = np.maximum(cheek, 0.02) ** np.float32(0.5) * np.float32(0.5)
    cheek_level = max(float(luminance(cheek)), 0.01)
    colourfulness = _colourfulness(crop)
    trust = max(_trust(sclera, cheek), 1 - colourfulness)
    floor = (0.85 - 0.28 * trust) * cheek_level
    sclera_level = float(np.clip(luminance(sclera), floor, 0.75))
    level = min(_TEETH_OVER_SCLERA * sclera_level, 0.78)

    cast = trust * _chroma(sclera) + (1 - trust) * _chroma(cheek / _SKIN)
    cast = np.clip(cast, 0.6, 1.5)
    white = level * cast
    flesh_light = min(level, 2.2 * cheek_level + 0.10)
    flesh = flesh_light / 0.55 * cast
    teeth = white * (1 + colourfulness * (_TOOTH_TINT - 1))
    side = float(np.log(luminance(cheeks[0]) + 0.01) - np.log(luminance(cheeks[1]) + 0.01))
    return MouthLight(
        teeth=teeth.astype(np.float32),
        gum=_tinted(_GUM, colourfulness) * flesh,
        tongue=_tinted(_TONGUE, colourfulness) * flesh,
        cavity=_tinted(_CAVITY, colourfulness) * flesh,
        colourfulness=colourfulness,
        side=float(np.clip(side, -1.2, 1.2)),
    )


def read_sclera_and_cheeks(
    crop: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 2"], iod: float
) -> tuple[Float32[np.ndarray, "3"] | None, Float32[np.ndarray, "2 3"]]:
    """Return the linear colours of the whites of the eyes (None if unseen) and of both cheeks.

    Args:
        crop: The working crop, sRGB.
        landmarks: Face mesh [px of the crop].
        iod: Distance between the iris centres [px].
    """
    radius = max(2, round(0.06 * iod))
    cheeks = [_patch_colour(crop, landmarks[index], radius) for index in CHEEKS]
    return _sclera_colour(crop, landmarks), np.asarray(cheeks, np.float32)


def _patch_colour(crop: np.ndarray, centre: np.ndarray, radius: int) -> np.ndarray:
    """Return the median linear colour of a square, kept inside the crop."""
    height, width = crop.shape[:2]
    x = int(np.clip(centre[0], radius, max(radius, width - radius - 1)))
    y = int(np.clip(centre[1], radius, max(radius, height - radius - 1)))
    square = crop[y - radius : y + radius + 1, x - radius : x + radius + 1].reshape(-1, 3)
    return to_light(np.median(square, axis=0).astype(np.uint8))


def _sclera_colour(crop: np.ndarray, landmarks: np.ndarray) -> np.ndarray | None:
    """Return the mean colour of the brighter white of the eyes, None if they are shut."""
    colours = []
    for ring, iris in zip(EYE_RINGS, IRISES, strict=True):
        points = landmarks[list(ring)]
        x0, y0 = np.floor(points.min(0)).astype(int)
        x1, y1 = np.ceil(points.max(0)).astype(int) + 1
        if x0 < 0 or y0 < 0 or x1 > crop.shape[1] or y1 > crop.shape[0]:
            continue
        inside = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(inside, [np.round((points - (x0, y0)) * 16).astype(np.int32)], 255, shift=4)
        radius = (
            1.15 * np.linalg.norm(landmarks[list(iris[1:])] - landmarks[iris[0]], axis=1).mean()
        )
        rows, columns = np.mgrid[y0:y1, x0:x1]
        far = np.hypot(columns - landmarks[iris[0], 0], rows - landmarks[iris[0], 1]) > radius
        pixels = to_light(crop[y0:y1, x0:x1][(cv2.erode(inside, np.ones((3, 3))) > 127) & far])
        if len(pixels) < 8:
            continue
        level = luminance(pixels)
        low, high = np.percentile(level, [65, 92])
        colours.append(pixels[(level >= low) & (level <= high)].mean(0))
    return np.mean(colours, axis=0) if colours else None


def _chroma(colour: np.ndarray) -> np.ndarray:
    """Return a colour of luminance 1."""
    return colour / max(float(luminance(colour)), 1e-3)


def _trust(sclera: np.ndarray, cheek: np.ndarray) -> float:
    """Return 1 if the sclera is paler than skin, 0 if it looks like a lid of a narrow eye."""
    red = [float(np.log((c[0] + 0.005) / (c[2] + 0.005))) for c in (cheek, sclera)]
    return float(np.clip((red[0] - red[1]) / 0.30, 0.0, 1.0))


def _colourfulness(crop: np.ndarray) -> float:
    """Return 0 for a grey or toned photo, whose hues follow from brightness, 1 for a colour one."""
    step = max(1, max(crop.shape) // 64)
    pixels = cv2.blur(crop, (step, step))[::step, ::step].reshape(-1, 3).astype(np.float64)
    level = np.log(pixels.mean(-1) + 8.0)
    hue = np.log((pixels[:, 0] + 8.0) / (pixels[:, 2] + 8.0))
    tone = np.polynomial.Polynomial.fit(level, hue, 2) if np.ptp(level) > 0.1 else np.zeros_like
    spread = float(np.ptp(np.percentile(hue - tone(level), [5, 95])))
    return float(np.clip((spread - 0.05) / 0.06, 0.0, 1.0))


def _tinted(colour: np.ndarray, colourfulness: float) -> np.ndarray:
    """Return the colour, or its grey of the same luminance in a grey photo."""
    grey = np.full(3, float(luminance(colour)), np.float32)
    return np.asarray(grey + colourfulness * (colour - grey), np.float32)
