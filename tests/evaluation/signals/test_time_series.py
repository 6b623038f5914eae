from fractions import Fraction

import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.signals.time_series import bridge, pieces, power_between, spectrum, windows


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float64)[:, None]


def test_short_holes_are_bridged_and_long_ones_stay():
    curve = column(np.nan, 0, np.nan, np.nan, 3, np.nan, np.nan, np.nan, 9)
    filled = bridge(curve, 2)[:, 0]
    np.testing.assert_array_equal(filled[1:5], [0, 1, 2, 3])
    assert np.isnan(filled[[0, 5, 6, 7]]).all()


def test_long_holes_cut_the_curve():
    curve = np.arange(200.0)[:, None]
    curve[100:110] = np.nan
    curve[50] = np.nan
    first, second = pieces(curve, 25, shortest=1.0)
    np.testing.assert_array_equal(first[:, 0], np.arange(100))
    np.testing.assert_array_equal(second[:, 0], np.arange(110, 200))
    assert [len(piece) for piece in pieces(curve, 25, shortest=3.8)] == [100]


@pytest.mark.parametrize("fps", [30, 50, Fraction(30000, 1001), 24, Fraction(24000, 1001)])
def test_other_rates_become_25_hz(fps):
    times = np.arange(round(4 * fps)) / float(fps)
    (piece,) = pieces(np.sin(2 * np.pi * times)[:, None], fps, shortest=3.0)
    np.testing.assert_allclose(
        piece[:, 0], np.sin(2 * np.pi * np.arange(len(piece)) / 25), atol=0.01
    )


def test_slow_video_is_refused():
    with pytest.raises(InputError, match=r"12\.5 fps"):
        pieces(np.zeros((100, 1)), Fraction(25, 2), shortest=1.0)


def test_power_of_a_swing_is_half_its_amplitude_squared():
    times = np.arange(100) / 25
    curve = 3 * np.sin(2 * np.pi * 10 * times)[:, None] + times[:, None] * 50
    frequencies, power = spectrum(curve)
    assert power_between(frequencies, power, 5.0)[0] == pytest.approx(4.5, rel=0.01)
    assert power_between(frequencies, power, 0.0, 5.0)[0] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("length", [75, 76, 120, 400])
def test_windows_cover_everything(length):
    curve = np.arange(length)[:, None] * 1.0
    parts = list(windows(curve, 75))
    assert all(len(part) == 75 for part in parts)
    assert {value for part in parts for value in part[:, 0]} == set(range(length))


def test_too_short_for_a_window():
    assert not list(windows(np.zeros((74, 1)), 75))
