"""Spoken text: a waveform and the times of its phones."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

SILENCE = "pau"
"""Phone name of a pause."""

PHONES = tuple(
    "aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th "
    "uh uw v w y z zh".split(" ")
)
"""Lower-case ARPAbet, as in the CMU dictionary plus the reduced vowel `ax`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Phone:
    """One phone and when it is heard.

    Attributes:
        name: One of `PHONES`, or `SILENCE`.
        start: First instant [s].
        end: Last instant [s]; equals the next phone's start.
        stress: 0 none, 1 primary, 2 secondary (vowels only).
        word: Index of the word in the sentence, -1 for a pause.
    """

    name: str
    start: float
    end: float
    stress: int = 0
    word: int = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Speech:
    """A stretch of speech, usually one sentence.

    Attributes:
        waveform: Mono samples in [-1, 1].
        sample_rate: Samples per second [Hz].
        phones: Phones in order; they tile [0, duration] without gaps.
        f0: Fundamental frequency every 10 ms [Hz], 0 where unvoiced.
        words: The words as spoken, for captions and reports.
    """

    waveform: Float32[np.ndarray, " samples"]
    sample_rate: int
    phones: tuple[Phone, ...]
    f0: Float32[np.ndarray, " hops"]
    words: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Length [s]."""
        return len(self.waveform) / self.sample_rate
