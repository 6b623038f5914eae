import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facevox.core.text.split import mark_of, split_sentences


def sentences(text):
    return [" ".join(piece.text.split()) for piece in split_sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith left. | Mr. Jones stayed.",
        "He lives in the U.S. | She does not.",
        "It is 3.5 km to St. Paul. | Go!",
        "J. R. R. Tolkien wrote it. | So did I. | And you?",
        '"Is it so?" he asked. | "Yes!" | She left.',
        "We met at 5 p.m. on Monday. | At 6 p.m. | It rained.",
        "Wait... what? | Really?! | Yes.",
        "Apples, pears, etc. are fruit. | (I like them.) | Good.",
        "See p. 5 and no. 7. | He said no. | Fine.",
        "Yahoo! is a site. | Go.",
        "He lives in Baker St. | She does not.",
        "I saw the U.S. Army. | She lives on Elm Dr. | We left.",
        "1. One thing. | 2. Two things.",
        "Pay $3.50, i.e. Nothing. | Done.",
    ],
)
def test_splits_at_the_bars(text):
    assert sentences(text.replace(" | ", " ")) == text.split(" | ")


def test_paragraphs_lists_and_headings():
    text = (
        "Chapter One\nIt was a very dark and rather stormy night\nin May.\n\n- one\n- two\n3. three"
    )
    pieces = list(split_sentences(text))
    assert [" ".join(piece.text.split()) for piece in pieces] == [
        "Chapter One", "It was a very dark and rather stormy night in May.", "one", "two", "3. three",
    ]  # fmt: skip
    assert [piece.ends_paragraph for piece in pieces] == [False, True, False, False, True]


def test_marks():
    assert mark_of("Who?") == mark_of('"Who?"') == mark_of("What?!") == "?"
    assert mark_of("Go!") == "!"
    assert mark_of("So") == mark_of("So.") == mark_of("So...") == "."


def test_is_lazy():
    pieces = split_sentences("One. Two. " * 100_000)
    assert next(pieces).text == "One."


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["word", "Word", "Dr.", "U.S.", "I", "I.", "3.5", "end.", "what?", "no!", "...", "\n",
             "\n\n", '"Hi,"', "(so)", "etc.", "a.m.", "e.g.", "it's", "x" * 3000]
        ),
        max_size=60,
    )
)  # fmt: skip
def test_never_loses_or_repeats_a_letter(words):
    text = " ".join(words)
    joined = "".join(piece.text for piece in split_sentences(text))
    assert re.sub(r"\s", "", joined) == re.sub(r"\s", "", text)
