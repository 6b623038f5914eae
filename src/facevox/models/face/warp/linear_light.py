"""sRGB to linear light and back through tables: light adds up only when it is linear.

Reference:
    IEC 61966-2-1, the sRGB transfer function.
"""

import numpy as np
from jaxtyping import Float32, UInt8

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear R, G, B in luminance (BT.709)."""

_STEPS = 8192


def _decode_table() -> np.ndarray:
    code = np.arange(256) / 255.0
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def _encode_table() -> np.ndarray:
    linear = np.arange(_STEPS + 1) / _STEPS
    code = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255.0 * code).astype(np.uint8)


_DECODE, _ENCODE = _decode_table(), _encode_table()


def to_light(pixels: UInt8[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Return linear light in 0..1 of sRGB pixels."""
    return _DECODE[pixels]


def to_srgb(light: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Return sRGB pixels of linear light; values outside 0..1 are clipped."""
    steps = np.clip(light, 0.0, 1.0) * np.float32(_STEPS) + np.float32(0.5)
    return _ENCODE[steps.astype(np.uint16)]


def luminance(light: Float32[np.ndarray, "*shape 3"]) -> Float32[np.ndarray, "*shape"]:
    """Return the luminance of linear RGB light."""
    return np.asarray(light @ LUMINANCE, np.float32)
