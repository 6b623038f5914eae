import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facevox.core.errors import InputError
from facevox.core.speech import PHONES
from facevox.core.text.reader import MOST_WORDS, read_sentences


def spoken(text):
    return [word.text for sentence in read_sentences(text) for word in sentence.words]


def test_sentence_carries_everything():
    first, second = read_sentences("Is it 3 pm, Dr. Li? Yes!\n\nGood.".replace("\n\nGood.", ""))
    assert first.text == "Is it 3 pm, Dr. Li?"
    assert [word.text for word in first.words] == "is it three p m doctor li".split()
    assert first.words[4].pause_after == ","
    assert (first.mark, second.mark) == ("?", "!")
    assert second.pause > first.pause


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("\U0001f600\U0001f389", "signs or emoji"),
        ("... !? --", "signs or emoji"),
        ("\u4f60\u597d\u4e16\u754c", "script"),
        ("\u041f\u0440\u0438\u0432\u0435\u0442", "script"),
    ],
)
def test_nothing_to_say_is_an_input_error(text, words):
    with pytest.raises(InputError, match=words):
        next(read_sentences(text))


def test_other_scripts_are_skipped_with_one_warning():
    heard = []
    text = "Hello \u4f60\u597d there. \u041f\u0440\u0438\u0432\u0435\u0442! Bye \u4f60."
    sentences = list(read_sentences(text, warn=heard.append))
    assert [word.text for s in sentences for word in s.words] == ["hello", "there", "bye"]
    assert len(heard) == 1
    assert "\u4f60\u597d" in heard[0]


@pytest.mark.parametrize(
    ("text", "is_english"),
    [
        ("Der schnelle Fuchs springt \u00fcber den faulen Hund, und wir gehen heute Abend "
         "gemeinsam ins Kino, weil das Wetter schlecht ist.", False),
        ("Le renard rapide saute par dessus le chien et nous allons au cin\u00e9ma ce soir parce "
         "que le temps est mauvais.", False),
        ("The fox jumps over the lazy dog and we are going to the cinema tonight because the "
         "weather is bad.", True),
        ("Hola amigo.", True),
    ],
)  # fmt: skip
def test_other_languages_are_warned_about(text, is_english):
    heard = []
    list(read_sentences(text * 2, warn=heard.append))
    assert (heard == []) == is_english


def test_the_and_to_before_vowels():
    (sentence,) = read_sentences("the apple, the pear, to eat to live")
    said = [" ".join(word.phones) for word in sentence.words if word.text in ("the", "to")]
    assert said == ["dh iy0", "dh ax0", "t uw1", "t ax0"]


def test_spelled_letters():
    (sentence,) = read_sentences("The FBI's a CEO's")
    assert " ".join(sentence.words[3].phones) == "ay1 z"
    assert sentence.words[3].text == "i's"
    assert sentence.words[4].phones == ("ax0",)


def test_long_sentences_are_cut_where_one_breathes():
    clause = "one two three four five six seven eight nine ten eleven twelve"
    parts = list(read_sentences(f"{clause}, {clause} and {clause}, {clause}; {clause} end."))
    assert all(len(part.words) <= MOST_WORDS for part in parts)
    assert [word.text for part in parts for word in part.words].count("twelve") == 5
    assert parts[0].text.endswith(",")
    assert " ".join(part.text for part in parts).startswith(clause)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["alpha", "beta,", "gamma;", "delta.", "and", "who", "epsilon\n", "Zeta?"]),
        min_size=1,
        max_size=200,
    )
)
def test_never_loses_or_repeats_a_word(words):
    expected = [word.strip(",;.?\n").lower() for word in words]
    assert spoken(" ".join(words)) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_speakable_words_or_an_input_error(text):
    try:
        sentences = list(read_sentences(text))
    except InputError:
        return
    for word in itertools.chain.from_iterable(sentence.words for sentence in sentences):
        assert word.text.replace("'", "").isalpha()
        assert word.text == word.text.lower()
        assert word.phones
        assert {phone.rstrip("012") for phone in word.phones} <= set(PHONES)


def test_long_texts_are_read_to_the_end():
    text = "\n".join(["some words, and more of them. And " * 50] * 40)
    assert sum(len(sentence.words) for sentence in read_sentences(text)) == 7 * 2000


def test_memory_does_not_grow_with_the_text():
    def peak(repeats):
        text = "some words, and more of them. And " * repeats
        tracemalloc.start()
        for _ in read_sentences(text):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most - len(text)

    peak(10)
    assert peak(400) < 1.5 * peak(40) + 200_000
