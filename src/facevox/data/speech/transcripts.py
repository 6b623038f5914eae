"""Texts of one's own for recordings whose corpus has none.

A table with a line for each recording: `name|text`, or `name|text|confidence`, or
`name|text|confidence|start|end` if only the part between two times [s] has that text.
Lines of confidence `low` are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facevox.core.errors import DataError
from facevox.data.speech.tables import read_lines
from facevox.data.speech.utterance import Utterance

_CONFIDENCES = ("high", "medium", "low")


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnText:
    """What is said in a recording, or in the part of it between two times [s]."""

    text: str
    span: tuple[float, float] | None = None


def read_transcripts(path: Path) -> dict[str, OwnText]:
    """Read a table of texts.

    Raises:
        DataError: If the table cannot be read, a line is not as expected, or a name stands
            there twice.
    """
    texts: dict[str, OwnText] = {}
    for line in read_lines(path):
        columns = [part.strip() for part in line.split("|")]
        if columns[0] in texts:
            raise DataError(f"{path} has two lines for {columns[0]}.")
        sure = len(columns) < 3 or columns[2] in _CONFIDENCES
        try:
            start, end = (float(part) for part in columns[3:] or (0.0, 1.0))
        except ValueError:
            start, end = 1.0, 0.0
        if len(columns) < 2 or not all(columns[:2]) or not sure or end <= start:
            raise DataError(
                f"{path}: expected lines name|text, name|text|CONFIDENCE or "
                f"name|text|CONFIDENCE|START|END (high, medium or low; seconds), got {line[:80]!r}."
            )
        if len(columns) < 3 or columns[2] != "low":
            span = (start, end) if len(columns) > 3 else None
            texts[columns[0]] = OwnText(text=columns[1], span=span)
    if not texts:
        raise DataError(f"{path} holds no texts.")
    return texts


def with_transcripts(
    utterances: Sequence[Utterance], texts: Mapping[str, OwnText]
) -> list[Utterance]:
    """Return the utterances, those that have a text of one's own with it.

    Args:
        utterances: All of a corpus.
        texts: By the utterance's name or its file's, without suffix.

    Raises:
        DataError: If no utterance has one of the names.
    """
    found = []
    for utterance in utterances:
        own = texts.get(utterance.name) or texts.get(utterance.sound.stem)
        changed = own and utterance.text is None
        found.append(replace(utterance, text=own.text, span=own.span) if changed else utterance)  # type: ignore[union-attr]
    if not any(new is not old for new, old in zip(found, utterances, strict=True)):
        raise DataError(
            f"None of the {len(texts)} texts, such as that of {next(iter(texts))!r}, belongs to a "
            "recording without text."
        )
    return found
