"""From written to spoken words: "Dr. Li paid $3.50" -> doctor li paid three dollars..."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from facevox.core.text.abbreviations import SYMBOLS, WITHOUT_STOP
from facevox.core.text.characters import FOREIGN
from facevox.core.text.number_rules import NUMBER, NUMBER_RULES
from facevox.core.text.numbers import decimal, year
from facevox.core.text.word_rules import (
    ADDRESS,
    DOTTED_LETTERS,
    MIXED,
    MONTH_DATE,
    MONTH_YEAR,
    SHARP,
    WEEKDAY_RANGE,
    WORD,
    abbreviation,
    address_words,
    dotted_words,
    mixed_words,
    month_date,
    month_year,
    plain_word,
    roman_words,
    weekday_range,
)

Pause = Literal["", ",", ";"]

_PLAIN_NUMBER = re.compile(NUMBER + r"(?![A-Za-z])")
_LOWER_WORD = re.compile(r"[a-z]{2,}(?:'[a-z]+)*(?![\w'./@:-])")
_CODE_AMOUNT = re.compile(r"(?:US\$|[A-Z]{3}) ?\d")
_EMOTICON = re.compile(r"(?<!\w)[:;=8][-o^']?[)(DPp|/\\*](?!\w)|<3")
_TAG = re.compile(r"[#@](?=[A-Za-z_])")
_FOREIGN_RUN = re.compile(f"[A-Za-z]*{FOREIGN}[A-Za-z{FOREIGN}]*(?:[ ,]*{FOREIGN}+)*")
_PAUSES: dict[str, Pause] = {
    ",": ",", ";": ";", ":": ";", "\u2014": ";", "(": ",", ")": ",", "[": ",", "]": ",",
    ".": ";", "!": ";", "?": ";", "\u2022": ",", "|": ",",
}  # fmt: skip
_YEAR_BEFORE = frozenset(
    "in since by from until till year before after during around circa of late early mid "
    "summer winter spring autumn fall to and between".split()
) | frozenset("january february march april may june july august september".split())
_NOT_YEAR_AFTER = re.compile(r"\s+(?!(?:was|is|has|as|its|this)\b)(?:[a-z]+s\b|people|men|women)")
_DATE_RULES = (
    (MONTH_DATE, month_date),
    (MONTH_YEAR, month_year),
    (WEEKDAY_RANGE, weekday_range),
)
_CAPITALISED_BEFORE = re.compile(r"\b[A-Z][a-z]+ \Z")
_JOINTS = ("-", "/")
_RANGE_START = re.compile(r"\d(?:s|st|nd|rd|th|%|[ap]m)?\Z")
_RANGE_END = re.compile(r"[\d$\u20ac\u00a3]")
_EXTENSION = re.compile(r"\.[a-z0-9]{2,4}(?!\w)")
_STRENGTH: dict[Pause, int] = {"": 0, ",": 1, ";": 2}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one stretch of written text sounds like.

    Attributes:
        words: Lower-case words; a capital letter (perhaps with 's) is spelled; a
            comma is a short pause within a phone number.
        start: Index of the first character in the folded text.
        end: Index after the last one.
        pause: Pause after it.
        skipped: Whether it is in a script that cannot be spoken.
    """

    words: tuple[str, ...]
    start: int
    end: int
    pause: Pause = ""
    skipped: bool = False


def normalize(text: str) -> list[Spoken]:
    """Turn folded text into what is spoken, in order.

    Args:
        text: Folded text (`characters.fold`) of about one sentence.
    """
    letters = [character for character in text if character.isalpha()]
    shouting = len(letters) > 12 and sum(map(str.isupper, letters)) > 0.8 * len(letters)
    spoken: list[Spoken] = []
    previous: list[str] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        item = _read(text, position, previous, shouting)
        position = item.end
        if item.words or item.skipped:
            spoken.append(item)
            previous += item.words
        elif item.pause and spoken:
            spoken[-1] = _with_pause(spoken[-1], item.pause)
    return spoken


def _with_pause(item: Spoken, pause: Pause) -> Spoken:
    stronger = pause if _STRENGTH[pause] > _STRENGTH[item.pause] else item.pause
    return Spoken(item.words, item.start, item.end, stronger, item.skipped)


def _read(text: str, start: int, previous: list[str], shouting: bool) -> Spoken:
    if (match := _LOWER_WORD.match(text, start)) and match[0] not in WITHOUT_STOP:
        return Spoken((match[0],), start, match.end())
    character = text[start]
    foreign = _FOREIGN_RUN.match(text, start)
    if foreign:
        return Spoken((), start, foreign.end(), skipped=True)
    if match := _EMOTICON.match(text, start):
        return Spoken((), start, match.end())
    if match := ADDRESS.match(text, start):
        return Spoken(tuple(address_words(match[0])), start, match.end())
    if character.isalpha():
        return _read_letters(text, start, previous, shouting)
    return _read_number(text, start, previous, shouting) or _read_symbol(text, start)


