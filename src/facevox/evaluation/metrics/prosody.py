"""Prosody: how fast a voice speaks, how high, and how lively its melody is.

    speaking rate = vowels / (time less pauses): syllables a second
    melody = 10th to 90th percentile of F0 within a sentence, in semitones, averaged

Traps: none of these has a best value.  Read speech has 4 to 6 syllables a second and a melody
of 5 to 9 semitones; a monotone voice (2) is heard as a machine.  Times come from the voice's
own phones where it gives them, from forced alignment otherwise.

Reference:
    't Hart, Collier and Cohen, A Perceptual Study of Intonation, 1990 (semitones).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from facevox.core.errors import InputError
from facevox.core.speech import SILENCE, Phone
from facevox.evaluation.media import SAMPLE_RATE, ClipMedia
from facevox.evaluation.metric import (
    Estimate,
    Figure,
    NotMeasured,
    Observation,
    Result,
    Seen,
    interval_over_people,
    mean_over_clips,
)
from facevox.models.speech.pitch_track import pitch_track

_VOWELS = frozenset("aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw".split())
_HOP = SAMPLE_RATE // 100
_FEWEST_VOICED = 10


def speaking_rate(phones: Sequence[Phone]) -> float:
    """Return vowels per second of speech, pauses left out.

    Raises:
        InputError: If no phone is spoken.
    """
    spoken = sum(phone.end - phone.start for phone in phones if phone.name != SILENCE)
    if spoken <= 0:
        raise InputError("no phone is spoken")
    return sum(phone.name in _VOWELS for phone in phones) / spoken


def melody_range(f0: Float[np.ndarray, " voiced"]) -> float:
    """Return the distance of the 10th and 90th percentile [semitones]."""
    low, high = np.percentile(f0, (10, 90))
    return float(12 * np.log2(high / low))


class Prosody:
    """Speaking rate, share of pauses, mean F0 and range of the melody."""

    name = "prosody"
    version = 1
    judges: tuple[str, ...] = ()
    uses_landmarks = False
    figures: tuple[Figure, ...] = (
        Figure(
            name="speaking rate",
            unit="syllables/s",
            better="neither",
            protocol="Vowels per second, pauses left out, by the voice's own phone times.",
            digits=2,
        ),
        Figure(
            name="pauses",
            unit="%",
            better="neither",
            protocol="Share of silence between first and last phone.",
            digits=1,
        ),
        Figure(
            name="F0",
            unit="Hz",
            better="neither",
            protocol="Geometric mean of voiced frames, then mean over sentences.",
            digits=0,
        ),
        Figure(
            name="melody",
            unit="semitones",
            better="neither",
            protocol="10th to 90th percentile of F0 within a sentence, mean over sentences.",
            digits=1,
        ),
    )
    _KEYS = ("rate", "pauses", "f0", "melody")

    def observe(self, media: ClipMedia) -> Observation:
        """Measure one clip; where too little is voiced, F0 is NaN.

        Raises:
            InputError: If the clip has no sound or no phone.
        """
        phones, waveform = media.phones, media.waveform(SAMPLE_RATE)
        spoken = [phone for phone in phones if phone.name != SILENCE]
        rate = speaking_rate(phones)
        whole = spoken[-1].end - spoken[0].start
        f0 = pitch_track(waveform, SAMPLE_RATE, len(waveform) // _HOP)
        voiced = f0[f0 > 0].astype(np.float64)
        known = len(voiced) >= _FEWEST_VOICED
        values = (
            rate,
            100 * (1 - sum(phone.end - phone.start for phone in spoken) / whole),
            float(np.exp(np.log(voiced).mean())) if known else float("nan"),
            melody_range(voiced) if known else float("nan"),
        )
        return {key: np.array(value) for key, value in zip(self._KEYS, values, strict=True)}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return means over clips."""
        return {
            figure.name: mean_over_clips(seen, key, seed=seed)
            for figure, key in zip(self.figures, self._KEYS, strict=True)
        }


class SpeakingTime:
    """Seconds of work per second of speech, noted while the sound was made."""

    name = "speaking-time"
    version = 1
    uses_facts = True
    """What was noted while a clip was made is part of what an observation depends on."""
    judges: tuple[str, ...] = ()
    uses_landmarks = False
    figures: tuple[Figure, ...] = (
        Figure(
            name="real-time factor (speech)",
            unit="",
            better="lower",
            protocol="Seconds of work per second of speech, text to waveform in this process "
            "after one warm-up sentence, all sentences added up; holds for this machine and what "
            "else ran on it.",
        ),
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Read what was noted when the clip was made.

        Raises:
            InputError: If nothing was.
        """
        facts = media.clip.facts
        if "work_seconds" not in facts:
            raise InputError("how long the work took is not known")
        return {key: np.array(float(facts[key])) for key in ("work_seconds", "seconds")}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return all work over all sound."""
        work, sound = (
            np.array([float(item.observation[key]) for item in seen])
            for key in ("work_seconds", "seconds")
        )

        def factor(chosen: np.ndarray) -> float:
            return float(work[chosen].sum() / sound[chosen].sum())

        if sound.sum() <= 0:
            return {self.figures[0].name: NotMeasured(reason="no sound was made")}
        low, high = interval_over_people(seen, factor, seed=seed)
        value = factor(np.arange(len(seen)))
        return {self.figures[0].name: Estimate(value=value, low=low, high=high, count=len(seen))}
