"""Sentences become tokens."""

import pytest

from facevox.core.errors import InputError
from facevox.core.speech import PHONES
from facevox.core.text.phones import VOWELS
from facevox.core.text.sentence import Sentence, Word
from facevox.models.speech.matcha.config import small
from facevox.models.speech.matcha.symbols import (
    NUM_SYMBOLS,
    SYMBOLS,
    sentence_tokens,
    symbol_id,
    token_words,
)

YES = Word(text="yes", phones=("y", "eh1", "s"), pause_after=",")
ANNA = Word(text="anna", phones=("ae1", "n", "ax0"))
SENTENCE = Sentence(text="Yes, Anna?", words=(YES, ANNA), mark="?")


def names(ids):
    return [SYMBOLS[index] for index in ids]


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


def test_what_is_unknown_is_refused():
    with pytest.raises(InputError, match="no phone that this voice knows"):
        symbol_id("qq")
    with pytest.raises(InputError, match="no phone"):
        symbol_id("_")
    assert symbol_id("ah") == symbol_id("ah0")
    with pytest.raises(InputError, match="has no words"):
        sentence_tokens(Sentence(text="", words=()))
