"""Mel-frequency cepstra exactly as SyncNet was trained on them.

They equal the defaults of the package python_speech_features 0.6: 25 ms windows without
taper every 10 ms, 512-point spectrum, 26 triangles whose corners lie on whole bins, sine
lifter, and the log energy of the window in place of the zeroth coefficient.

Reference:
    Davis and Mermelstein, Comparison of parametric representations for monosyllabic word
    recognition in continuously spoken sentences, IEEE TASSP 1980.
"""

from functools import cache

import numpy as np
from jaxtyping import Float, Float64
from scipy.fft import dct

SAMPLE_RATE = 16_000
NUM_COEFFICIENTS = 13
WINDOW, STEP = 400, 160
"""Length of a window and distance between two [samples]."""

_BINS = 512
_NUM_FILTERS = 26
_PREEMPHASIS = 0.97
_LIFTER = 22
_FULL_SCALE = 32_768.0
_TINY = float(np.finfo(np.float64).eps)


def mfcc(waveform: Float[np.ndarray, " samples"]) -> Float64[np.ndarray, "windows 13"]:
    """Return 13 cepstra every 10 ms.

    Args:
        waveform: Sound in [-1, 1] at 16 kHz; it is rounded to 16 bit first, because the
            zeroth coefficient is a log energy on that scale.

    Returns:
        One row per window; the last window is filled up with zeros.
    """
    samples = np.clip(np.rint(waveform * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
    samples = samples.astype(np.float64)
    sharpened = np.append(samples[:1], samples[1:] - _PREEMPHASIS * samples[:-1])
    power = np.abs(np.fft.rfft(_windows(sharpened), _BINS)) ** 2 / _BINS
    energy = power.sum(1)
    filtered = power @ _triangles().T
    cepstra = dct(np.log(_without_zeros(filtered)), type=2, axis=1, norm="ortho")
    cepstra = cepstra[:, :NUM_COEFFICIENTS]
    orders = np.arange(NUM_COEFFICIENTS)
    cepstra = cepstra * (1 + _LIFTER / 2 * np.sin(np.pi * orders / _LIFTER))
    cepstra[:, 0] = np.log(_without_zeros(energy))
    return cepstra


def _windows(samples: Float64[np.ndarray, " samples"]) -> Float64[np.ndarray, "windows 400"]:
    count = 1 + max(0, -(-(len(samples) - WINDOW) // STEP))
    padded = np.zeros((count - 1) * STEP + WINDOW)
    padded[: len(samples)] = samples
    return np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP]


@cache
def _triangles() -> Float64[np.ndarray, "filters bins"]:
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, _NUM_FILTERS + 2) / 2595) - 1)
    corners = np.floor((_BINS + 1) * corners / SAMPLE_RATE)
    low, centre, high = (corners[k : k + _NUM_FILTERS, None] for k in range(3))
    bins = np.arange(_BINS // 2 + 1)
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    return np.where(
        (bins >= low) & (bins < centre),
        rising,
        np.where((bins >= centre) & (bins < high), falling, 0.0),
    )


def _without_zeros(power: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    return np.where(power == 0, _TINY, power)
