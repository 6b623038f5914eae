"""Teeth between lips that the landmarks place together: smiles with thin lips."""

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8
from scipy.ndimage import gaussian_filter, gaussian_filter1d, median_filter

from facevox.models.face.warp.face_frame import FaceFrame
from facevox.models.face.warp.linear_light import luminance, to_light
from facevox.models.face.warp.sampling import sample_linear

_OFFSETS = np.linspace(-0.09, 0.09, 61)
"""Places above and below the seam at which colours are read [IOD]."""

_AT_TEETH, _AT_SHADOW = 0.045, 0.03
"""How far from the seam teeth, and the shadow beside them, can be [IOD]."""

_SMOOTHING = (1.3, 3.0)
"""Blur of the colours along the offsets and along the seam [samples]."""

_DARK = 0.15
"""Light added before the ratio of red to green, as part of the mouth's: dark pixels are noise."""

_PALER, _PALER_SHADOW = 0.12, 0.05
"""Dip of log(red / green) below that of both lips: in teeth, and in the shadow beside them."""

_BRIGHTER = 1.3
"""Light of teeth over that of the shadow beside them, at least."""

_ENOUGH = 0.3
"""Part of the middle of the mouth in which teeth must show."""

_WIDEST = 0.08
"""Wider openings do not escape the landmarks: something else was found [IOD]."""

_LIP_AGAIN = 0.8
"""A lip begins where this part of its red is back."""

_RAMP = 0.22
"""Part of the seam over which the opening ends beside the last tooth."""

_Edges = tuple[Float[np.ndarray, " samples"], Float[np.ndarray, " samples"]]


def find_thin_opening(
    crop: UInt8[np.ndarray, "h w 3"], seam: Float32[np.ndarray, "samples 2"], frame: FaceFrame
) -> _Edges | None:
    """Return how far above and below the seam the lips begin [IOD], None if they touch.

    Lips that touch are reddest at their seam.  Teeth are paler than the lip above and
    the lip below, and brighter than the shadow that the upper lip casts on them.

    Args:
        crop: The picture.
        seam: Line along which the lips seem to meet, from corner to corner [px].
        frame: Pose of the face.
    """
    level, red = _profiles(crop, seam, frame)
    lips = np.minimum(np.maximum.accumulate(red, 0), np.maximum.accumulate(red[::-1], 0)[::-1])
    paler = lips - red
    near = np.abs(_OFFSETS)[:, None]
    tooth = np.where(near <= _AT_TEETH, paler, -1.0).argmax(0)
    shadow = np.where(near <= _AT_SHADOW, level, np.inf).argmin(0)
    column = np.arange(len(seam))
    shows = (
        (paler[tooth, column] > _PALER)
        & (paler[shadow, column] > _PALER_SHADOW)
        & (level[tooth, column] > _BRIGHTER * level[shadow, column])
    )
    fifth = len(seam) // 5
    if shows[fifth:-fifth].mean() < _ENOUGH:
        return None
    lip = red >= red[tooth, column] + _LIP_AGAIN * paler[tooth, column]
    return _edges(lip, tooth, shadow, shows)


def _profiles(
    crop: UInt8[np.ndarray, "h w 3"], seam: Float32[np.ndarray, "samples 2"], frame: FaceFrame
) -> tuple[Float32[np.ndarray, "offsets samples"], Float32[np.ndarray, "offsets samples"]]:
    """Return the light, and the log of red over green, across the seam."""
    places = seam[None] + (_OFFSETS * frame.iod)[:, None, None] * frame.down
    light = to_light(sample_linear(crop, places.astype(np.float32)))
    light = gaussian_filter(light, (*_SMOOTHING, 0.0))
    level = luminance(light)
    floor = max(_DARK * float(np.median(level)), 1e-4)
    red = np.log((light[..., 0] + floor) / (light[..., 1] + floor))
    return level, red.astype(np.float32)


def _edges(
    lip: Bool[np.ndarray, "offsets samples"],
    tooth: Int[np.ndarray, " samples"],
    shadow: Int[np.ndarray, " samples"],
    shows: Bool[np.ndarray, " samples"],
) -> _Edges | None:
    """Follow the borders of both lips where teeth show, and end them softly beside."""
    row, last = np.arange(len(_OFFSETS))[:, None], len(_OFFSETS) - 1
    top = np.minimum(np.where(lip & (row < tooth), row, 0).max(0), shadow)
    bottom = np.maximum(np.where(lip & (row > tooth), row, last).min(0), shadow)
    above, below = (
        median_filter(np.maximum(offset[shows], 0.0), 5)
        for offset in (-_OFFSETS[top], _OFFSETS[bottom])
    )
    if np.median(above + below) > _WIDEST:
        return None
    column, seen = np.arange(len(shows)), np.flatnonzero(shows)
    beside = np.abs(column[:, None] - seen).min(1) / (_RAMP * len(shows))
    share = np.clip(1.0 - beside, 0.0, 1.0)
    corners = np.minimum(1.0, 6.0 * np.sin(np.linspace(0.0, np.pi, len(shows))))
    above, below = (
        corners * gaussian_filter1d(np.interp(column, seen, edge) * share, 2.0)
        for edge in (above, below)
    )
    return above, below
