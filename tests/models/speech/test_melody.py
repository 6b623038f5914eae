import numpy as np
import pytest

from facevox.core.text.sentence import Sentence, Word
from facevox.models.speech.melody import set_melody
from facevox.models.speech.segment import Segment

F0 = np.array([0, 0, 100, 110, 120, 0, 0, 90, 100, 110, 0], np.float32)
SEGMENTS = [
    Segment(name="pau", end=0.01, stressed=False, token=-1),
    Segment(name="ow", end=0.03, stressed=True, token=0),
    Segment(name="n", end=0.035, stressed=False, token=1),
    Segment(name="ow", end=0.05, stressed=True, token=1),
    Segment(name="pau", end=0.055, stressed=False, token=-1),
]


def sentence(mark=".", first="so"):
    words = (Word(text=first, phones=("ow1",)), Word(text="no", phones=("n", "ow1")))
    return Sentence(text="", words=words, mark=mark)


def melody(mean=200.0, spread=1.0, **question):
    return set_melody(F0, SEGMENTS, sentence(**question), mean, spread)


def test_mean_is_exact_and_unvoiced_frames_stay_unvoiced():
    f0 = melody()
    np.testing.assert_array_equal(f0 > 0, F0 > 0)
    assert f0[f0 > 0].mean() == pytest.approx(200, rel=1e-5)


def test_spread_scales_intervals():
    def octaves(f0):
        return np.log2(f0[F0 > 0])

    one, two, none = (octaves(melody(spread=s)) for s in (1.0, 2.0, 0.0))
    np.testing.assert_allclose(two - two.mean(), 2 * (one - one.mean()), atol=1e-5)
    np.testing.assert_allclose(none, np.log2(200), atol=1e-5)


def test_yes_no_questions_rise_at_the_end_only():
    rise = melody(mark="?") / np.maximum(melody(), 1e-9)
    np.testing.assert_allclose(rise[2:5], 1, rtol=1e-4)
    assert rise[9] > 1.1
    assert rise[9] > rise[8] > rise[7]


def test_wh_questions_do_not_rise():
    np.testing.assert_array_equal(melody(mark="?", first="where"), melody(first="where"))


def test_exclamations_are_livelier():
    assert np.ptp(melody(mark="!")) > np.ptp(melody())


def test_all_unvoiced():
    silent = np.zeros(11, np.float32)
    assert not set_melody(silent, SEGMENTS, sentence(), 200.0, 1.0).any()
