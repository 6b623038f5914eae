"""Sentences and aligned recordings become the same tokens."""

import pytest

from facevox.core.errors import InputError
from facevox.core.speech import PHONES, Phone
from facevox.core.text.phones import VOWELS
from facevox.core.text.sentence import Sentence, Word
from facevox.models.speech.matcha.config import small
from facevox.models.speech.matcha.symbols import (
    NUM_SYMBOLS,
    SYMBOLS,
    aligned_tokens,
    sentence_tokens,
    symbol_id,
    token_words,
)

YES = Word(text="yes", phones=("y", "eh1", "s"), pause_after=",")
ANNA = Word(text="anna", phones=("ae1", "n", "ax0"))
SENTENCE = Sentence(text="Yes, Anna?", words=(YES, ANNA), mark="?")


def names(ids):
    return [SYMBOLS[index] for index in ids]


def heard(*rows):
    """Return phones of 0.1 s from (name, word)."""
    return tuple(
        Phone(name=name, start=0.1 * i, end=0.1 * (i + 1), word=word)
        for i, (name, word) in enumerate(rows)
    )


def test_the_table_has_each_symbol_once_and_all_phones():
    assert len(set(SYMBOLS)) == NUM_SYMBOLS == small().num_symbols
    plain = {symbol.rstrip("012") for symbol in SYMBOLS}
    assert set(PHONES) <= plain
    assert {f"{vowel}{stress}" for vowel in VOWELS for stress in "012"} <= set(SYMBOLS)
    assert SYMBOLS[0] == "_"


def test_a_sentence():
    ids, tags = sentence_tokens(SENTENCE)
    assert names(ids) == ["pau", "y", "eh1", "s", ",", "ae1", "n", "ax0", "?"]
    assert tags == [0, 1, 2, 2, 0, 1, 2, 2, 0]
    assert token_words(SENTENCE) == [-1, 0, 0, 0, -1, 1, 1, 1, -1]


def test_a_comma_after_the_last_word_gives_way_to_the_mark():
    sentence = Sentence(text="Yes,", words=(YES,))
    assert names(sentence_tokens(sentence)[0]) == ["pau", "y", "eh1", "s", "."]
    assert token_words(sentence) == [-1, 0, 0, 0, -1]


def test_an_aligned_recording_gives_the_tokens_of_its_sentence():
    phones = heard(
        ("pau", -1), ("y", 0), ("eh", 0), ("s", 0), ("pau", -1), ("pau", -1),
        ("ae", 1), ("n", 1), ("ah", 1), ("pau", -1),
    )  # fmt: skip
    ids, tags, kept = aligned_tokens(phones, SENTENCE.words, "?")
    assert (ids, tags) == sentence_tokens(SENTENCE)
    assert len(kept) == len(ids)
    assert (kept[4].start, kept[4].end) == pytest.approx((0.4, 0.6))
    assert all(a.end == pytest.approx(b.start) for a, b in zip(kept, kept[1:], strict=False))  # noqa: RUF007


def test_an_unexpected_pause_is_pau_and_a_pause_not_made_is_left_out():
    ids, _, _ = aligned_tokens(
        heard(("y", 0), ("eh", 0), ("s", 0), ("ae", 1), ("n", 1), ("ah", 1)), SENTENCE.words, "."
    )
    assert names(ids) == ["y", "eh1", "s", "ae1", "n", "ax0"]
    words = (ANNA, YES)
    ids, _, _ = aligned_tokens(
        heard(("ae", 0), ("n", 0), ("ah", 0), ("pau", -1), ("y", 1), ("eh", 1), ("s", 1)),
        words,
        ".",
    )
    assert names(ids)[3] == "pau"


def test_what_is_unknown_is_refused():
    with pytest.raises(InputError, match="no phone that this voice knows"):
        symbol_id("qq")
    with pytest.raises(InputError, match="no phone"):
        symbol_id("_")
    assert symbol_id("ah") == symbol_id("ah0")
    with pytest.raises(InputError, match="has no words"):
        sentence_tokens(Sentence(text="", words=()))
    with pytest.raises(InputError, match="belongs to no word"):
        aligned_tokens(heard(("y", 5)), SENTENCE.words, ".")
