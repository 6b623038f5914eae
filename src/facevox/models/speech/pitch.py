"""Measuring the fundamental frequency of a waveform.

Reference:
    De Cheveigne and Kawahara (2002), "YIN, a fundamental frequency estimator for
    speech and music", JASA 111(4), steps 1 to 3 and 5; the
    threshold of step 4 is relative to the deepest dip.
"""

import numpy as np
from jaxtyping import Float32

HOP = 0.01
"""Time between two values [s]."""

_WINDOW = 0.025
_NEARLY = 0.1
_VOICED_BELOW = 0.35
_SILENCE = 1e-4
_FRAMES_AT_ONCE = 2000


def measure_f0(
    waveform: Float32[np.ndarray, " samples"],
    sample_rate: int,
    lowest: float = 50.0,
    highest: float = 600.0,
) -> Float32[np.ndarray, " hops"]:
    """Return the fundamental frequency every 10 ms [Hz], 0 where unvoiced.

    Args:
        waveform: Mono samples.
        sample_rate: Samples per second [Hz].
        lowest: Lowest frequency looked for [Hz].
        highest: Highest one [Hz].
    """
    window = round(_WINDOW * sample_rate)
    longest = int(sample_rate / lowest) + 2
    shortest = max(2, int(sample_rate / highest))
    count = int(len(waveform) / sample_rate / HOP) + 1
    reach = window + longest
    padded = np.pad(waveform.astype(np.float64), (reach // 2, reach))
    starts = np.round(np.arange(count) * HOP * sample_rate).astype(int)
    f0 = np.zeros(count, np.float32)
    for first in range(0, count, _FRAMES_AT_ONCE):
        chosen = starts[first : first + _FRAMES_AT_ONCE]
        frames = padded[chosen[:, None] + np.arange(reach)]
        periods = _periods(frames, window, shortest, longest)
        f0[first : first + len(chosen)] = np.where(
            periods > 0, sample_rate / np.maximum(periods, 1e-9), 0.0
        )
    return f0


def _periods(frames: np.ndarray, window: int, shortest: int, longest: int) -> np.ndarray:
    """Return the period of each frame [samples], 0 where it has none."""
    difference = _normalised_difference(frames, window, longest)
    inner = difference[:, shortest : longest - 1]
    dips = (inner <= difference[:, shortest - 1 : longest - 2]) & (
        inner <= difference[:, shortest + 1 : longest]
    )
    depth = np.where(dips, inner, np.inf)
    # The first dip nearly as deep as the deepest: neither half a period nor two.
    best = (depth <= depth.min(axis=1, keepdims=True) + _NEARLY).argmax(axis=1)
    lag = best + shortest
    rows = np.arange(len(frames))
    before, here, after = (difference[rows, lag + step] for step in (-1, 0, 1))
    curve = before - 2 * here + after
    shift = np.where(curve > 1e-12, 0.5 * (before - after) / np.maximum(curve, 1e-12), 0.0)
    loud = np.sqrt(np.mean(frames[:, :window] ** 2, axis=1)) > _SILENCE
    voiced = loud & dips[rows, best] & (here < _VOICED_BELOW)
    return np.where(voiced, lag + np.clip(shift, -0.5, 0.5), 0.0)


def _normalised_difference(frames: np.ndarray, window: int, longest: int) -> np.ndarray:
    size = 1 << (frames.shape[1] + window - 1).bit_length()
    head = frames[:, :window]
    spectrum = np.fft.rfft(frames, size) * np.conj(np.fft.rfft(head, size))
    correlation = np.fft.irfft(spectrum, size)[:, :longest]
    energy = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    moving = energy[:, window : window + longest] - energy[:, :longest]
    difference = np.maximum(moving[:, :1] + moving - 2 * correlation, 0.0)
    running = np.cumsum(difference, axis=1)
    lags = np.arange(longest)
    return np.where(lags > 0, difference * lags / np.maximum(running, 1e-12), 1.0)