def _read_letters(text: str, start: int, previous: list[str], shouting: bool) -> Spoken:
    if _CODE_AMOUNT.match(text, start) and (found := _by_number_rules(text, start)):
        return found
    if match := DOTTED_LETTERS.match(text, start):
        return Spoken(tuple(dotted_words(match[0])), start, match.end())
    if match := SHARP.match(text, start):
        sign = ("sharp",) if match["sign"] == "#" else ("plus", "plus")
        return Spoken((match["letter"], *sign), start, match.end())
    for pattern, say in _DATE_RULES:
        if (match := pattern.match(text, start)) and (words := say(match)):
            return Spoken(tuple(words), start, match.end())
    if match := MIXED.match(text, start):
        return Spoken(tuple(mixed_words(match[0], shouting)), start, match.end())
    match = WORD.match(text, start)
    assert match is not None
    return _read_word(text, match, previous, shouting)


def _read_word(text: str, match: re.Match[str], previous: list[str], shouting: bool) -> Spoken:
    word, end = match[0], match.end()
    following = text[end:]
    if following.startswith("/") and word.lower() == "w":
        extra = 2 if following[1:2] == "o" else 1
        return Spoken(("without" if extra == 2 else "with",), match.start(), end + extra)
    if words := abbreviation(word, following):
        return Spoken(tuple(words), match.start(), end + following.startswith("."))
    if len(word) == 1 and word.isupper() and following.startswith("."):
        is_initial = word != "I" or following[1:3].strip()[:1].isupper()
        return Spoken((word if is_initial else "i",), match.start(), end + 1)
    after_name = _CAPITALISED_BEFORE.search(text, max(0, match.start() - 30), match.start())
    if words := roman_words(word, previous, after_name is not None):
        return Spoken(tuple(words), match.start(), end)
    joined = following[:1] in _JOINTS or text[match.start() - 1 : match.start()] in _JOINTS
    if len(word) == 1 and joined:
        return Spoken((word.upper(),), match.start(), end)
    return Spoken(tuple(plain_word(word, shouting)), match.start(), end)


def _read_number(text: str, start: int, previous: list[str], shouting: bool) -> Spoken | None:
    after_word = start > 0 and text[start - 1].isalnum()
    if text[start] in "-\u2013" and after_word:
        return None
    if found := _by_number_rules(text, start):
        doubled = found.words[:1] == ("the",) and previous[-1:] == ["the"]
        return Spoken(found.words[1:], start, found.end) if doubled else found
    if match := MIXED.match(text, start):
        return Spoken(tuple(mixed_words(match[0], shouting)), start, match.end())
    if not (match := _PLAIN_NUMBER.match(text, start)):
        return None
    number = match[0]
    is_year = (
        len(number) == 4
        and number.isdigit()
        and 1100 <= int(number) <= 2099
        and not _NOT_YEAR_AFTER.match(text, match.end())
        and (int(number) >= 1500 or (previous and previous[-1] in _YEAR_BEFORE))
    )
    return Spoken(tuple(year(number) if is_year else decimal(number)), start, match.end())


def _by_number_rules(text: str, start: int) -> Spoken | None:
    for pattern, say in NUMBER_RULES:
        match = pattern.match(text, start)
        if match and (words := say(match)):
            return Spoken(tuple(words), start, match.end())
    return None


def _read_symbol(text: str, start: int) -> Spoken:
    character = text[start]
    before, after = text[start - 1 : start], text[start + 1 : start + 2]
    if text.startswith("...", start):
        end = start + len(text[start:]) - len(text[start:].lstrip("."))
        return Spoken((), start, end, ";")
    if match := _TAG.match(text, start):
        return Spoken(("hashtag" if match[0] == "#" else "at",), start, start + 1)
    if words := _between_operands(character, before, after):
        return Spoken(words, start, start + 1)
    if character in "-\u2013" and _RANGE_START.search(text[max(0, start - 5) : start]):
        return Spoken(("to",) if _RANGE_END.match(after) else (), start, start + 1)
    if character == "." and _EXTENSION.match(text, start) and before.isalnum():
        return Spoken(("dot",), start, start + 1)
    if character in "-\u2013" and before in ("", " ") and after in ("", " ", "-"):
        return Spoken((), start, start + 1, ",")
    if character == "/" and before == after == " ":
        return Spoken((), start, start + 1, ",")
    if (character in SYMBOLS and character not in "+=") or before == after == " ":
        name = SYMBOLS.get(character, "")
        return Spoken(tuple(name.split()), start, start + 1, _PAUSES.get(character, ""))
    return Spoken((), start, start + 1, _PAUSES.get(character, ""))


def _between_operands(character: str, before: str, after: str) -> tuple[str, ...]:
    """Return the name of a mathematical sign that stands between or before numbers."""
    if character == "=":
        return ("equals",)
    if character in "<>" and (after.isdigit() or before == after == " "):
        return ("less" if character == "<" else "greater", "than")
    if character == "+" and before.isdigit():
        return ("plus",)
    if character == "~" and after.isdigit():
        return ("about",)
    if before.isdigit() and after.isdigit():
        return {"*": ("times",), "^": ("to", "the", "power", "of")}.get(character, ())
    return ()


def iterate_words(items: list[Spoken]) -> Iterator[tuple[str, Pause, Spoken]]:
    """Yield each spoken word with the pause after it and where it came from."""
    for item in items:
        words = item.words
        for index, word in enumerate(words):
            if word == ",":
                continue
            is_last = index == len(words) - 1
            comma: Pause = "," if not is_last and words[index + 1] == "," else ""
            yield word, item.pause if is_last else comma, item
