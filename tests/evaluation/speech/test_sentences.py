"""The sentences: how many, all different, readable, and in no training text."""

import re

import pytest

from facevox.core.errors import InputError
from facevox.core.text.reader import read_sentences
from facevox.evaluation.judges.recognisers import spoken_words
from facevox.evaluation.speech.sentences import PARTS, load_sentences
from facevox.evaluation.texts import HARVARD_SENTENCES


@pytest.mark.parametrize(
    ("name", "count"),
    [("tune", 20), ("test", 60), ("hard", 120), ("speech-80", 80), ("speech-200", 200)],
)
def test_lists_have_their_size_and_a_digest_of_their_own(name, count):
    found = load_sentences(name)
    assert len(found.texts) == count
    others = [load_sentences(other).digest for other in PARTS if other != name]
    assert found.digest not in others


def test_sentences_differ_from_each_other_and_from_the_video_suites():
    words = [spoken_words(text) for text in load_sentences("speech-200").texts.values()]
    assert len(set(words)) == 200
    assert not set(words) & {spoken_words(text) for text in HARVARD_SENTENCES}


def test_the_hard_ones_are_of_all_kinds():
    lengths = [len(spoken_words(text).split()) for text in load_sentences("hard").texts.values()]
    assert lengths.count(1) >= 8
    assert sum(length >= 60 for length in lengths) >= 5
    texts = list(load_sentences("hard").texts.values())
    assert sum(bool(re.search(r"\b(\w+)[, ]+\1\b", text, re.IGNORECASE)) for text in texts) >= 10
    assert sum(any(c.isdigit() for c in text) for text in texts) >= 3


def test_everyday_sentences_are_read_as_one():
    for text in load_sentences("speech-80").texts.values():
        (sentence,) = read_sentences(text)
        assert sentence.words


def test_no_sentence_is_in_the_shared_speech(shared):
    known = {}
    for file in (shared / "data" / "speech").rglob("metadata.csv"):
        for line in file.read_text("utf-8").splitlines():
            text = re.sub(r"[^a-z' ]", "", line.rpartition("|")[2].lower())
            known[" ".join(text.split())] = file.parent.name
    if not known:
        pytest.skip("no transcripts are here")
    long = " | ".join(known)
    for text in load_sentences("speech-200").texts.values():
        words = spoken_words(text)
        assert words not in known
        assert len(words.split()) < 4 or f" {words} " not in f" {long} "


def test_own_sentences_and_limits(tmp_path):
    file = tmp_path / "lines.txt"
    file.write_text("One.\n\n Two. \nThree.\n", "utf-8")
    found = load_sentences(file)
    assert dict(found.texts) == {
        "sentence-1": "One.",
        "sentence-2": "Two.",
        "sentence-3": "Three.",
    }
    assert len(load_sentences("test").take(7).texts) == 7
    assert load_sentences(["One."]).name == "own"


@pytest.mark.parametrize("source", ["nothing-of-the-kind", [], ["", "  "]])
def test_no_sentences_are_refused(source):
    with pytest.raises(InputError, match="sentence"):
        load_sentences(source)


def test_a_binary_file_is_refused(tmp_path):
    (tmp_path / "lines.txt").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(InputError, match="UTF-8"):
        load_sentences(tmp_path / "lines.txt")
    with pytest.raises(InputError, match="limit"):
        load_sentences("test").take(0)
