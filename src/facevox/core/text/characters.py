"""Folding of characters: any Unicode text -> the few that the reader knows."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

FOREIGN = "\x01"
"""Stands for a letter of a script that cannot be spoken."""

_REPLACED = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u02bc": "'", "\u00b4": "'",
    "\u2032": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u00ab": '"',
    "\u00bb": '"', "\u2033": '"', "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "\u2013",
    "\u2014": "\u2014", "\u2015": "\u2014", "\u2212": "-", "\u2026": "...", "\u00df": "ss",
    "\u00e6": "ae", "\u00c6": "AE", "\u0153": "oe", "\u0152": "OE", "\u00f8": "o",
    "\u00d8": "O", "\u0142": "l", "\u0141": "L", "\u0111": "d", "\u0110": "D", "\u00f0": "th",
    "\u00fe": "th", "\u0131": "i", "\u20ac": "\u20ac", "\u00a3": "\u00a3", "\u00a5": "\u00a5",
    "\u00a2": "\u00a2", "\u00b0": "\u00b0", "\u2103": "\u00b0C", "\u2109": "\u00b0F",
    "\u00d7": "\u00d7", "\u00f7": "\u00f7", "\u00b1": "\u00b1", "\u00a7": "\u00a7",
    "\u00bd": " 1/2", "\u00bc": " 1/4", "\u00be": " 3/4", "\u2153": " 1/3", "\u2154": " 2/3",
    "\u00b2": " squared ", "\u00b3": " cubed ", "\u00b5": "micro", "\u03bc": "micro",
    "\u2022": "\u2022", "\u3002": ".", "\uff0c": ",", "\u3001": ",", "\u2044": "/",
}  # fmt: skip
_DROPPED_CATEGORIES = ("Mn", "Mc", "Me", "Cf", "Cs", "Co", "Cn", "So", "Sk", "Sm")


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text that remembers where each character came from.

    Attributes:
        text: The folded text.
        origins: For each of its characters, the index in the original.
        original: The original text.
    """

    text: str
    origins: tuple[int, ...]
    original: str

    def original_between(self, start: int, end: int) -> str:
        """Return the original text of a stretch of the folded one."""
        if start >= end:
            return ""
        first = self.origins[start]
        last = self.origins[end] if end < len(self.origins) else len(self.original)
        return " ".join(self.original[first:last].split())


@lru_cache(maxsize=4096)
def fold_character(character: str) -> str:
    """Return what stands for one character: ASCII, a known symbol, or nothing.

    Accents are removed, emoji dropped, and letters of other scripts become `FOREIGN`.
    """
    if character in "\n\t":
        return character
    if " " <= character <= "~":
        return character
    if character in _REPLACED:
        return _REPLACED[character]
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp", "Cc"):
        return " "
    if category == "Nd":
        return str(unicodedata.digit(character))
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if " " <= part <= "~")
    if plain:
        return plain
    if category.startswith("L"):
        return FOREIGN
    return "" if category in _DROPPED_CATEGORIES else " "


def fold(text: str) -> Folded:
    """Fold a stretch of text, remembering where each character came from."""
    if text.isascii() and text.isprintable():
        return Folded(text, tuple(range(len(text))), text)
    pieces = [fold_character(character) for character in text]
    origins = tuple(index for index, piece in enumerate(pieces) for _ in piece)
    return Folded("".join(pieces), origins, text)
