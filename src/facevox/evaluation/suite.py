"""Suites: frozen lists of portraits, texts and seeds, so that two people measure the same thing."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One video that a suite asks for.

    Attributes:
        name: Unique within the suite; a file name without suffix.
        identity: Who is shown.
        photo: Which photo of that person, when there are several.
        portrait: The photo; for suites of recordings it was cut from the recording.
        text: What shall be said.
        seed: Seed for voice and motion.
        reference: A recording of the same person saying the same text, if there is one.
        sex: `female` or `male` as the data set says, or empty.
        age: As the data set says [years].
    """

    name: str
    identity: str
    photo: str = ""
    portrait: Path
    text: str
    seed: int = 0
    reference: Path | None = None
    sex: str = ""
    age: float | None = None
