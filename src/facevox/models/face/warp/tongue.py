"""The tongue: a moist, rounded body that rests low and a tip that rises to the teeth."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True)
class TonguePicture:
    """A tongue seen from the front on a raster.

    Attributes:
        light: Brightness relative to the tongue's colour.
        gleam: Light mirrored by its moist surface, relative to white.
        alpha: Coverage.
    """

    light: Float32[np.ndarray, "h w"]
    gleam: Float32[np.ndarray, "h w"]
    alpha: Float32[np.ndarray, "h w"]


BODY_HALF_WIDTH, TIP_HALF_WIDTH = 0.27, 0.20
"""Half widths of the resting body and of the raised tip [IOD]."""


def draw_tongue(
    x: Float32[np.ndarray, "h w"], y: Float32[np.ndarray, "h w"], *, raised: float
) -> TonguePicture:
    """Draw the tongue; the origin is the middle of its visible crest.

    Args:
        x: To the picture's right [IOD].
        y: Down from the crest [IOD].
        raised: 0 for the body at rest, 1 for the tip behind the teeth.
    """
    half = BODY_HALF_WIDTH + raised * (TIP_HALF_WIDTH - BODY_HALF_WIDTH)
    u = x / np.float32(half)
    dome = np.float32(0.09) * np.abs(u) ** 2.4
    groove = 0.008 * np.exp(-((x / 0.025) ** 2))
    below = y - dome - (1 - raised) * groove
    soft = 0.034 - 0.008 * raised
    t = np.clip(below / soft + 0.5, 0.0, 1.0)
    alpha = t * t * (3 - 2 * t)
    # The crest turns away from the light; the body comes towards it.
    facing = np.clip(below / (0.11 - 0.05 * raised), 0.0, 1.0)
    light = 0.30 + 0.25 * raised + (0.70 - 0.25 * raised) * facing**0.7
    light = light * (1 - 0.45 * np.clip(np.abs(u), 0, 1) ** 2.2)
    light = light * (1 - 0.16 * np.exp(-((x / 0.022) ** 2)) * (1 - 0.5 * raised))
    light = light * (1 - 0.35 * np.clip((below - 0.07) / 0.14, 0, 1))
    sides = np.exp(-(((np.abs(x) - 0.055) / 0.040) ** 2)) + 0.3 * np.exp(-((x / 0.12) ** 2))
    gleam = sides * np.exp(-(((below - 0.045) / 0.020) ** 2))
    as_light = [np.asarray(plane, np.float32) for plane in (light, gleam, alpha)]
    return TonguePicture(light=as_light[0], gleam=as_light[1], alpha=as_light[2])
