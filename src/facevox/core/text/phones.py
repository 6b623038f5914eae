"""Pronunciation: English words -> ARPAbet phones with stress.

The lexicon and the letter-to-sound model are gruut's (MIT), read from the
installed package without network; gruut itself is only loaded for unknown words.
"""

import importlib.util
import logging
import sqlite3
import threading
from contextlib import closing
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from facevox.core.errors import MissingPiece

VOWELS = frozenset("aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw".split())
"""Phones that carry a stress digit."""

_ARPABET = {
    "\u0251": "aa", "\u00e6": "ae", "\u028c": "ah", "\u0254": "ao", "a\u028a": "aw",
    "\u0259": "ax", "a\u026a": "ay", "t\u0361\u0283": "ch", "\u00f0": "dh", "\u025b": "eh",
    "\u025a": "er", "\u025d": "er", "e\u026a": "ey", "\u0261": "g", "h": "hh", "\u026a": "ih",
    "i": "iy", "d\u0361\u0292": "jh", "\u014b": "ng", "o\u028a": "ow", "\u0254\u026a": "oy",
    "\u0279": "r", "\u0283": "sh", "\u03b8": "th", "\u028a": "uh", "u": "uw", "j": "y",
    "\u0292": "zh",
} | {letter: letter for letter in "bdfgklmnpstvwz"}  # fmt: skip
"""IPA as gruut writes it -> ARPAbet."""

_STRESS = {"\u02c8": "1", "\u02cc": "2"}

_LETTERS = {
    "a": "ey1", "b": "b iy1", "c": "s iy1", "d": "d iy1", "e": "iy1", "f": "eh1 f",
    "g": "jh iy1", "h": "ey1 ch", "i": "ay1", "j": "jh ey1", "k": "k ey1", "l": "eh1 l",
    "m": "eh1 m", "n": "eh1 n", "o": "ow1", "p": "p iy1", "q": "k y uw1", "r": "aa1 r",
    "s": "eh1 s", "t": "t iy1", "u": "y uw1", "v": "v iy1",
    "w": "d ah1 b ax0 l y uw0", "x": "eh1 k s", "y": "w ay1", "z": "z iy1",
}  # fmt: skip

_OWN_WORDS = {
    "facevox": "f ey1 s v aa2 k s",
    "ios": "ay1 ow0 eh1 s",
    "gif": "g ih1 f",
    "gifs": "g ih1 f s",
}

_CACHED_WORDS = 20_000
_lock = threading.Lock()


def letter_phones(letter: str) -> tuple[str, ...]:
    """Return the phones of a letter's name: a -> ey1."""
    return tuple(_LETTERS[letter.lower()].split())


@lru_cache(maxsize=_CACHED_WORDS)
def word_phones(word: str) -> tuple[str, ...]:
    """Return the phones of a word, from the lexicon or guessed from its letters.

    Args:
        word: Lower-case letters a to z, apostrophes inside allowed.

    Returns:
        ARPAbet, lower case, with 0, 1 or 2 after each vowel; never empty.

    Raises:
        MissingPiece: If gruut's English data is not installed.
    """
    if word in _OWN_WORDS:
        return tuple(_OWN_WORDS[word].split())
    known = _from_lexicon(word)
    if known:
        return known
    if word.endswith("'s") and len(word) > 2:
        return _with_s(word_phones(word[:-2]))
    if word.endswith("s'") and len(word) > 2:
        return word_phones(word[:-1])
    plain = word.replace("'", "")
    guess = _from_letters(plain) if _is_pronounceable(plain) else ()
    return guess or tuple(phone for letter in plain for phone in letter_phones(letter))


def is_known(word: str) -> bool:
    """Tell whether the lexicon holds a word (lower case)."""
    return bool(_from_lexicon(word))


def starts_with_vowel(phones: tuple[str, ...]) -> bool:
    """Tell whether a word begins with a vowel sound."""
    return bool(phones) and phones[0].rstrip("012") in VOWELS


def _with_s(phones: tuple[str, ...]) -> tuple[str, ...]:
    if phones[-1] in ("s", "z", "sh", "zh", "ch", "jh"):
        return (*phones, "ax0", "z")
    return (*phones, "s" if phones[-1] in ("p", "t", "k", "f", "th") else "z")


def _is_pronounceable(word: str) -> bool:
    return any(letter in "aeiouy" for letter in word)


def _to_arpabet(symbols: list[str]) -> tuple[str, ...]:
    phones: list[str] = []
    for symbol in symbols:
        stress = _STRESS.get(symbol[:1], "0")
        name = _ARPABET.get(symbol.lstrip("".join(_STRESS)))
        if name:
            phones.append(name + stress if name in VOWELS else name)
    return tuple(phones)


def _from_lexicon(word: str) -> tuple[str, ...]:
    return _to_arpabet(_lexicon().get(word, "").split())


def _from_letters(word: str) -> tuple[str, ...]:
    with _lock:
        return _to_arpabet(list(_letter_model()(word)))


def _data_folder() -> Path:
    found = importlib.util.find_spec("gruut_lang_en")
    if found is None or not found.submodule_search_locations:
        raise MissingPiece(
            "The English pronunciation data is not installed; "
            "install it with: pip install 'gruut>=2.4'."
        )
    return Path(found.submodule_search_locations[0])


@cache
def _lexicon() -> dict[str, str]:
    """Return the first pronunciation of every word: 124,000 words, 0.1 s.

    The file has no index: asking it word by word scans it, 6 ms each.
    """
    path = (_data_folder() / "lexicon.db").as_uri() + "?mode=ro&immutable=1"
    with closing(sqlite3.connect(path, uri=True)) as lexicon:
        rows = lexicon.execute("SELECT word, phonemes FROM word_phonemes ORDER BY pron_order DESC")
        return dict(rows)


@cache
def _letter_model() -> Any:
    logging.getLogger("gruut").setLevel(logging.ERROR)
    from gruut.g2p import GraphemesToPhonemes

    return GraphemesToPhonemes(_data_folder() / "g2p" / "model.crf")
