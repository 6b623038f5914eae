from pathlib import Path

import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.recognisers import spoken_words
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Metric, Seen
from facevox.evaluation.metrics.word_errors import (
    WordErrors,
    corpus_rate,
    count_character_errors,
    count_word_errors,
)

pytest.importorskip("jiwer")


def counts(found):
    return found.substitutions, found.deletions, found.insertions, found.length


@pytest.mark.parametrize(
    ("text", "heard", "expected", "rate"),
    [
        ("the cat sat", "the cat sat", (0, 0, 0, 3), 0),
        ("the cat sat", "the bat sat", (1, 0, 0, 3), 100 / 3),
        ("the cat sat", "the sat", (0, 1, 0, 3), 100 / 3),
        ("the cat sat", "the cat has sat", (0, 0, 1, 3), 100 / 3),
        ("the cat sat down", "a cat sat", (1, 1, 0, 4), 50),
        ("the cat", "", (0, 2, 0, 2), 100),
        ("cat", "a big bad dog", (1, 0, 3, 1), 400),
    ],
)
def test_words_counted_by_hand(text, heard, expected, rate):
    found = count_word_errors(text, heard)
    assert counts(found) == expected
    assert found.rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("text", "heard", "expected"),
    [
        ("abc", "abd", (1, 0, 0, 3)),
        ("a cat", "acat", (0, 1, 0, 5)),
        ("cat", "cats", (0, 0, 1, 3)),
        ("cat", "", (0, 3, 0, 3)),
    ],
)
def test_characters_counted_by_hand(text, heard, expected):
    assert counts(count_character_errors(text, heard)) == expected


def test_extra_spaces_are_no_errors():
    assert count_character_errors("the  cat ", "the cat").rate == 0


def test_a_text_without_words_is_refused():
    with pytest.raises(InputError, match="no word"):
        count_word_errors("  ", "cat")


def seen(errors, lengths, people=None):
    return [
        Seen(
            Clip(name=f"c{i}", video=Path("x.mp4"), identity=people[i] if people else ""),
            {
                "word_errors": np.array(e),
                "word_length": np.array(n),
                "word_rate": np.array(100 * e / n),
                "character_errors": np.array(e),
                "character_length": np.array(5 * n),
            },
        )
        for i, (e, n) in enumerate(zip(errors, lengths, strict=True))
    ]


def test_the_corpus_rate_weighs_by_length_and_the_mean_of_clips_does_not():
    results = WordErrors("pocketsphinx").summarise(seen([1, 0], [2, 18]))
    assert results["WER (pocketsphinx)"].value == pytest.approx(5.0)
    assert results["WER mean of clips (pocketsphinx)"].value == pytest.approx(25.0)
    assert results["CER (pocketsphinx)"].value == pytest.approx(1.0)


def test_rates_above_one_hundred_stay():
    assert corpus_rate(seen([9], [3]), "word").value == 300


def test_the_interval_holds_the_rate_and_repeats():
    rows = seen([0, 1, 2, 3, 0, 1, 5, 0], [8] * 8)
    first, again = (corpus_rate(rows, "word", seed=3) for _ in range(2))
    assert first == again
    assert first.low < first.value < first.high
    assert corpus_rate(rows[:1], "word").low is None


def test_clips_of_one_person_are_drawn_together():
    errors, lengths = [4, 0] * 12, [10] * 24
    people = [str(i // 4 % 6) for i in range(24)]
    alike = [str(i % 2 + 2 * (i // 8)) for i in range(24)]
    mixed = corpus_rate(seen(errors, lengths, people), "word")
    apart = corpus_rate(seen(errors, lengths, alike), "word")
    assert mixed.high - mixed.low < 1e-9  # every person errs alike
    assert apart.high - apart.low > 10


class Parrot:
    name = normaliser = "parrot"

    def __init__(self, heard):
        self.heard = heard

    def transcribe(self, waveform):
        return self.heard

    def normalise(self, text):
        return spoken_words(text)


def test_a_clip_is_observed(tmp_path, monkeypatch):
    monkeypatch.setattr(ClipMedia, "waveform", lambda self, rate=16_000: np.ones(9, np.float32))
    judges = Judges(tmp_path)
    judges.put("pocketsphinx", Parrot("three doors"))
    media = ClipMedia(Clip(name="a", video=Path("a.mp4"), text="3 dogs."), judges)
    metric = WordErrors()
    assert isinstance(metric, Metric)
    found = metric.observe(media)
    assert str(found["text"]) == "three dogs"
    assert str(found["heard"]) == "three doors"
    assert found["word_errors"] == 1
    assert found["character_errors"] == 2


def test_a_clip_without_text_is_refused(tmp_path):
    media = ClipMedia(Clip(name="a", video=Path("a.mp4")), Judges(tmp_path))
    with pytest.raises(InputError, match="text is not known"):
        WordErrors().observe(media)


def test_figures_of_two_recognisers_have_other_names():
    names = [f.name for r in ("pocketsphinx", "whisper-large-v2") for f in WordErrors(r).figures]
    assert len(set(names)) == 6
    assert "WER (Whisper large-v2)" in names
