"""Other speakers from a recording: played faster, a person sounds smaller and higher."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from facevox.core.waveform import resample


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignedSpeech:
    """A recording with the frames of its symbols.

    Attributes:
        waveform: Whole hops of sound.
        f0: Fundamental frequency of each frame [Hz], 0 where unvoiced.
        durations: Frames of each symbol, at least one; they sum to the frames.
    """

    waveform: Float32[np.ndarray, " samples"]
    f0: Float32[np.ndarray, " frames"]
    durations: Int[np.ndarray, " tokens"]


def resize_speaker(speech: AlignedSpeech, factor: float) -> AlignedSpeech:
    """Return the recording played `factor` times as fast: pitch and formants move with it.

    Every symbol keeps at least one frame.

    Args:
        speech: The recording.
        factor: Above 1 makes a smaller person.
    """
    if factor == 1.0:
        return speech
    hop = len(speech.waveform) // len(speech.f0)
    durations = scale_durations(speech.durations, factor)
    frames = int(durations.sum())
    sound = resample(speech.waveform, 1000.0 * factor, 1000.0)[: frames * hop]
    sound = np.pad(sound, (0, frames * hop - len(sound)))
    places = np.round((np.arange(frames) + 0.5) * factor - 0.5).astype(int)
    f0 = speech.f0[np.clip(places, 0, len(speech.f0) - 1)] * np.float32(factor)
    return AlignedSpeech(waveform=sound, f0=f0, durations=durations)


def scale_durations(
    durations: Int[np.ndarray, " tokens"], factor: float
) -> Int[np.ndarray, " tokens"]:
    """Return durations divided by `factor`; borders are rounded, none falls below a frame."""
    borders = np.round(np.cumsum(durations) / factor).astype(np.int64)
    # each border lies at least one frame behind the one before
    steps = np.arange(len(borders))
    borders = np.maximum.accumulate(np.maximum(borders, 1) - steps) + steps
    return np.diff(borders, prepend=0)
