"""What the voice does that head and brows answer to: accents, phrase ends, questions."""

from dataclasses import dataclass

import numpy as np

from facevox.core.speech import SILENCE, Phone, Speech
from facevox.models.face.phone_features import loudness

F0_RATE = 100
"""Values of `Speech.f0` per second."""

QUESTION_RISE = 0.06
"""Rise of log F0 over the last voiced stretch that sounds like a question."""

_TAIL = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Accent:
    """A stressed vowel: its middle [s], how much it stands out (0 to 1), its word."""

    time: float
    strength: float
    word: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A silence between or after words [s]."""

    start: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Prosody:
    """The prosody of one sentence, times from its own start [s].

    Attributes:
        accents: Stressed vowels in order.
        pauses: Silences in order.
        speech_end: End of the last sound.
        rising: Whether the melody ends upwards, as questions do.
    """

    accents: tuple[Accent, ...]
    pauses: tuple[Pause, ...]
    speech_end: float
    rising: bool


def read_prosody(speech: Speech) -> Prosody:
    """Measure the prosody of one sentence."""
    spoken = [phone for phone in speech.phones if phone.name != SILENCE]
    pauses = [phone for phone in speech.phones if phone.name == SILENCE]
    return Prosody(
        accents=_accents(speech, [phone for phone in spoken if phone.stress == 1]),
        pauses=tuple(Pause(start=phone.start, end=phone.end) for phone in pauses),
        speech_end=spoken[-1].end if spoken else 0.0,
        rising=_rises(speech, spoken[-1].end) if spoken else False,
    )


def _standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(float(values.std()), 1e-3)


def _accents(speech: Speech, vowels: list[Phone]) -> tuple[Accent, ...]:
    """Rank stressed vowels by pitch, loudness and length within the sentence."""
    if not vowels:
        return ()
    middles = np.array([(vowel.start + vowel.end) / 2 for vowel in vowels])
    lengths = np.log(np.maximum([vowel.end - vowel.start for vowel in vowels], 0.02))
    levels = loudness(speech.waveform, speech.sample_rate, middles.astype(np.float32))
    pitches = np.array([_mean_log_f0(speech.f0, vowel.start, vowel.end) for vowel in vowels])
    voiced = pitches[pitches > 0]
    pitches = np.where(pitches > 0, pitches, voiced.mean() if len(voiced) else 0.0)
    score = _standardised(pitches) + 0.7 * _standardised(levels) + 0.5 * _standardised(lengths)
    strength = 1 / (1 + np.exp(-score))
    return tuple(
        Accent(time=float(time), strength=float(value), word=vowel.word)
        for time, value, vowel in zip(middles, strength, vowels, strict=True)
    )


def _mean_log_f0(f0: np.ndarray, start: float, end: float) -> float:
    part = f0[int(start * F0_RATE) : int(np.ceil(end * F0_RATE)) + 1]
    part = part[part > 0]
    return float(np.log(part).mean()) if len(part) else 0.0


def _rises(speech: Speech, end: float) -> bool:
    part = speech.f0[max(0, int((end - _TAIL) * F0_RATE)) : int(np.ceil(end * F0_RATE)) + 1]
    part = np.log(part[part > 0])
    if len(part) < 6:
        return False
    third = len(part) // 3
    return bool(part[-third:].mean() - part[:third].mean() > QUESTION_RISE)
