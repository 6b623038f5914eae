import pytest

from facevox.core.errors import MissingPiece
from facevox.core.speech import PHONES
from facevox.core.text import phones
from facevox.core.text.phones import VOWELS, letter_phones, starts_with_vowel, word_phones


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("cat", "k ae1 t"),
        ("church", "ch er1 ch"),
        ("pleasure", "p l eh1 zh er0"),
        ("thing", "th ih1 ng"),
        ("boy", "b oy1"),
        ("university", "y uw2 n ax0 v er1 s ax0 t iy0"),
        ("the", "dh ax0"),
    ],
)
def test_known_words(word, expected):
    assert " ".join(word_phones(word)) == expected


@pytest.mark.parametrize("word", ["zorblax", "gruut's", "xqzt", "qq", "o'", "frobnicators'", "b"])
def test_unknown_words_get_valid_phones(word):
    result = word_phones(word)
    assert result
    for phone in result:
        name = phone.rstrip("012")
        assert name in PHONES
        assert (phone != name) == (name in VOWELS)


def test_possessive_of_an_unknown_word_ends_in_s_or_z():
    assert word_phones("zorblat's") == (*word_phones("zorblat"), "s")
    assert word_phones("zorblad's") == (*word_phones("zorblad"), "z")
    assert word_phones("zorblash's") == (*word_phones("zorblash"), "ax0", "z")


def test_every_letter_has_a_name():
    for letter in "abcdefghijklmnopqrstuvwxyz":
        assert any(phone[-1] == "1" for phone in letter_phones(letter))


def test_starts_with_vowel():
    assert starts_with_vowel(word_phones("hour"))
    assert not starts_with_vowel(word_phones("university"))


def test_missing_data_is_a_sentence(monkeypatch):
    monkeypatch.setattr(phones.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPiece, match="pip install"):
        phones._data_folder()
