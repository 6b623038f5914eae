"""Vocoder parameters -> sound: harmonics plus noise, shaped by mel-cepstra.

Each harmonic of F0 gets the amplitude and the minimum phase that the mel-cepstrum
has at its frequency; white noise fills what is unvoiced, band by band.  The vocal
tract is made longer or shorter by reading the envelope at another frequency.

References:
    Tokuda et al. (1994), "Mel-generalized cepstral analysis", ICSLP (the envelope).
    Stylianou (2001), "Applying the harmonic plus noise model in concatenative speech
    synthesis", IEEE TSAP 9(1) (the excitation).
"""

import numpy as np
from jaxtyping import Float

from facevox.models.speech.flite_library import SAMPLE_RATE as MODEL_RATE
from facevox.models.speech.flite_library import Parameters

SAMPLE_RATE = 24_000
"""Samples per second of the sound [Hz]."""

HOP = 120
"""Samples between two frames: 5 ms."""

_WARP = 0.42
_SHARPENING = 0.2
_BAND_EDGES = np.array([1000.0, 2000.0, 4000.0, 6000.0])
_EDGE_WIDTH = 120.0
_HIGHEST = 7900.0
_FFT = 512
_FULL_SCALE = 32768.0


def synthesise(
    parameters: Parameters, vocal_tract: float, seed: int = 0
) -> Float[np.ndarray, " samples"]:
    """Turn one row of parameters every 5 ms into sound at 24 kHz.

    Args:
        parameters: F0 [Hz], mel-cepstra and band voicing.
        vocal_tract: Length of the vocal tract as a ratio; formants move the other way.
        seed: Seed of the noise.
    """
    cepstra = _sharpened(parameters.mel_cepstrum.astype(np.float64))
    voicing = np.clip(parameters.voicing.astype(np.float64), 0.0, 1.0)
    f0 = parameters.f0.astype(np.float64)
    sound = _noise(f0 > 0, cepstra, voicing, vocal_tract, seed)
    sound += _harmonics(f0, cepstra, voicing, vocal_tract)
    return (sound / _FULL_SCALE).astype(np.float32)


def _harmonics(
    f0: np.ndarray, cepstra: np.ndarray, voicing: np.ndarray, vocal_tract: float
) -> np.ndarray:
    voiced = f0 > 0
    spans = len(f0) - 1
    sound = np.zeros((spans, HOP))
    active = np.flatnonzero(voiced[:-1] | voiced[1:])
    if not len(active):
        return sound.ravel()
    glide = np.exp(np.interp(np.arange(len(f0)), np.flatnonzero(voiced), np.log(f0[voiced])))
    part = np.arange(HOP) / HOP
    per_sample = glide[:-1, None] * (1 - part) + glide[1:, None] * part
    cycles = (np.cumsum(per_sample.ravel()) / SAMPLE_RATE).reshape(spans, HOP)
    turn = np.exp(2j * np.pi * (cycles[active] % 1.0)).astype(np.complex64)
    rotation = np.ones_like(turn)
    rising = part.astype(np.float32)
    gain = voiced * 2.0 / np.sqrt(MODEL_RATE / (glide * vocal_tract))
    for number in range(1, int(_HIGHEST / (vocal_tract * glide[voiced].min())) + 1):
        rotation *= turn
        frequency = number * glide * vocal_tract
        envelope = _complex_envelope(cepstra, np.minimum(frequency, _HIGHEST))
        share = (voicing * _band_shares(frequency).T).sum(axis=1)
        weight = (gain * share * (frequency < _HIGHEST) * envelope).astype(np.complex64)
        moving = weight[active, None] * (1 - rising) + weight[active + 1, None] * rising
        sound[active] += (moving * rotation).real
    return sound.ravel()


def _noise(
    voiced: np.ndarray, cepstra: np.ndarray, voicing: np.ndarray, vocal_tract: float, seed: int
) -> np.ndarray:
    frames = len(cepstra)
    frequency = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE) * vocal_tract
    inside = frequency < _HIGHEST
    order = np.arange(cepstra.shape[1])
    bases = np.cos(np.outer(order, _warped(np.minimum(frequency, _HIGHEST))))
    unvoiced = 1.0 - voicing @ _band_shares(frequency) * voiced[:, None]
    # White noise of the model is spread over its own, narrower band.
    density = np.sqrt(SAMPLE_RATE * vocal_tract / MODEL_RATE)
    magnitude = np.exp(cepstra @ bases) * unvoiced * inside * density
    window = np.hanning(2 * HOP + 1)[:-1]
    white = np.random.default_rng(seed).standard_normal((frames + 1) * HOP)
    pieces = np.lib.stride_tricks.sliding_window_view(white, 2 * HOP)[::HOP][:frames] * window
    shaped = np.fft.irfft(np.fft.rfft(pieces, _FFT) * magnitude, _FFT)
    sound = np.zeros(frames * HOP + _FFT)
    for index, piece in enumerate(shaped):
        sound[index * HOP : index * HOP + _FFT] += piece
    # The window of a frame is centred one hop after its start.
    return sound[HOP : HOP + (frames - 1) * HOP]


def _sharpened(cepstra: np.ndarray) -> np.ndarray:
    """Deepen the valleys between formants, keeping the energy of each frame."""
    order = np.arange(cepstra.shape[1])
    bases = np.cos(np.outer(order, _warped(np.linspace(0.0, MODEL_RATE / 2, 257))))
    result = cepstra.copy()
    result[:, 2:] *= 1.0 + _SHARPENING
    before, after = (np.log(np.exp(2 * c @ bases).mean(axis=1)) for c in (cepstra, result))
    result[:, 0] += (before - after) / 2
    return result


def _complex_envelope(cepstra: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    angles = np.outer(_warped(frequency), np.arange(cepstra.shape[1]))
    return np.exp((cepstra * np.exp(-1j * angles)).sum(axis=1))


def _warped(frequency: np.ndarray) -> np.ndarray:
    """Return the mel-like angle of a frequency in the model's own scale [rad]."""
    angle = 2 * np.pi * frequency / MODEL_RATE
    return angle + 2 * np.arctan2(_WARP * np.sin(angle), 1 - _WARP * np.cos(angle))


def _band_shares(frequency: np.ndarray) -> np.ndarray:
    """Return how much each of the five voicing bands counts at some frequencies."""
    above = 1 / (1 + np.exp(-(frequency - _BAND_EDGES[:, None]) / _EDGE_WIDTH))
    ones, zeros = np.ones((1, len(frequency))), np.zeros((1, len(frequency)))
    return np.vstack([ones, above]) - np.vstack([above, zeros])
