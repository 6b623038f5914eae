"""Steady background noise taken out of a recording, so that a model does not learn it.

Reference:
    Boll, Suppression of acoustic noise in speech using spectral subtraction, IEEE TASSP 1979;
    gains are averaged over neighbours in time and frequency against musical noise.
"""

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import uniform_filter
from scipy.signal import istft, stft

_FRAME, _OVERLAP = 512, 384
_QUIETEST = 8.0
"""Percentile of the power of a bin over time that is taken for noise."""

_ABOVE = 1.3
_SHORTEST = 2 * _FRAME


def gate_noise(
    waveform: Float32[np.ndarray, " samples"],
    sample_rate: int,
    strength: float = 2.0,
    floor: float = -18.0,
) -> Float32[np.ndarray, " samples"]:
    """Return the recording with its steady noise lowered.

    Args:
        waveform: Speech with pauses; too short a clip is returned as it is.
        sample_rate: Samples per second [Hz].
        strength: How many times the noise's power is subtracted.
        floor: Lowest gain [dB].
    """
    if len(waveform) < _SHORTEST:
        return waveform
    _, _, spectrum = stft(waveform, sample_rate, nperseg=_FRAME, noverlap=_OVERLAP)
    power = np.abs(spectrum) ** 2
    quiet = np.percentile(uniform_filter(power, (1, 9)), _QUIETEST, axis=1) * _ABOVE
    noise = np.exp(uniform_filter(np.log(quiet + 1e-12), 9, mode="nearest"))[:, None]
    seen = uniform_filter(power, (3, 3))
    gain = np.clip(1 - strength * noise / (seen + 1e-12), 10 ** (floor / 10), 1)
    gain = np.sqrt(uniform_filter(gain, (3, 3)))
    _, quieter = istft(spectrum * gain, sample_rate, nperseg=_FRAME, noverlap=_OVERLAP)
    return quieter[: len(waveform)].astype(np.float32)
