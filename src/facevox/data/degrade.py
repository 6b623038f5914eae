"""Making studio portraits look like the photos that people send."""

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from facevox.core.portrait.portrait import Portrait

GREY = np.array([0.299, 0.587, 0.114], np.float32)
IOD_RANGE = (22.0, 110.0)
FRAME = 3.6
"""Side of the cut picture [IOD]."""


def degrade(
    portrait: Portrait, generator: np.random.Generator
) -> tuple[UInt8[np.ndarray, "s s 3"], Float32[np.ndarray, "478 3"]]:
    """Return the face of a portrait as a worse photo, and where its landmarks went.

    Scale, tilt, shear, side light, exposure, gamma, colour cast, missing colour, blur,
    noise and JPEG are drawn at random.

    Args:
        portrait: A good photo.
        generator: Source of randomness.
    """
    iod = np.exp(generator.uniform(*np.log(IOD_RANGE)))
    scale = min(iod / portrait.iod, 1.5)
    iod = portrait.iod * scale
    picture, landmarks = _reframe(portrait, scale, generator)
    light = _relight(picture.astype(np.float32) / 255, generator)
    if generator.random() < 0.4:
        light = cv2.GaussianBlur(light, (0, 0), generator.uniform(0.3, 1.0) * max(1.0, iod / 60))
    if generator.random() < 0.5:
        noise = generator.standard_normal(light.shape, np.float32)
        light = light + noise * generator.uniform(0, 0.03)
    result = np.clip(light * 255, 0, 255).astype(np.uint8)
    if generator.random() < 0.5:
        quality = int(generator.uniform(25, 90))
        coded = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        result = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    return result, landmarks


def _reframe(
    portrait: Portrait, scale: float, generator: np.random.Generator
) -> tuple[UInt8[np.ndarray, "s s 3"], Float32[np.ndarray, "478 3"]]:
    tilt = np.deg2rad(generator.normal(0, 8))
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    shear = np.array([[1, generator.normal(0, 0.02)], [0, np.exp(generator.normal(0, 0.03))]])
    matrix = scale * turn @ shear
    side = int(portrait.iod * scale * FRAME)
    x0, y0, x1, y1 = portrait.face_box
    shift = np.full(2, side / 2) - matrix @ [(x0 + x1) / 2, (y0 + y1) / 2]
    landmarks = portrait.landmarks.copy()
    landmarks[:, :2] = landmarks[:, :2] @ matrix.T + shift
    landmarks[:, 2] *= scale
    source, inner = portrait.pixels, matrix
    if scale < 0.7:
        source = cv2.resize(
            source, None, fx=scale * 1.2, fy=scale * 1.2, interpolation=cv2.INTER_AREA
        )
        inner = matrix / (scale * 1.2)
    picture = cv2.warpAffine(
        source, np.column_stack([inner, shift]), (side, side), borderMode=cv2.BORDER_REPLICATE
    )
    return picture, landmarks


def _relight(
    picture: Float[np.ndarray, "s s 3"], generator: np.random.Generator
) -> Float32[np.ndarray, "s s 3"]:
    side = len(picture)
    if generator.random() < 0.5:
        angle, strength = generator.uniform(0, 2 * np.pi), generator.normal(0, 0.5)
        y, x = np.mgrid[:side, :side] / side - 0.5
        lamp = np.exp(strength * (np.cos(angle) * x + np.sin(angle) * y))
        picture = picture * lamp[..., None]
    picture = picture ** np.exp(generator.normal(0, 0.25)) * np.exp(generator.normal(0, 0.2))
    picture = picture * np.exp(generator.normal(0, 0.07, 3))
    if generator.random() < 0.15:
        picture = np.repeat((picture @ GREY)[..., None], 3, 2)
    return picture.astype(np.float32)
