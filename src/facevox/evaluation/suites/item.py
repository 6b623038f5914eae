"""One video that a suite asks for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facevox.core.errors import InputError

_LONGEST = 120
_UNFIT = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')
"""What some file system does not take in a name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One video that a suite asks for.

    Attributes:
        name: Unique within the suite; a file name without suffix.
        identity: Who is shown.
        photo: Which photo of that person, when there are several.
        portrait: The photo; suites of recordings cut it from the recording when it is needed.
        text: What shall be said.
        seed: Seed for voice and motion; every item has its own.
        size: Longest side of the video [px]; None keeps the photo's.
        reference: A recording of the same person, if there is one.
        reference_says_text: Whether it says the same text.
        sex: `female` or `male` as the data set says, or empty.
        age: As the data set says [years].
    """

    name: str
    identity: str
    photo: str = ""
    portrait: Path
    text: str
    seed: int = 0
    size: int | None = None
    reference: Path | None = None
    reference_says_text: bool = True
    sex: str = ""
    age: float | None = None


def check_file_name(name: str, what: str) -> None:
    """Raise if files cannot be called after a name.

    Args:
        name: The name.
        what: What bears it, for the message.

    Raises:
        InputError: If it is empty, too long, begins with a dot, or holds a slash or the like.
    """
    if not name or len(name.encode()) > _LONGEST or name[0] == "." or _UNFIT.search(name):
        raise InputError(
            f"Files cannot be called after {what} named {name[:_LONGEST]!r}; take up to {_LONGEST} "
            "bytes of letters, digits, spaces, dots, - and _, and no dot at the beginning."
        )


def spread(rows: Sequence[Any], limit: int | None) -> tuple[Any, ...]:
    """Return at most `limit` rows, evenly spaced over the list, always the same ones."""
    if limit is None or limit >= len(rows):
        return tuple(rows)
    if limit < 1:
        raise InputError(f"limit must be at least 1, got {limit}.")
    return tuple(rows[(2 * k + 1) * len(rows) // (2 * limit)] for k in range(limit))
