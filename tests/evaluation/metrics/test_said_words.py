"""Said words: what flite says wrongly on purpose is heard, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from facevox.core.errors import MissingPiece
from facevox.core.speech import Phone
from facevox.core.text.reader import read_sentences
from facevox.core.waveform import normalise_level, resample, write_waveform
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Metric, Seen
from facevox.evaluation.metrics.said_words import (
    SaidWords,
    WordTracker,
    find_slips,
    implausible_times,
)

pytest.importorskip("pocketsphinx")
TEXT = "The sun came up to light the eastern sky."


@pytest.fixture(scope="module")
def flite():
    from facevox.models.speech.registry import load_engine

    try:
        return load_engine("flite")
    except MissingPiece as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def tracker():
    return WordTracker()


def say(engine, words):
    """Return these words of the sentence as flite says them, at 16 kHz."""
    (sentence,) = read_sentences(TEXT)
    speech = engine.speak(
        replace(sentence, words=tuple(sentence.words[k] for k in words)), engine.base_voice("rms")
    )
    sound = resample(speech.waveform, speech.sample_rate, 16_000)
    return sentence.words, normalise_level(sound, 16_000)


@pytest.mark.parametrize(
    ("said", "skipped", "repeated"),
    [
        ((0, 1, 2, 3, 4, 5, 6, 7, 8), (), ()),
        ((0, 1, 2, 3, 4, 5, 6, 8), (7,), ()),
        ((0, 1, 4, 5, 6, 7, 8), (2, 3), ()),
        ((0, 1, 1, 2, 3, 4, 5, 6, 7, 8), (), ("sun",)),
        ((0, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8), (), ("to", "light")),
    ],
)
def test_slips_made_on_purpose_are_heard(flite, tracker, said, skipped, repeated):
    words, sound = say(flite, said)
    found = find_slips([word.text for word in words], tracker.follow(sound, words))
    assert found.skipped == skipped
    assert sorted(found.repeated) == sorted(repeated)


@pytest.mark.parametrize(
    ("heard", "skipped", "repeated"),
    [
        ("a b c d", (), ()),
        ("a b d", (2,), ()),
        ("", (0, 1, 2, 3), ()),
        ("a b c b c d", (), ("b", "c")),
        ("a a b d", (2,), ("a",)),
    ],
)
def test_slips_counted_by_hand(heard, skipped, repeated):
    found = find_slips("a b c d".split(), heard.split())
    assert (found.skipped, sorted(found.repeated)) == (skipped, sorted(repeated))


def test_doubled_words_of_the_text_are_no_slip():
    assert find_slips("had had that that".split(), "had had that that".split()).repeated == ()


def phones(*rows):
    found, start = [], 0.0
    for name, seconds in rows:
        found.append(Phone(name=name, start=start, end=start + seconds))
        start += seconds
    return found


@pytest.mark.parametrize(
    ("rows", "vowels", "wrong"),
    [
        ([("pau", 2.0), ("ah", 0.2), ("t", 0.1), ("ah", 0.2), ("pau", 2.0)], 2, ""),
        ([("ah", 0.7), ("t", 0.1)], 1, "ah lasts"),
        ([("ah", 0.2), ("pau", 1.3), ("t", 0.1)], 1, "a pause of"),
        ([("ah", 0.03), ("t", 0.03)] * 8, 8, "vowels a second"),
        ([("ah", 0.5), ("t", 0.5)] * 8, 8, "vowels a second"),
    ],
)
def test_times_that_are_not_of_speech(rows, vowels, wrong):
    assert wrong in implausible_times(phones(*rows), 9.0, vowels)
    assert bool(implausible_times(phones(*rows), 9.0, vowels)) == bool(wrong)


def test_the_metric_says_which_sentence_and_which_word(flite, tmp_path):
    metric = SaidWords()
    assert isinstance(metric, Metric)
    seen = []
    for name, said in (("good", range(9)), ("bad", (0, 1, 2, 3, 4, 5, 6, 8))):
        _, sound = say(flite, said)
        file = write_waveform(tmp_path / f"{name}.wav", sound, 16_000)
        clip = Clip(name=name, video=file, text=TEXT)
        seen.append(Seen(clip, metric.observe(ClipMedia(clip, Judges(tmp_path)))))
    results = metric.summarise(seen)
    assert results["sentences said whole"].value == pytest.approx(50)
    assert results["sentences said whole"].note.startswith("bad: skipped eastern")
    assert results["words skipped"].value == pytest.approx(1000 / 18)
    assert results["words repeated"].value == 0
    assert results["text aligned"].value >= 50


def test_noise_is_not_the_text(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    file = write_waveform(tmp_path / "noise.wav", noise, 16_000)
    clip = Clip(name="noise", video=file, text=TEXT)
    observation = SaidWords().observe(ClipMedia(clip, Judges(tmp_path)))
    assert not observation["whole"]
