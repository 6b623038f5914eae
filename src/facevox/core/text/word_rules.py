"""Rules for words: abbreviations, acronyms, initials, Roman numerals, addresses.

A spoken word is a lower-case string; a single capital letter means "say the name
of this letter".
"""

import re
from collections.abc import Sequence

from facevox.core.text.abbreviations import (
    ABBREVIATIONS,
    BEFORE_NUMBERS,
    DOTTED,
    MONTH_NAMES,
    MONTHS,
    NUMBERED,
    REGNAL,
    RULERS,
    SPELLED,
    TITLES,
    WEEKDAYS,
    WITHOUT_STOP,
)
from facevox.core.text.number_rules import MONTH, date, version
from facevox.core.text.numbers import cardinal, decimal, ordinal, roman, spelled_digits, year
from facevox.core.text.phones import is_known

_DOMAINS = "com|org|net|edu|gov|io|co|uk|de|fr|eu|us|ca|au|dev|ai|app|info|tv|me|ch|at|nl|se|it"
ADDRESS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?:https?://|www\.)[^\s<>\"]+[\w/]"
    rf"|(?:[a-zA-Z0-9-]+\.)+(?:{_DOMAINS})\b(?:/[^\s<>\"]*[\w/])?(?![\w@])"
)
DOTTED_LETTERS = re.compile(r"(?:[A-Za-z]\.){2,}(?:[A-Za-z](?![\w]))?|Ph\.D\b\.?|i\.e\b|e\.g\b")
MONTH_DATE = re.compile(
    rf"{MONTH} (?:the )?(?P<day>\d\d?)(?:st|nd|rd|th)?(?![\d:.%-]\d?|\w)(?:,? (?P<year>\d{{4}})\b)?"
)
MONTH_YEAR = re.compile(rf"{MONTH},? (?P<year>[12]\d{{3}})(?!\w)")
WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
MIXED = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]+(?:[-.]\d+)*")

_ADDRESS_SYMBOLS = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", ":": "colon",
    "?": "question mark", "=": "equals", "&": "and", "+": "plus", "#": "hash", "%": "percent",
    "~": "tilde",
}  # fmt: skip
_SHORTEST_WORD = 5
_LIKELY_NUMERALS = frozenset("II III IV VII VIII IX XII XIII XIV XV XVI XVII XVIII XIX".split())
_DAY = "|".join(sorted((day.capitalize() for day in WEEKDAYS), key=len, reverse=True))
WEEKDAY_RANGE = re.compile(rf"(?P<first>{_DAY})\.? ?[-\u2013] ?(?P<last>{_DAY})\b")
SHARP = re.compile(r"(?P<letter>[A-Z])(?P<sign>\+\+|#)(?!\w)")
_ALSO_WORDS = frozenset("max min al ed temp ext est".split())


def address_words(text: str) -> list[str]:
    """Return a web or mail address as it is said: example dot com slash page."""
    text = re.sub(r"^(?:https?://)?(?:www\.)?", "", text).rstrip("/")
    words: list[str] = []
    for part in re.findall(r"[A-Za-z]+|\d+|[^\w\s]|_", text):
        if part.isdigit():
            words += cardinal(part) if len(part) < 3 else spelled_digits(part)
        elif part.isalpha():
            said = len(part) > 1 and _is_sayable(part)
            words += plain_word(part) if said else list(part.upper())
        else:
            words += _ADDRESS_SYMBOLS.get(part, "").split()
    return words


def dotted_words(text: str) -> list[str]:
    """Return dotted letters: e.g. -> for example, U.S. -> U S."""
    known = DOTTED.get(text.lower().strip("."))
    return known.split() if known else [letter.upper() for letter in text if letter.isalpha()]


def month_date(match: re.Match[str]) -> list[str] | None:
    """Return a date that starts with its month."""
    number = MONTH_NAMES.index(MONTHS[match["month"].lower()]) + 1
    return date(match["day"], number, match["year"])


def month_year(match: re.Match[str]) -> list[str]:
    """Return a month with its year."""
    return [MONTHS[match["month"].lower()], *year(match["year"])]


