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


BODY_HALF_WIDTH, TIP_HALF_WIDTH = 0.27, 0.17
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
    dome = np.float32(0.10 + 0.02 * raised) * np.abs(u) ** 2.4
    groove = (1 - raised) * 0.010 * np.exp(-((x / 0.025) ** 2))
    below = y - dome - groove
    soft = 0.022 - 0.008 * raised
    t = np.clip(below / soft + 0.5, 0.0, 1.0)
    alpha = t * t * (3 - 2 * t)
    # The crest turns away from the viewer at rest; the raised tip faces him.
    facing = np.clip(below / (0.10 - 0.05 * raised), 0.0, 1.0)
    light = (0.45 + 0.25 * raised) + (0.55 - 0.25 * raised) * np.sqrt(facing)
    light = light * (1 - 0.35 * np.clip(np.abs(u), 0, 1) ** 2.5)
    light = light * (1 - 0.18 * np.exp(-((x / 0.020) ** 2)) * (1 - raised))
    light = light * (1 - 0.30 * np.clip((below - 0.08) / 0.15, 0, 1))
    gleam = np.exp(-(((np.abs(x) - 0.055 * (1 - raised)) / 0.045) ** 2)) * np.exp(
        -(((below - 0.035) / 0.016) ** 2)
    )
    as_light = [np.asarray(plane, np.float32) for plane in (light, gleam, alpha)]
    return TonguePicture(light=as_light[0], gleam=as_light[1], alpha=as_light[2])
