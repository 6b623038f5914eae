"""A phone as an engine timed it, before pauses are laid out."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One phone of a sentence.

    Attributes:
        name: Phone, "pau" for silence.
        end: Last instant [s].
        stressed: Whether its syllable is stressed.
        token: Index of the token, -1 for silence.
    """

    name: str
    end: float
    stressed: bool
    token: int
