"""Where speech begins and ends, and recordings cut there with a little silence around."""

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import minimum_filter1d

from facevox.data.speech.settings import HOP

_SPEECH_RANGE = 30.0
"""Speech is at most so far below the loud frames [dB]."""

_ABOVE_NOISE = 0.35
"""Least place of speech between the quiet and the loud frames."""

_RUN = 6
"""Frames that must be loud in a row, so that clicks are no speech."""

_NOISE_LENGTH = 640
_FADE = 80


def frame_levels(waveform: Float32[np.ndarray, " samples"]) -> Float32[np.ndarray, " frames"]:
    """Return the level of each whole frame of 10 ms [dB]."""
    count = len(waveform) // HOP
    parts = waveform[: count * HOP].astype(np.float64).reshape(count, HOP)
    return (10 * np.log10(np.mean(parts**2, axis=1) + 1e-12)).astype(np.float32)


def speech_span(waveform: Float32[np.ndarray, " samples"]) -> tuple[int, int]:
    """Return the frames between which speech is loud; (0, 0) if nothing is."""
    levels = frame_levels(waveform)
    if len(levels) < _RUN:
        return 0, 0
    loud, quiet = (float(np.percentile(levels, share)) for share in (95, 3))
    active = levels > max(loud - _SPEECH_RANGE, quiet + _ABOVE_NOISE * (loud - quiet))
    runs = minimum_filter1d(active.astype(np.int8), _RUN, mode="constant")
    places = np.flatnonzero(runs)
    if not len(places):
        return 0, 0
    return int(places[0]) - _RUN // 2, int(places[-1]) + _RUN - _RUN // 2


def cut_frames(
    waveform: Float32[np.ndarray, " samples"],
    first: int,
    last: int,
    generator: np.random.Generator,
) -> Float32[np.ndarray, " cut"]:
    """Return the frames `first` to `last`; beyond the recording its own quiet noise goes on.

    Args:
        waveform: The recording.
        first: First frame; may be negative.
        last: Frame after the last; may lie beyond the end.
        generator: Source of the noise.
    """
    start, end = first * HOP, last * HOP
    inner = waveform[max(0, start) : min(end, len(waveform))]
    before, after = max(0, -start), max(0, end - len(waveform))
    if not before and not after:
        return inner.copy()
    noise = _like_the_quietest(waveform, before + after + 2 * _FADE, generator)
    joined = np.concatenate([np.zeros(before, np.float32), inner, np.zeros(after, np.float32)])
    rise = np.linspace(0, 1, _FADE, dtype=np.float32)
    if before:
        joined[before : before + _FADE] *= rise[: len(inner)]
        joined[: before + _FADE] += noise[: before + _FADE] * _held(rise[::-1], before)
    if after:
        cut = len(joined) - after
        joined[cut - _FADE : cut] *= rise[::-1][-len(inner) :]
        tail = noise[-(after + _FADE) :]
        joined[cut - _FADE :] += tail * _held(rise[::-1], after)[::-1]
    return joined


def _held(fall: np.ndarray, count: int) -> np.ndarray:
    """Return ones followed by a fall."""
    return np.concatenate([np.ones(count, np.float32), fall])


def _like_the_quietest(
    waveform: Float32[np.ndarray, " samples"], count: int, generator: np.random.Generator
) -> Float32[np.ndarray, " noise"]:
    """Return noise with the spectrum of the quietest 40 ms of a recording."""
    length = min(_NOISE_LENGTH, len(waveform))
    starts = np.arange(0, len(waveform) - length + 1, max(1, length // 4))
    energy = np.cumsum(np.pad(waveform.astype(np.float64) ** 2, (1, 0)))
    power = energy[starts + length] - energy[starts]
    # stretches of digital silence say nothing of the room
    power = np.where(power > 1e-9 * length, power, np.inf)
    if not np.isfinite(power).any():
        return np.zeros(count, np.float32)
    quiet = waveform[starts[power.argmin()] :][:length]
    window = np.hanning(length)
    spectrum = np.abs(np.fft.rfft(quiet * window)) / np.sqrt(np.sum(window**2))
    white = np.fft.rfft(generator.standard_normal(count))
    places = np.linspace(0, len(spectrum) - 1, len(white))
    return np.fft.irfft(white * np.interp(places, range(len(spectrum)), spectrum), count).astype(
        np.float32
    )
