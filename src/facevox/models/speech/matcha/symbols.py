"""Our symbols: phones with stress, and the pauses of a sentence.

A sentence begins with `pau` and ends with its mark; commas and semicolons stand between
words. All of these are silent stretches with a duration of their own. A second stream of
ids, the tags, tells where words begin.
"""

from facevox.core.errors import InputError
from facevox.core.speech import PHONES, SILENCE
from facevox.core.text.phones import VOWELS
from facevox.core.text.sentence import Sentence

MARKS = (",", ";", ".", "?", "!")
PAUSES = (SILENCE, *MARKS)
"""Symbols that are silent."""

_STRESSED = tuple(
    f"{phone}{stress}" if phone in VOWELS else phone
    for phone in PHONES
    for stress in ("012" if phone in VOWELS else " ")
)

SYMBOLS = ("_", *PAUSES, *_STRESSED)
"""All symbols by id; 0 is padding."""

NUM_SYMBOLS = len(SYMBOLS)
PAUSE_TAG, INITIAL_TAG, INTERNAL_TAG = 0, 1, 2
NUM_TAGS = 3

_IDS = {symbol: index for index, symbol in enumerate(SYMBOLS)}


def symbol_id(symbol: str) -> int:
    """Return the id of a pause or phone; a vowel without digit is unstressed.

    Raises:
        InputError: If there is no such symbol.
    """
    name = f"{symbol}0" if symbol in VOWELS else symbol
    if name not in _IDS or name == "_":
        raise InputError(
            f"{symbol!r} is no phone that this voice knows; expected ARPAbet such as 'ow1' "
            f"or 'th', or one of {' '.join(PAUSES)}."
        )
    return _IDS[name]


def sentence_tokens(sentence: Sentence) -> tuple[list[int], list[int]]:
    """Return ids and tags of a sentence to be spoken.

    Raises:
        InputError: If it has no words or an unknown phone.
    """
    if not sentence.words:
        raise InputError("The sentence has no words; give at least one.")
    ids, tags = [symbol_id(SILENCE)], [PAUSE_TAG]
    for index, word in enumerate(sentence.words):
        for position, phone in enumerate(word.phones):
            ids.append(symbol_id(phone))
            tags.append(INTERNAL_TAG if position else INITIAL_TAG)
        if word.pause_after and index + 1 < len(sentence.words):
            ids.append(symbol_id(word.pause_after))
            tags.append(PAUSE_TAG)
    ids.append(symbol_id(sentence.mark))
    tags.append(PAUSE_TAG)
    return ids, tags


def token_words(sentence: Sentence) -> list[int]:
    """Return for each token of `sentence_tokens` the index of its word, -1 for a pause."""
    words = [-1]
    for index, word in enumerate(sentence.words):
        words += [index] * len(word.phones)
        if word.pause_after and index + 1 < len(sentence.words):
            words.append(-1)
    return [*words, -1]
