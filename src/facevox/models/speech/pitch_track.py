"""The fundamental frequency at mel frames, without slips of an octave and single frames."""

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import median_filter

from facevox.models.speech.pitch import HOP, measure_f0

_SHORTEST = 3
"""Voiced stretches of fewer frames are taken for noise."""

_OCTAVE_SLIP = 0.65
"""Distance from the speaker's median at which half or double is tried [octaves]."""


def pitch_track(
    waveform: Float32[np.ndarray, " samples"], sample_rate: int, num_frames: int
) -> Float32[np.ndarray, " frames"]:
    """Return F0 at the centres of 10 ms frames [Hz], 0 where unvoiced.

    Args:
        waveform: Speech of one person.
        sample_rate: Samples per second [Hz].
        num_frames: How many frames; frame m is centred at (m + 0.5) * 10 ms.
    """
    rough = measure_f0(waveform, sample_rate)
    steady = _without_slips(rough)
    times = (np.arange(num_frames) + 0.5) * HOP
    before = np.clip(np.floor(times / HOP).astype(int), 0, len(steady) - 1)
    after = np.clip(before + 1, 0, len(steady) - 1)
    left, right = steady[before], steady[after]
    both = (left > 0) & (right > 0)
    between = np.sqrt(np.where(both, left * right, 0.0))
    return np.where(both, between, 0.0).astype(np.float32)


def _without_slips(f0: np.ndarray) -> np.ndarray:
    voiced = f0 > 0
    if voiced.sum() < 2 * _SHORTEST:
        return np.zeros_like(f0)
    octaves = np.log2(np.where(voiced, f0, 1.0))
    middle = np.median(octaves[voiced])
    for _ in range(2):
        away = octaves - middle
        octaves = np.where(away > _OCTAVE_SLIP, octaves - 1, octaves)
        octaves = np.where(away < -_OCTAVE_SLIP, octaves + 1, octaves)
    # what is still far away is a wrong guess, not a melody
    voiced = voiced & (np.abs(octaves - middle) < 1.0)
    filled = np.interp(np.arange(len(f0)), np.flatnonzero(voiced), octaves[voiced])
    smooth = median_filter(filled, 5, mode="nearest")
    voiced &= np.abs(smooth - filled) < 0.2
    return np.where(_long_runs(voiced), 2.0**smooth, 0.0)


def _long_runs(voiced: np.ndarray) -> np.ndarray:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], voiced, [False]]).astype(int)))
    kept = np.zeros_like(voiced)
    for start, end in edges.reshape(-1, 2):
        kept[start:end] = end - start >= _SHORTEST
    return kept
