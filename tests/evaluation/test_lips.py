import numpy as np
import pytest

from facevox.core.speech import PHONES, SILENCE, Phone
from facevox.evaluation.lips import (
    OPENNESS,
    best_lag,
    expected_openness,
    lip_gap,
    score_lips,
    summary,
)

FPS = 25.0


def spoken(repeats: int = 6) -> list[Phone]:
    names = [SILENCE, "b", "aa", "s", "iy", "m", "ow", SILENCE]
    lengths = [0.6, 0.08, 0.16, 0.1, 0.12, 0.1, 0.2, 0.6]
    phones, time = [], 0.0
    for _ in range(repeats):
        for name, length in zip(names, lengths, strict=True):
            phones.append(Phone(name=name, start=time, end=time + length))
            time += length
    return phones


def frames_of(phones):
    return round(phones[-1].end * FPS)


def test_every_phone_has_an_openness():
    assert set(OPENNESS) == {*PHONES, SILENCE}


def test_perfect_lips_score_perfectly():
    phones = spoken()
    gap = 0.25 * expected_openness(phones, frames_of(phones), FPS)
    score = score_lips(gap, phones, FPS)
    assert score.correlation == pytest.approx(1.0)
    assert score.lag == pytest.approx(0.0, abs=1e-6)
    assert score.pause_motion == pytest.approx(0.0, abs=1e-9)
    assert score.closures == 12


@pytest.mark.parametrize("shift", [-4, -1, 2, 5])
def test_shifted_lips_report_their_shift(shift):
    phones = spoken()
    gap = 0.25 * expected_openness(phones, frames_of(phones), FPS)
    assert best_lag(np.roll(gap, shift), gap) == pytest.approx(shift, abs=0.05)


def test_lips_that_never_close_are_found():
    phones = spoken()
    gap = np.full(frames_of(phones), 0.2)
    gap[::2] += 0.01
    assert score_lips(gap, phones, FPS).closed == 0


def test_moving_in_silence_is_found():
    phones = spoken()
    gap = 0.25 * expected_openness(phones, frames_of(phones), FPS)
    gap[2:12] += 0.1 * np.sin(np.arange(10))
    assert score_lips(gap, phones, FPS).pause_motion > 0.3


def test_lip_gap_is_in_iod():
    landmarks = np.zeros((1, 478, 3))
    landmarks[0, 473, 0] = 100
    landmarks[0, 14, 1] = 20
    assert lip_gap(landmarks)[0] == pytest.approx(0.2)


def test_summary_counts():
    phones = spoken()
    gap = 0.25 * expected_openness(phones, frames_of(phones), FPS)
    row = score_lips(gap, phones, FPS)
    assert summary([row, row])["closures"] == 24