def abbreviation(word: str, following: str) -> list[str] | None:
    """Return an abbreviation in full, None if the word is none.

    Args:
        word: The word as written, without its full stop.
        following: The text right after the word.
    """
    lower, dotted = word.lower(), following.startswith(".")
    rest = following.lstrip(". ")
    if lower in BEFORE_NUMBERS and dotted and rest[:1].isdigit():
        return [BEFORE_NUMBERS[lower]]
    named = rest[:1].isupper() and following[:1] in (".", " ")
    if lower in TITLES and word[0].isupper() and named and (dotted or lower in WITHOUT_STOP):
        return [TITLES[lower]]
    if dotted:
        if lower == "st":
            return ["street"]
        if lower in ABBREVIATIONS and (lower not in _ALSO_WORDS or following[1:2] == ","):
            return ABBREVIATIONS[lower].split()
        if lower in WEEKDAYS and word[0].isupper() and (rest[:1].isupper() or rest[:1].isdigit()):
            return [WEEKDAYS[lower]]
        if (
            lower in MONTHS
            and len(lower) <= 4
            and lower not in ("may", "mar")
            and word[0].isupper()
        ):
            return [MONTHS[lower]]
        if lower == "dr":
            return ["drive"]
    return WITHOUT_STOP[lower].split() if lower in WITHOUT_STOP and lower != "am" else None


def weekday_range(match: re.Match[str]) -> list[str]:
    """Return Mon-Fri as monday to friday."""
    return [WEEKDAYS[match["first"].lower()], "to", WEEKDAYS[match["last"].lower()]]


def roman_words(word: str, previous: Sequence[str], after_name: bool) -> list[str] | None:
    """Return a Roman numeral after a ruler's name or a word such as chapter.

    Args:
        word: The word as written.
        previous: The spoken words before it.
        after_name: Whether the word before it is capitalised.
    """
    value = roman(word)
    last = previous[-1] if previous else ""
    before = previous[-2] if len(previous) > 1 else ""
    if not value:
        return None
    if last in NUMBERED:
        return cardinal(str(value))
    if last in REGNAL and ((len(word) > 1 and word != "VI") or before in RULERS):
        return ["the", *ordinal(str(value))]
    if after_name and word in _LIKELY_NUMERALS:
        return cardinal(str(value))
    return None


def plain_word(word: str, shouting: bool = False) -> list[str]:
    """Return an ordinary word, an acronym or a CamelCase name.

    Args:
        word: Letters and inner apostrophes, as written.
        shouting: Whether all around is in capitals, so that capitals mean nothing.
    """
    lower = word.lower()
    if word == "a" or word == "A" or word == "I":
        return [lower]
    if len(word) == 1:
        return [word.upper()]
    stem, ending = _possessive(word)
    if stem.isupper() and len(stem) > 1 and not shouting:
        return _acronym(stem, ending)
    if ending == "s" and not is_known(lower) and stem.isupper():
        return _acronym(stem, ending)
    inner = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", word)
    if len(inner) > 1 and "'" not in word and not is_known(lower) and not shouting:
        return [part for piece in inner for part in _piece(piece)]
    return [lower]


def _piece(text: str) -> list[str]:
    """Return a part of a CamelCase name; without a vowel it is spelled."""
    has_vowel = set(text.lower()) & set("aeiouy")
    return plain_word(text) if has_vowel else list(text.upper())


def mixed_words(text: str, shouting: bool = False) -> list[str]:
    """Return letters and digits in one word: MP3 -> M P three."""
    words: list[str] = []
    for part in re.findall(r"[A-Za-z]+|\d+(?:\.\d+)*", text):
        if part.count(".") > 1:
            words += version(part)
        elif part[0].isdigit():
            words += year(part) if len(part) == 4 else decimal(part)
        elif len(part) == 1 or (part.isupper() and len(part) < 4 and not shouting):
            words += list(part.upper())
        else:
            words += plain_word(part, shouting)
    return words


def _possessive(word: str) -> tuple[str, str]:
    if word.endswith("'s"):
        return word[:-2], "'s"
    if word.endswith("s") and word[:-1].isupper() and len(word) > 2:
        return word[:-1], "s"
    return word, ""


def _acronym(stem: str, ending: str) -> list[str]:
    letters = stem.replace("'", "")
    said = stem not in SPELLED and _is_sayable(stem)
    if said or (len(letters) >= _SHORTEST_WORD and set(letters) & set("AEIOU")):
        return [(stem + ending).lower()]
    start, last = letters[:-1], letters[-1]
    return [*start, last + ending]


def _is_sayable(text: str) -> bool:
    return is_known(text.lower())
