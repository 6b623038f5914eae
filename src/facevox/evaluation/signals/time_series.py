"""Curves over time with holes: filling, resampling, spectra.

Whatever is measured frame by frame has holes where the face was lost.  Short ones are
bridged, long ones cut the curve in pieces, and every figure says so.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float64
from scipy.signal import periodogram

from facevox.core.errors import InputError

RATE = 25
"""Rate at which motion is compared [Hz]: spectra and derivatives depend on it."""

LONGEST_HOLE = 0.12
"""Holes up to this long are bridged by straight lines [s]."""


def bridge(values: Float[np.ndarray, "frames k"], longest: int) -> Float64[np.ndarray, "frames k"]:
    """Return the curves with inner holes of up to `longest` frames filled by straight lines.

    Args:
        values: Curves; a frame with any NaN is a hole.
        longest: Longest hole that is filled [frames].
    """
    filled = np.array(values, np.float64)
    found = np.flatnonzero(np.isfinite(filled).all(1))
    for before, after in pairwise(found):
        if 1 < after - before <= longest + 1:
            part = np.arange(1, after - before)[:, None] / (after - before)
            filled[before + 1 : after] = (1 - part) * filled[before] + part * filled[after]
    return filled


def pieces(
    values: Float[np.ndarray, "frames k"],
    fps: Fraction | float | int,
    *,
    shortest: float,
    rate: int = RATE,
) -> list[Float64[np.ndarray, "_ k"]]:
    """Return the stretches without holes, resampled to one rate.

    Args:
        values: Curves; a frame with any NaN is a hole.
        fps: Their frames per second.
        shortest: Shorter stretches are left out [s].
        rate: Rate of the result [Hz].

    Raises:
        InputError: If the frame rate is below 24 (film's 23.976 counts as that): what happens
            between frames is not seen.
    """
    if round(fps) < rate - 1:
        raise InputError(f"motion is compared at {rate} Hz; the video has {float(fps):g} fps")
    filled = bridge(values, round(LONGEST_HOLE * float(fps)))
    whole = np.isfinite(filled).all(1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], whole, [False]]).astype(int)))
    stretches = [filled[a:b] for a, b in edges.reshape(-1, 2)]
    made = [_resampled(stretch, fps, rate) for stretch in stretches]
    return [stretch for stretch in made if len(stretch) >= shortest * rate]


def windows(curve: Float[np.ndarray, "n k"], length: int) -> Iterator[Float[np.ndarray, "m k"]]:
    """Yield stretches of equal length, half overlapping; the last one ends at the end."""
    if len(curve) < length:
        return
    starts = [*range(0, len(curve) - length, max(1, length // 2)), len(curve) - length]
    for start in starts:
        yield curve[start : start + length]


def spectrum(
    curve: Float[np.ndarray, "n k"], rate: int = RATE
) -> tuple[Float64[np.ndarray, " bins"], Float64[np.ndarray, "bins k"]]:
    """Return frequencies [Hz] and power density [unit^2 / Hz] of each curve.

    A straight line is taken off and a Hann window laid over, so that slow drift does not
    leak into high frequencies.  The integral over all frequencies is the variance.
    """
    frequencies, power = periodogram(
        np.asarray(curve, np.float64), rate, window="hann", detrend="linear", axis=0
    )
    return np.asarray(frequencies, np.float64), np.asarray(power, np.float64)


def power_between(
    frequencies: Float[np.ndarray, " bins"],
    power: Float[np.ndarray, "bins k"],
    low: float,
    high: float = np.inf,
) -> Float64[np.ndarray, " k"]:
    """Return the power from `low` to `high` [Hz] of each curve [unit^2]."""
    inside = (frequencies >= low) & (frequencies <= high)
    step = float(frequencies[1] - frequencies[0])
    return np.asarray(power[inside].sum(0) * step, np.float64)


def _resampled(
    curve: Float64[np.ndarray, "n k"], fps: Fraction | float | int, rate: int
) -> Float64[np.ndarray, "m k"]:
    if fps == rate:
        return curve
    times = np.arange(len(curve)) / float(fps)
    wanted = np.arange(int(np.floor(times[-1] * rate + 1e-6)) + 1) / rate
    return np.stack([np.interp(wanted, times, column) for column in curve.T], 1)
