import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.metrics.f0_error import FEWEST_VOICED, f0_error


def straight(count):
    return np.stack((np.arange(count), np.arange(count)), axis=1)


def test_a_known_detuning_is_found_exactly():
    f0 = np.full(50, 200.0)
    error = f0_error(f0 * 2 ** (1 / 12), f0, straight(50))
    assert error.cents == pytest.approx(100)
    assert error.hertz == pytest.approx(200 * (2 ** (1 / 12) - 1))
    assert error.pairs == 50


def test_the_mean_is_of_squares():
    f0 = np.full(40, 100.0)
    ours = f0 + np.tile([3.0, -4.0], 20)
    assert f0_error(ours, f0, straight(40)).hertz == pytest.approx(np.sqrt(12.5))


def test_frames_unvoiced_in_one_do_not_count():
    f0 = np.full(60, 100.0)
    ours = f0 + 5
    ours[:20] = 0
    theirs = f0.copy()
    theirs[50:] = 0
    error = f0_error(ours, theirs, straight(60))
    assert error.pairs == 30
    assert error.hertz == pytest.approx(5)


def test_frames_are_compared_along_the_path():
    theirs = np.linspace(100, 200, 40)
    ours = np.repeat(theirs, 2)
    path = np.stack((np.arange(80), np.arange(80) // 2), axis=1)
    assert f0_error(ours, theirs, path).hertz == 0


def test_too_few_voiced_pairs_are_refused():
    f0 = np.zeros(100)
    f0[: FEWEST_VOICED - 1] = 100
    with pytest.raises(InputError, match="Only 19 pairs"):
        f0_error(f0, f0, straight(100))
