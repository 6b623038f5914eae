"""When each phone of a transcript is heard, to the frame.

A decoder is made for each utterance: pocketsphinx carries a little from one utterance to the
next, enough to move one border in a hundred by a frame, and what a clip becomes must not
depend on which clips came before it.  With a dictionary of just these words a decoder is made
in 7 ms; with its own of 134,000 words it takes 90 ms.

Needs the extra `train`.

Reference:
    Huggins-Daines et al., PocketSphinx, ICASSP 2006.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import DataError, MissingPiece
from facevox.core.speech import SILENCE
from facevox.core.text.sentence import Word

SHORTEST_PHONE = 3
"""Frames of the shortest phone that the aligner can find: one a state."""

_BEAMS = {"beam": 1e-80, "wbeam": 1e-60, "pbeam": 1e-80}
"""Wider than usual, for a tenth of the time: the usual ones lose the path now and then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One phone or pause.

    Attributes:
        symbol: Phone with stress as in `Word.phones`, or `pau`.
        word: Index of the word; -1 for a pause.
        start: First frame of 10 ms.
        end: Frame after the last.
        fit: Log-likelihood per frame, relative; 0 is best.
    """

    symbol: str
    word: int
    start: int
    end: int
    fit: float = 0.0


def align_words(
    waveform: Float32[np.ndarray, " samples"], words: Sequence[Word]
) -> tuple[Segment, ...]:
    """Return phones and pauses in order, without gaps from frame 0 on.

    Args:
        waveform: Mono samples in [-1, 1] at 16 kHz.
        words: What is said; their own phones are taken, stress included.

    Raises:
        DataError: If the words do not fit the sound.
        MissingPiece: If pocketsphinx is not installed.
    """
    sound = (np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes()
    try:
        found = _align(sound, words)
    except RuntimeError as error:
        raise DataError("The text does not fit the sound.") from error
    segments = tuple(_segments(found, words))
    if len({segment.word for segment in segments if segment.word >= 0}) != len(words):
        raise DataError("The text does not fit the sound: words are left over.")
    return segments


def _align(sound: bytes, words: Sequence[Word]) -> list[Any]:
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise MissingPiece(
            "Aligning texts needs pocketsphinx; run pip install 'facevox[train]'."
        ) from error
    said = [_arpabet(word.phones) for word in words]
    names = {phones: f"w{index}" for index, phones in enumerate(dict.fromkeys(said))}
    with tempfile.TemporaryDirectory(prefix="facevox-") as folder:
        path = Path(folder) / "words.dict"
        path.write_text("".join(f"{name} {phones}\n" for phones, name in names.items()))
        decoder = Decoder(lm=None, bestpath=False, loglevel="FATAL", dict=str(path), **_BEAMS)
    decoder.set_align_text(" ".join(names[phones] for phones in said))
    _hear(decoder, sound)
    decoder.set_alignment()
    _hear(decoder, sound)
    found = decoder.get_alignment()
    if found is None:
        raise RuntimeError("no alignment")
    return [(word.name, list(word)) for word in found]


def _hear(decoder: Any, sound: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


def _segments(found: list[Any], words: Sequence[Word]) -> Iterator[Segment]:
    index = -1
    for name, parts in found:
        spoken = name.startswith("w")
        index += spoken
        if spoken and (index >= len(words) or len(parts) != len(words[index].phones)):
            raise DataError("The text does not fit the sound: its phones were not found.")
        for place, part in enumerate(parts):
            yield Segment(
                symbol=words[index].phones[place] if spoken else SILENCE,
                word=index if spoken else -1,
                start=part.start,
                end=part.start + part.duration,
                fit=part.score / max(1, part.duration),
            )


def _arpabet(phones: Sequence[str]) -> str:
    plain = (phone.rstrip("012").upper() for phone in phones)
    return " ".join("AH" if phone == "AX" else phone for phone in plain)
