"""Phone times of recorded speech whose words are known, by pocketsphinx.

Needs the extra `train`.  The acoustic model and a dictionary come inside the
pocketsphinx wheel.

Reference:
    Huggins-Daines et al., PocketSphinx: a free, real-time continuous speech
    recognition system for hand-held devices, ICASSP 2006.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import DataError, MissingPiece
from facevox.core.speech import SILENCE, Phone
from facevox.core.text.sentence import Word

SAMPLE_RATE = 16_000
HOP = 0.01
"""Resolution of the aligner [s]."""

_QUOTED = 80
"""Letters of a text that a message repeats."""

_SILENT = ("SIL", "+NSN+", "+SPN+", "<sil>")


class PhoneAligner:
    """Finds when each phone of known words is heard.

    Args:
        pronunciations: Words that the built-in dictionary lacks or says
            otherwise, as upper-case ARPAbet without stress ("EY", "B IH N").

    Raises:
        MissingPiece: If pocketsphinx is not installed.
    """

    def __init__(self, pronunciations: Mapping[str, str] | None = None) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise MissingPiece(
                "Phone alignment needs pocketsphinx; run pip install 'facevox[train]'."
            ) from error
        self._decoder: Any = Decoder(lm=None, bestpath=False, loglevel="FATAL")
        self._learned: set[str] = set()
        self._alias = {word: f"{word}_own" for word in pronunciations or {}}
        for word, phones in (pronunciations or {}).items():
            self._decoder.add_word(self._alias[word], phones, False)

    def learn(self, word: str, phones: str) -> None:
        """Add a word that the dictionary lacks; one that was added before stays as it is.

        Args:
            word: As `align` will be given it.
            phones: Upper-case ARPAbet without stress.
        """
        if word not in self._learned:
            self._decoder.add_word(word, phones, False)
            self._learned.add(word)

    def align(
        self, waveform: Float32[np.ndarray, " samples"], words: Sequence[str]
    ) -> tuple[Phone, ...]:
        """Return phones (no stress) that tile the waveform, pauses included.

        Args:
            waveform: Mono samples in [-1, 1] at `SAMPLE_RATE`.
            words: What is said, in order.

        Raises:
            DataError: If the words do not fit the sound.
        """
        sound = (np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes()
        try:
            self._decoder.set_align_text(" ".join(self._alias.get(word, word) for word in words))
            self._pass(sound)
            self._decoder.set_alignment()
            self._pass(sound)
            aligned = self._decoder.get_alignment()
        except (RuntimeError, TypeError) as error:
            raise DataError(
                f"The text {_quote(words)} does not fit the sound, so that its phones have no "
                "times; check that it is what is said."
            ) from error
        found: list[Phone] = []
        index = -1
        for word in aligned:
            silent = word.name in _SILENT
            index += not silent
            for part in word:
                name = SILENCE if silent or part.name in _SILENT else part.name.lower()
                start = part.start * HOP
                found.append(
                    Phone(
                        name=name,
                        start=start,
                        end=start + part.duration * HOP,
                        word=-1 if silent else index,
                    )
                )
        if index + 1 != len(words):
            raise DataError(f"Aligned {index + 1} of {len(words)} words of {_quote(words)}.")
        return tuple(found)

    def _pass(self, sound: bytes) -> None:
        self._decoder.reinit_feat()  # a running mean would let a clip colour the next
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()


def _quote(words: Sequence[str]) -> str:
    said = " ".join(words)
    return repr(said if len(said) <= _QUOTED else f"{said[:_QUOTED]}...")


def align_text(
    waveform: Float32[np.ndarray, " samples"], words: Sequence[Word]
) -> tuple[Phone, ...]:
    """Return phones with times of a recording, given its normalised words.

    Pronunciations are those of our own reader, so that no word is unknown.

    Args:
        waveform: Mono samples in [-1, 1] at `SAMPLE_RATE`.
        words: What is said, in order.

    Raises:
        DataError: If the words do not fit the sound.
        MissingPiece: If pocketsphinx is not installed.
    """
    said = {word.text: arpabet(word.phones) for word in words}
    return PhoneAligner(said).align(waveform, [word.text for word in words])


def arpabet(phones: Sequence[str]) -> str:
    """Return phones as pocketsphinx writes them: upper case, no stress, no reduced vowel."""
    plain = (phone.rstrip("012").upper() for phone in phones)
    return " ".join("AH" if phone == "AX" else phone for phone in plain)
