"""One recorded utterance of a corpus, before anything is read but its names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Subset = Literal["train", "validation", "test"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Utterance:
    """One recording and what its corpus says of it.

    Attributes:
        name: Unique within the corpus; letters, digits, `-` and `_`.
        speaker: Who speaks, unique over all corpora.
        corpus: Which corpus, such as `vctk`.
        sound: File with the sound; a video is fine.
        language: ISO 639-1 code.
        text: What is said; None if the corpus does not say.
        video: File with the face; None if there is none.
        subset: Where the corpus' own lists put it; None if they do not.
        span: Which part of the file is meant, from and to [s]; None is all of it.
        pronunciations: Words that are said otherwise than our reader expects: word and
            phones, such as `("a", "ey1")`.
    """

    name: str
    speaker: str
    corpus: str
    sound: Path
    language: str = "en"
    text: str | None = None
    video: Path | None = None
    subset: Subset | None = None
    span: tuple[float, float] | None = None
    pronunciations: tuple[tuple[str, str], ...] = ()
