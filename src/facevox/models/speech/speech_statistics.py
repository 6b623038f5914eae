"""What a stretch of speech sounds like on the whole: statistics of its spectrum.

Of 2-3 s they tell the length of the vocal tract, the source and the habits of a speaker;
what was said averages out.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64
from torch import Tensor

from facevox.models.speech.kaldi_fbank import kaldi_fbank

FRAME_STEP = 2
"""Of the filter bank's frames every second one is used."""

NUM_MELS = 80
NUM_CEPSTRA = 40
NUM_SHAPE = 29
"""Cepstra of each of the `QUANTILES` of the bands."""

QUANTILES = (10, 50, 90)
NUM_STATISTICS = 3 * NUM_CEPSTRA - 1 + len(QUANTILES) * NUM_SHAPE

_GATE_WINDOW = 320
_GATE_RANGE = 35.0
_GATE_SPREAD = 5


def bands(waveforms: Float32[Tensor, "batch samples"]) -> Float32[Tensor, "batch frames 80"]:
    """Return log energies of mel bands, every 20 ms."""
    return kaldi_fbank(waveforms, NUM_MELS)[:, ::FRAME_STEP]


def speech_statistics(frames: Float32[Tensor, "batch frames 80"]) -> Float64[np.ndarray, "batch n"]:
    """Return `NUM_STATISTICS` numbers of each stretch.

    Mean (without level) and spread of the cepstra of the louder frames, spread of their
    changes from frame to frame, and the cepstra of the quantiles of each band over time.
    """
    return np.stack([_statistics(one.astype(np.float64)) for one in frames.numpy()])


def without_pauses(
    waveform: Float32[np.ndarray, " samples"],
) -> Float32[np.ndarray, " speech"]:
    """Return the stretches at most 35 dB below the loudest 20 ms, with 0.1 s around each."""
    loud = _loud(waveform)
    spread = np.convolve(loud, np.ones(2 * _GATE_SPREAD + 1), "same") > 0 if loud.any() else loud
    kept = np.repeat(spread, _GATE_WINDOW)[: len(waveform)]
    return waveform[: len(kept)][kept]


def _statistics(frames: Float64[np.ndarray, "frames 80"]) -> Float64[np.ndarray, " n"]:
    from scipy.fft import dct

    energy = frames.mean(1)
    louder = energy > np.median(energy) - 1.0
    cepstra = dct(frames, norm="ortho", axis=1)[:, :NUM_CEPSTRA]
    shape = np.percentile(frames[louder], QUANTILES, axis=0)
    shape = dct(shape - shape.mean(1, keepdims=True), norm="ortho", axis=1)
    chosen = cepstra[louder]
    return np.concatenate(
        [
            chosen.mean(0)[1:],
            chosen.std(0),
            np.diff(cepstra, axis=0).std(0),
            shape[:, 1 : NUM_SHAPE + 1].ravel(),
        ]
    )


def _loud(waveform: Float32[np.ndarray, " samples"]) -> Bool[np.ndarray, " windows"]:
    count = len(waveform) // _GATE_WINDOW
    parts = waveform[: count * _GATE_WINDOW].astype(np.float64).reshape(count, _GATE_WINDOW)
    power = np.mean(parts**2, axis=1)
    if not count or power.max() <= 0:
        return np.zeros(count, bool)
    return power > power.max() * 10 ** (-_GATE_RANGE / 10)
