"""Do lips and sound belong together, without any network?

With a text the lips are compared with what the aligned phones let one expect; without one with
the loudness between 500 and 2000 Hz, where open vowels are strong and closed lips, hisses and
murmurs are weak.  Of 150 clips of GRID the best shift lies within two frames of zero in 98 % with
phones and 88 % without; of those that are `sure` in 100 % and 96 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64
from scipy.ndimage import gaussian_filter1d

from facevox.core.speech import SILENCE, Phone
from facevox.data.speech.settings import HOP, SAMPLE_RATE
from facevox.data.speech.tokens import Tokens
from facevox.data.talking.pictures import CLOCK
from facevox.models.face.lip_fit import find_lag
from facevox.models.face.lip_shape import expected_lips, lip_shape

SURE_MARGIN = 0.1
"""How much better than elsewhere lips must fit for the shift to count."""

SHORTEST = 1.0
"""Less speech than this tells nothing [s]."""

BAND = (500.0, 2000.0)
"""Where open mouths are loud [Hz]."""

_N_FFT = 1024
_POWER = 0.25
_BLUR = 2.0
"""Width of the Gaussian over the loudness [frames of 10 ms]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundLag:
    """How lips and sound of a clip belong together.

    Attributes:
        frames: By how many pictures the lips are late, negative if early; NaN if they do not
            move.
        fit: How well they fit at that shift, -1 to 1.
        sure: Whether the shift can be relied on.
    """

    frames: float
    fit: float
    sure: bool


def phones_of_tokens(tokens: Tokens) -> tuple[Phone, ...]:
    """Return the phones of a recording with times [s]; punctuation is silence."""
    ends = np.cumsum(tokens.durations) * HOP / SAMPLE_RATE
    starts = np.concatenate([[0.0], ends[:-1]])
    return tuple(
        Phone(
            name=symbol.rstrip("012") if word >= 0 else SILENCE,
            start=float(start),
            end=float(end),
        )
        for symbol, word, start, end in zip(tokens.symbols, tokens.words, starts, ends, strict=True)
    )


def measure_lag(
    landmarks: Float32[np.ndarray, "frames 478 3"],
    waveform: Float32[np.ndarray, " samples"],
    phones: Sequence[Phone],
    first: int,
) -> SoundLag:
    """Return by how many pictures lips are late.

    Args:
        landmarks: Of every picture [px], NaN where the face was lost.
        waveform: The sound at 16 kHz.
        phones: What is said, with times in the sound [s]; empty if not known.
        first: Picture of the sound's timeline that is the first of `landmarks`.
    """
    fps = float(CLOCK.fps)
    late = first / fps
    if phones:
        spoken = sum(phone.end - phone.start for phone in phones if phone.name != SILENCE)

        def expected(times: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n 2"]:
            return expected_lips(phones, times + late)
    else:
        loud = open_loudness(waveform)
        spoken = len(loud) * HOP / SAMPLE_RATE
        ticks = (np.arange(len(loud)) + 0.5) * HOP / SAMPLE_RATE

        def expected(times: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n 2"]:
            return np.stack([np.interp(times + late, ticks, loud), np.zeros(len(times))], 1)

    found = find_lag(lip_shape(landmarks, fps), expected, fps)
    sure = found.margin >= SURE_MARGIN and spoken >= SHORTEST
    return SoundLag(frames=found.seconds * fps, fit=found.fit, sure=bool(sure))


def open_loudness(waveform: Float32[np.ndarray, " samples"]) -> Float64[np.ndarray, " frames"]:
    """Return how loud the band of open vowels is every 10 ms, compressed and smoothed."""
    count = len(waveform) // HOP
    reach = (_N_FFT - HOP) // 2
    padded = np.pad(waveform, (reach, reach + HOP))
    places = np.arange(count)[:, None] * HOP + np.arange(_N_FFT)
    window = np.zeros(_N_FFT)
    window[_N_FFT // 2 - 280 : _N_FFT // 2 + 280] = np.hanning(560)
    power = np.abs(np.fft.rfft(padded[places] * window)) ** 2
    hertz = np.fft.rfftfreq(_N_FFT, 1 / SAMPLE_RATE)
    band: Float[np.ndarray, " frames"] = power[:, (hertz >= BAND[0]) & (hertz < BAND[1])].sum(1)
    return np.asarray(gaussian_filter1d(band**_POWER, _BLUR), np.float64)
