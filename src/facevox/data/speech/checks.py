"""What is measured of a recording, and when sound or text is not good enough to learn from."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import DataError
from facevox.core.waveform import active_level
from facevox.data.speech.alignment import SHORTEST_PHONE, Segment
from facevox.data.speech.edges import frame_levels
from facevox.data.speech.settings import HOP, SAMPLE_RATE, PrepareSettings

_FLAT = 0.998
_FLAT_RUN = 3
_QUIETEST = -70.0
"""Speech below this level is none [dB]."""

_N_FFT = 1024
_BAND = 250.0
_BAND_RANGE = 62.0
"""Bands this far below the strongest hold no speech [dB]."""

_VOICED = (0.15, 0.98)
"""Share of the loud frames that is voiced in speech; noise has less, tones have more."""

_LOCAL = 60
"""Frames over which the text must fit everywhere."""

_FEW_PHONES = 10
_LEAST_CHANGE = 2.0
"""Speech is loud and soft, several times a second: mean change of level over 50 ms [dB]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundFacts:
    """What was measured before the level was changed.

    Attributes:
        level: Level of the speech [dB].
        snr: Level of the speech above the quietest twentieth of the frames [dB].
        bandwidth: Highest frequency that holds speech [Hz].
        clipped: Share of samples on a flat top.
        change: Mean change of the level over 50 ms [dB].
    """

    level: float
    snr: float
    bandwidth: float
    clipped: float
    change: float


def measure_sound(waveform: Float32[np.ndarray, " samples"]) -> SoundFacts:
    """Measure a recording at 16 kHz."""
    level = active_level(waveform, SAMPLE_RATE)
    if not np.isfinite(level) or level < _QUIETEST:
        return SoundFacts(level=-np.inf, snr=0.0, bandwidth=0.0, clipped=0.0, change=0.0)
    levels = frame_levels(waveform).astype(np.float64)
    return SoundFacts(
        level=level,
        snr=level - float(np.percentile(levels, 5)),
        bandwidth=_bandwidth(waveform),
        clipped=_clipped(waveform),
        change=_mean_change(levels, level),
    )


def fault_of_sound(facts: SoundFacts, settings: PrepareSettings) -> tuple[str, str] | None:
    """Return reason and detail if the sound is not good enough."""
    if not np.isfinite(facts.level):
        return "silent", "nothing is louder than -70 dB"
    if facts.clipped > settings.most_clipped:
        return "clipped", f"{facts.clipped:.2%} of the samples are cut off"
    if facts.snr < settings.least_snr:
        return "noisy", f"speech is only {facts.snr:.0f} dB above the pauses"
    if facts.bandwidth < settings.least_bandwidth:
        return "narrow band", f"nothing above {facts.bandwidth:.0f} Hz"
    return None


def fault_of_voice(f0: Float32[np.ndarray, " frames"], level_change: float) -> str | None:
    """Return what is heard instead of speech, if it is not speech."""
    voiced = float(np.mean(f0 > 0)) if len(f0) else 0.0
    if voiced < _VOICED[0]:
        return f"only {voiced:.0%} is voiced, as in noise"
    if voiced > _VOICED[1]:
        return f"{voiced:.0%} is voiced without a break, as in music"
    if level_change < _LEAST_CHANGE:
        return f"the level changes by {level_change:.1f} dB only, as in music or noise"
    return None


def check_alignment(spoken: list[Segment], settings: PrepareSettings) -> float:
    """Return how well the phones fit.

    Args:
        spoken: The phones, pauses left out.
        settings: What is asked of them.

    Raises:
        DataError: If they fit too badly, anywhere, or have impossible durations.
    """
    frames = np.array([segment.end - segment.start for segment in spoken])
    fits = np.array([segment.fit for segment in spoken])
    fit = float((fits * frames).sum() / frames.sum())
    if fit < settings.least_fit:
        raise DataError(f"The words are not those of the sound (fit {fit:.0f}).")
    local = _worst_stretch(fits, frames)
    if local < settings.least_local_fit:
        raise DataError(f"Some words are not those of the sound (fit {local:.0f}).")
    short = float((frames <= SHORTEST_PHONE).mean())
    if len(spoken) >= _FEW_PHONES and short > settings.most_shortest_phones:
        raise DataError(f"{short:.0%} of the phones have the shortest length there is.")
    longest = frames.max() * HOP / SAMPLE_RATE
    if longest > settings.longest_phone:
        raise DataError(f"A phone lasts {longest:.2f} s.")
    rate = len(frames) / (frames.sum() * HOP / SAMPLE_RATE)
    if not settings.phone_rate[0] <= rate <= settings.phone_rate[1]:
        raise DataError(f"There are {rate:.1f} phones per second.")
    return fit


def _worst_stretch(fits: np.ndarray, frames: np.ndarray) -> float:
    """Return the least mean fit over any `_LOCAL` frames of speech."""
    each = np.repeat(fits, frames)
    length = min(_LOCAL, len(each))
    total = np.cumsum(np.pad(each, (1, 0)))
    return float(((total[length:] - total[:-length]) / length).min())


def _mean_change(levels: np.ndarray, level: float) -> float:
    """Return how much the level of loud frames differs from that 50 ms before [dB]."""
    smooth = np.convolve(levels, np.ones(3) / 3, "valid") if len(levels) > 2 else levels
    loud = smooth[5:] > level - 30
    return float(np.abs(smooth[5:] - smooth[:-5])[loud].mean()) if loud.any() else 0.0


def _clipped(waveform: Float32[np.ndarray, " samples"]) -> float:
    size = np.abs(waveform)
    flat = size >= _FLAT * size.max()
    runs = np.convolve(flat, np.ones(_FLAT_RUN), "same") >= _FLAT_RUN
    return float(runs.mean())


def _bandwidth(waveform: Float32[np.ndarray, " samples"]) -> float:
    count = (len(waveform) - _N_FFT) // (_N_FFT // 2) + 1
    if count < 1:
        return 0.0
    places = np.arange(count)[:, None] * (_N_FFT // 2) + np.arange(_N_FFT)
    power = np.abs(np.fft.rfft(waveform[places] * np.hanning(_N_FFT))) ** 2
    # each band where it is strongest: fricatives are rare
    strong = np.percentile(power, 95, axis=0)
    width = round(_BAND / (SAMPLE_RATE / _N_FFT))
    bands = strong[: len(strong) // width * width].reshape(-1, width).mean(axis=1)
    decibels = 10 * np.log10(bands + 1e-20)
    held = np.flatnonzero(decibels > decibels.max() - _BAND_RANGE)
    return float((held[-1] + 1) * width * SAMPLE_RATE / _N_FFT)
