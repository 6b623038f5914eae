"""A video to score, and what is known about it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facevox.core.speech import Phone

REAL = "real"
"""Name under which recordings are scored beside systems."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One video file to score.

    Attributes:
        name: Unique within its system; the file is called after it.
        video: The file.
        system: Who made it; `REAL` for a recording.
        identity: Who is shown; clips of one person share it.
        photo: Which photo of that person was used, when there are several.
        portrait: The photo that the video was made from.
        text: What is said.
        phones: Phones with times [s], if the maker knows them; else they are aligned.
        reference: A recording of the same person.
        reference_says_text: Whether that recording says the same text.
        seed: Seed it was made with.
        sex: `female` or `male` as the data set says, or empty.
        age: Age as the data set says [years].
        facts: What was noted while it was made: seconds, frames, voice, warnings.
    """

    name: str
    video: Path
    system: str = ""
    identity: str = ""
    photo: str = ""
    portrait: Path | None = None
    text: str | None = None
    phones: tuple[Phone, ...] | None = None
    reference: Path | None = None
    reference_says_text: bool = True
    seed: int = 0
    sex: str = ""
    age: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)
