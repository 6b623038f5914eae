import numpy as np
import pytest

from facevox.core.speech import Phone
from facevox.evaluation.mouth_agreement import MouthPair, agreement, best_lag, closure_rate


def pair_of(made, filmed, phones=()):
    return MouthPair(
        made=made, filmed=filmed, found=np.ones(len(made), bool), phones=phones, fps=25.0
    )


@pytest.fixture
def filmed():
    return np.cumsum(np.random.default_rng(0).normal(size=(75, 7)), 0)


def test_a_perfect_copy_scores_one(filmed):
    result = agreement([pair_of(filmed.copy(), filmed)])
    assert result["gap_correlation"] == 1
    assert result["coefficient_correlations"] == [1] * 6
    assert result["gap_amplitude_ratio"] == 1
    assert result["gap_error_rms"] == 0
    assert result["lag_frames"] == 0


def test_a_still_mouth_scores_nothing(filmed):
    result = agreement([pair_of(np.zeros_like(filmed), filmed)])
    assert result["gap_correlation"] == 0
    assert result["gap_amplitude_ratio"] == 0


@pytest.mark.parametrize("lag", [-2, 0, 1])
def test_lag_is_found(filmed, lag):
    assert best_lag([pair_of(np.roll(filmed, lag, 0), filmed)]) == lag


def test_closures_are_counted():
    gap = np.full((75, 7), 0.1)
    gap[10] = 0.0
    phones = (Phone(name="b", start=0.38, end=0.44), Phone(name="m", start=1.0, end=1.1))
    assert closure_rate([pair_of(gap, gap, phones)], made=True) == 0.5
