"""Splitting a text into sentences, and very long sentences into breath groups."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from facevox.core.text.abbreviations import (
    ABBREVIATIONS,
    BEFORE_NUMBERS,
    DOTTED,
    MONTHS,
    OFTEN_LAST,
    STARTERS,
    TITLES,
)

Mark = Literal[".", "?", "!"]

_PARAGRAPH = re.compile(r"\n[ \t\r\f\v]*\n\s*")
_BULLET = re.compile(r"[ \t]*(?:[-*\u2022\u2013]|#{1,6})[ \t]+(?=\S)")
_NUMBERED = re.compile(r"[ \t]*\(?(?:\d{1,3}[.)]|[a-zA-Z]\))[ \t]+(?=\S)")
_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]+[\"'\u2019\u201d\u00bb)\]]*")
_LAST_WORD = re.compile(r"[\w.'-]*\Z")
_OPENERS = "\"'\u2018\u201c\u00ab([*_"
_FIRST_WORD = re.compile(r"[A-Za-z']+")
_DOTTED_CAPITALS = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")
_DRIVE = re.compile(r"[A-Z][a-z]+ Dr\Z")
_STREET = re.compile(r"[A-Z][a-z]+ St\Z")
_SHORT_LINE = 8
_LONGEST_SENTENCE = 2000
_LOOK = 60
_ASKING, _CALLING = "?\uff1f", "!\uff01"
_NEVER_LAST = frozenset(TITLES) | frozenset(BEFORE_NUMBERS)
_DOTTED_WORDS = frozenset(DOTTED) | {"u.s", "u.k", "u.n", "e.u", "b.c", "a.d", "d.c"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One written sentence.

    Attributes:
        text: As written, white space not yet tidied.
        mark: How it ends.
        ends_paragraph: Whether a paragraph ends with it.
    """

    text: str
    mark: Mark = "."
    ends_paragraph: bool = False


def split_sentences(text: str) -> Iterator[Piece]:
    """Yield the sentences of a text one by one; together they are the whole text.

    Knows abbreviations, initials, decimals, quotes, brackets, lists and headings.
    Every character except white space and list bullets is in exactly one piece.
    """
    for paragraph in _between(_PARAGRAPH, text):
        held: str | None = None
        for line in _lines(paragraph):
            for sentence in _sentences(line):
                if held is not None:
                    yield Piece(held, mark_of(held))
                held = sentence
        if held is not None:
            yield Piece(held, mark_of(held), ends_paragraph=True)


def mark_of(sentence: str) -> Mark:
    """Return how a sentence ends: "?" and "!" win over everything else."""
    tail = sentence.rstrip()[-6:]
    ending = re.search(r"\W*\Z", tail)
    closing = ending[0] if ending else ""
    if any(sign in closing for sign in _ASKING):
        return "?"
    return "!" if any(sign in closing for sign in _CALLING) else "."


def _between(separator: re.Pattern[str], text: str) -> Iterator[str]:
    start = 0
    for match in separator.finditer(text):
        if text[start : match.start()].strip():
            yield text[start : match.start()]
        start = match.end()
    if text[start:].strip():
        yield text[start:]


def _lines(paragraph: str) -> Iterator[str]:
    """Join wrapped lines; list items and headings stay lines of their own."""
    held: list[str] = []
    for line in paragraph.splitlines():
        if not line.strip():
            continue
        bullet = _BULLET.match(line)
        is_item = bullet or _NUMBERED.match(line)
        if held and (is_item or (len(held) == 1 and _stands_alone(held[0], line))):
            yield "\n".join(held)
            held = []
        held.append(line[bullet.end() :] if bullet else line)
    if held:
        yield "\n".join(held)


def _stands_alone(line: str, following: str) -> bool:
    """Tell whether a line is a heading: short, and the next one starts anew."""
    if line.rstrip().endswith((",", "-", "\u2013", "\u2014")):
        return False
    starts_anew = following.lstrip(_OPENERS + " \t")[:1]
    return len(line.split()) <= _SHORT_LINE and (starts_anew.isupper() or starts_anew.isdigit())


def _sentences(line: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(line):
        if _is_end(line, start, match):
            yield from _bounded(line[start : match.end()])
            start = match.end()
    if line[start:].strip():
        yield from _bounded(line[start:])


def _bounded(sentence: str) -> Iterator[str]:
    """Cut a sentence of thousands of characters between words."""
    while len(sentence) > _LONGEST_SENTENCE:
        cut = max(sentence.rfind(sign, 0, _LONGEST_SENTENCE) for sign in " \n\t")
        cut = cut if cut > 0 else _LONGEST_SENTENCE
        yield sentence[:cut]
        sentence = sentence[cut:]
    yield sentence


def _is_end(line: str, start: int, match: re.Match[str]) -> bool:
    rest = line[match.end() : match.end() + _LOOK]
    following = rest.lstrip()
    if not following:
        return True
    wide = match[0][0] in "\u3002\uff01\uff1f"
    if rest[0] == following[0] and not wide:
        return False
    opening = following.lstrip(_OPENERS)
    opened = opening[:1]
    if opened.islower():
        return False
    if match[0][0] != ".":
        return True
    if len(match[0]) > 1 and match[0][1] == ".":
        return opened.isupper()
    return not _is_abbreviation(line[max(start, match.start() - _LOOK) : match.start()], opening)


def _is_abbreviation(before: str, opening: str) -> bool:
    opened = opening[:1]
    next_word = _FIRST_WORD.match(opening)
    starts = opened.isupper() and next_word is not None and next_word[0].lower() in STARTERS
    found = _LAST_WORD.search(before)
    word = found[0] if found else ""
    lower = word.lower().lstrip("'")
    if before.strip().isdigit():
        return True
    if lower == "st" and _STREET.search(before):
        return not opened.isupper()
    if lower in ("e.g", "i.e"):
        return True
    if lower in _DOTTED_WORDS or lower in OFTEN_LAST or re.fullmatch(_DOTTED_CAPITALS, word):
        return not starts
    if lower == "dr" and starts and _DRIVE.search(before):
        return False
    if lower in BEFORE_NUMBERS:
        return opened.isdigit()
    if lower in _NEVER_LAST:
        return True
    if len(word) == 1 and word.isalpha():
        return word != "I" or not before.strip(" I") or _follows_initial(before)
    if lower in MONTHS and len(lower) <= 4 and lower not in ("may", "mar"):
        return opened.isdigit()
    return lower in ABBREVIATIONS and not opened.isupper()


def _follows_initial(before: str) -> bool:
    return re.search(r"\b[A-Z]\.\s*I\Z", before) is not None
