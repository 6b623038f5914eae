import sys
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

from facevox.core.errors import DataError, MissingPiece
from facevox.core.text.reader import read_sentences
from facevox.data.speech.alignment import SHORTEST_PHONE, align_words


def test_borders_are_where_the_speaker_put_them(spoken):
    _, sentence, speech = spoken
    segments = align_words(speech.waveform, sentence.words)
    said = [s for s in segments if s.word >= 0]
    assert [s.symbol for s in said] == [p for word in sentence.words for p in word.phones]
    assert [s.word for s in said] == [k for k, w in enumerate(sentence.words) for _ in w.phones]
    made = [p for p in speech.phones if p.word >= 0]
    errors = [abs(s.start / 100 - p.start) for s, p in zip(said, made, strict=True)]
    assert np.median(errors) < 0.015
    assert np.mean(np.array(errors) < 0.04) > 0.9


def test_segments_leave_no_gaps(spoken):
    _, sentence, speech = spoken
    segments = align_words(speech.waveform, sentence.words)
    assert segments[0].start == 0
    assert all(a.end == b.start for a, b in pairwise(segments))
    assert min(s.end - s.start for s in segments) >= SHORTEST_PHONE


def test_one_recording_does_not_colour_the_next(spoken):
    _, sentence, speech = spoken
    first = align_words(speech.waveform, sentence.words)
    with suppress(DataError):
        align_words(speech.waveform[8000:24_000], sentence.words[2:6])
    assert align_words(speech.waveform, sentence.words) == first


def test_other_words_fit_badly_or_not_at_all(spoken):
    _, sentence, speech = spoken
    right = [s.fit for s in align_words(speech.waveform, sentence.words) if s.word >= 0]
    (other,) = read_sentences("Four hours of steady work faced us.")
    try:
        wrong = [s.fit for s in align_words(speech.waveform, other.words) if s.word >= 0]
    except DataError:
        return
    assert np.mean(right) > -30
    assert np.mean(wrong) < -40


def test_far_too_many_words_do_not_fit(spoken):
    _, sentence, speech = spoken
    with pytest.raises(DataError, match="does not fit the sound"):
        align_words(speech.waveform[:8000], sentence.words * 3)


def test_without_the_aligner_it_is_told(spoken, monkeypatch):
    _, sentence, speech = spoken
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(MissingPiece, match="needs pocketsphinx"):
        align_words(speech.waveform, sentence.words)
