import numpy as np
import pytest

from facevox.recipes.speaker_trials import equal_error_rate


def test_known_error_rates():
    assert equal_error_rate(np.array([0.8, 0.9]), np.array([0.1, 0.2])) == 0.0
    assert equal_error_rate(np.array([0.1, 0.2]), np.array([0.8, 0.9])) == 1.0
    half = equal_error_rate(np.linspace(0, 1, 101), np.linspace(0, 1, 101))
    assert half == pytest.approx(0.5, abs=0.01)
    one_of_four = equal_error_rate(np.array([0.2, 0.7, 0.8, 0.9]), np.array([0.1, 0.3, 0.4, 0.75]))
    assert one_of_four == pytest.approx(0.25)
