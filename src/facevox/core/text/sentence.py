"""A sentence as the speech engines take it: words with their phones."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One spoken word.

    Attributes:
        text: Letters to be spoken, lower case, no digits or symbols.
        phones: ARPAbet, lower case, vowels with a stress digit, such as `ow1`.
        pause_after: Punctuation that follows: "" none, "," short, ";" medium.
    """

    text: str
    phones: tuple[str, ...]
    pause_after: Literal["", ",", ";"] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """One sentence, normalised.

    Attributes:
        text: The sentence as the user wrote it.
        words: What is spoken, in order; never empty.
        mark: How it ends: statement, question or exclamation.
        pause: Silence after the sentence [s]; longer at the end of a paragraph.
    """

    text: str
    words: tuple[Word, ...]
    mark: Literal[".", "?", "!"] = "."
    pause: float = 0.35
