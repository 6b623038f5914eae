"""How well lips fit a sound, how late they are, and whether another sound would fit as well.

Height and width of the mouth are compared with what the phones let one expect
(`lip_shape`).  The height is that of the outer edges: it goes on changing when lips that
touch are pressed together, where the gap stays at zero.  All curves are freed of
everything slower than a second or so (minus a Gaussian of 0.48 s), so that "mouth moves
while there is speech" earns nothing; the fit is corr(height) + corr(width) / 2, over 1.5.

Reference:
    Ours.  Shifts of up to 15 frames, and the choice between own and other sound, follow Chung
    and Zisserman, Out of time: automated lip sync in the wild, ACCV workshops 2016.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from scipy.ndimage import gaussian_filter1d

from facevox.core.speech import SILENCE, Phone
from facevox.models.face.lip_shape import (
    OPENNESS,
    TICK,
    expected_lips,
    frame_times,
    spoken_span,
)

MAX_LAG = 0.6
"""Largest shift that is looked for [s]: 15 frames, as SyncNet does."""

SLOW = 0.48
"""Width of the Gaussian that is taken off all curves [s]."""

WIDTH_WEIGHT = 0.5
STILL = 0.005
"""Lips whose gap varies less than this do not move [IOD]."""

ELSEWHERE = 0.16
"""Shifts farther than this from the best one are others [s]: words last longer."""

MAX_OTHERS = 100
"""Other sounds that each clip is compared with, at most."""


def correlation(one: Float[np.ndarray, " n"], other: Float[np.ndarray, " n"]) -> float:
    """Return Pearson's correlation where both are finite; 0 if one of them is constant."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 3:
        return 0.0
    a, b = one[both] - one[both].mean(), other[both] - other[both].mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale > 1e-9 else 0.0


def quick_part(
    curves: Float[np.ndarray, "frames k"], fps: float
) -> Float64[np.ndarray, "frames k"]:
    """Return the curves without what is slower than about a second; holes stay holes."""
    holes = ~np.isfinite(curves)
    ticks = np.arange(len(curves))
    bridged = np.array(curves, np.float64)
    for column, hole in zip(bridged.T, holes.T, strict=True):
        if hole.any() and not hole.all():
            column[hole] = np.interp(ticks[hole], ticks[~hole], column[~hole])
    bridged -= gaussian_filter1d(bridged, SLOW * fps, axis=0, mode="nearest")
    bridged[holes] = np.nan
    return bridged


def fit_of(
    shape: Float[np.ndarray, "frames 3"], expected: Float[np.ndarray, "frames 2"], fps: float
) -> float:
    """Return how well lips fit what is expected of them, -1 to 1.

    Args:
        shape: Gap, height and width of the mouth [IOD], `lip_shape`.
        expected: Openness and spread, `expected_lips`.
        fps: Frames per second.
    """
    return _fit(quick_part(shape[:, 1:], fps), quick_part(expected, fps))


@dataclass(frozen=True, kw_only=True, slots=True)
class LipLag:
    """How late the lips are.

    Attributes:
        seconds: By how much they are late, negative if early; NaN if they do not move.
        fit: How well they fit the sound there, -1 to 1.
        margin: How much better than at any shift more than `ELSEWHERE` away.
    """

    seconds: float
    fit: float
    margin: float


def find_lag(
    shape: Float[np.ndarray, "frames 3"],
    expected: Callable[[Float64[np.ndarray, " frames"]], Float[np.ndarray, "frames 2"]],
    fps: float,
) -> LipLag:
    """Return by how much lips are late, to a part of a frame.

    Args:
        shape: Gap, height and width of the mouth [IOD].
        expected: Gives openness and spread at instants [s].
        fps: Frames per second.
    """
    if not np.isfinite(shape[:, 0]).any() or float(np.nanstd(shape[:, 0])) < STILL:
        return LipLag(seconds=float("nan"), fit=0.0, margin=0.0)
    reach = int(np.ceil(MAX_LAG * fps - 1e-6))
    lips, times = quick_part(shape[:, 1:], fps), frame_times(len(shape), fps)
    lags = np.arange(-reach, reach + 1)
    fits = [_fit(lips, quick_part(expected(times - lag / fps), fps)) for lag in lags]
    best = int(np.argmax(fits))
    shift = float(lags[best])
    if 0 < best < len(lags) - 1:
        left, here, right = fits[best - 1 : best + 2]
        bend = left - 2 * here + right
        shift += 0.5 * (left - right) / bend if bend < 0 else 0.0
    elsewhere = np.array(fits)[np.abs(lags - lags[best]) > ELSEWHERE * fps + 1e-6]
    margin = float(fits[best] - elsewhere.max())
    return LipLag(seconds=shift / fps, fit=float(fits[best]), margin=margin)


def lip_lag(
    shape: Float[np.ndarray, "frames 3"], phones: Sequence[Phone], fps: float
) -> tuple[float, float]:
    """Return by how much the lips are late [s], negative if early, and the fit there.

    Args:
        shape: Gap, height and width of the mouth [IOD].
        phones: Phones in order.
        fps: Frames per second.

    Returns:
        NaN and 0 if the lips do not move.
    """
    found = find_lag(shape, lambda times: expected_lips(phones, times), fps)
    return found.seconds, found.fit


def own_sound_wins(
    shapes: Sequence[Float[np.ndarray, "_ 3"]],
    phones: Sequence[Sequence[Phone]],
    fps: Sequence[float],
    *,
    seed: int = 0,
) -> Float64[np.ndarray, "clips clips"]:
    """Return for clip i and sound j whether the own sound fits better: 1, 0, or .5 if equal.

    Args:
        shapes: Gap, height and width of the mouth of each clip [IOD].
        phones: Phones of each clip.  Sounds compete from the beginning to the end of a clip's
            own speech; other sounds begin with it and are repeated without end.
        fps: Frames per second of each clip.
        seed: Seed of the choice, if there are more than `MAX_OTHERS` other sounds.

    Returns:
        NaN where no comparison was made: the clip itself and clips that say the same.
    """
    generator = np.random.default_rng(seed)
    said = [tuple(p.name for p in clip if p.name != SILENCE) for clip in phones]
    curves = [_curve(clip) for clip in phones]
    wins = np.full((len(shapes), len(shapes)), np.nan)
    for i, (shape, rate) in enumerate(zip(shapes, fps, strict=True)):
        times, (start, end) = frame_times(len(shape), rate), spoken_span(phones[i])
        lips = quick_part(shape[:, 1:], rate)
        lips[(times < start) | (times > end)] = np.nan
        own = _fit(lips, quick_part(expected_lips(phones[i], times), rate))
        others = np.array([j for j in range(len(shapes)) if said[j] != said[i]], int)
        for j in generator.permutation(others)[:MAX_OTHERS]:
            fit = _fit(lips, quick_part(_laid_over(curves[j], times - start), rate))
            wins[i, j] = float(own > fit) + 0.5 * float(own == fit)
    return wins


def _fit(lips: Float[np.ndarray, "n 2"], expected: Float[np.ndarray, "n 2"]) -> float:
    height, width = (correlation(lips[:, k], expected[:, k]) for k in (0, 1))
    return (height + WIDTH_WEIGHT * width) / (1 + WIDTH_WEIGHT)


def _curve(phones: Sequence[Phone]) -> Float64[np.ndarray, "ticks 2"]:
    """Return what is expected from the first sound to the last one."""
    return expected_lips(phones, np.arange(*spoken_span(phones), TICK))


def _laid_over(
    curve: Float[np.ndarray, "ticks 2"], times: Float[np.ndarray, " n"]
) -> Float64[np.ndarray, "n 2"]:
    """Return the curve, repeated without end from time 0 on; silence before."""
    index = np.floor(times / TICK).astype(int)
    laid = np.asarray(curve[index % len(curve)], np.float64)
    laid[index < 0] = OPENNESS[SILENCE]
    return laid
