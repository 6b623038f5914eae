import numpy as np
import pytest

from facevox.evaluation.judges.mfcc import mfcc

EXPECTED = {
    0: [21.3173466, -21.866436, 8.18741378, 6.24588847, 5.11535202, -5.39125717, -12.4470135,
        -23.8127919, -25.45475, -15.2163774, -16.6198921, -23.0793783, -26.6672163],
    24: [21.6646651, -20.8476028, 0.423900602, -18.6826055, -26.7101358, -25.0244047, -8.92933552,
         14.5440241, 28.4533215, 17.5064958, 4.62045186, -6.51052071, -11.9696771],
    48: [21.8135625, -18.1864046, -5.83086187, -24.862908, -13.790562, 14.6042427, 28.5915772,
         6.06556186, -18.2829275, -25.9906706, -6.14175914, 13.9945367, 17.5707457],
}  # fmt: skip
"""What python_speech_features 0.6 returns for `sweep`."""


def sweep() -> np.ndarray:
    n = np.arange(8000)
    tone = 12000 * np.sin(2 * np.pi * (200 + 0.05 * n) * n / 16000)
    return np.round(tone + 3000 * np.sin(n * n * 0.37))


def test_equals_python_speech_features():
    rows = mfcc(sweep() / 32768)
    assert rows.shape == (49, 13)
    for index, expected in EXPECTED.items():
        np.testing.assert_allclose(rows[index], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("samples", "windows"), [(300, 1), (400, 1), (401, 2), (560, 2), (561, 3), (64_000, 399)]
)
def test_counts_windows_as_the_package_does(samples, windows):
    assert mfcc(np.full(samples, 1 / 32768)).shape == (windows, 13)


def test_silence_is_finite():
    rows = mfcc(np.zeros(1000))
    assert rows[0, 0] == pytest.approx(-36.0436534)
    np.testing.assert_allclose(rows[:, 1:], 0, atol=1e-9)


def test_single_precision_gives_the_same():
    wave = (sweep() / 32768).astype(np.float32)
    np.testing.assert_allclose(mfcc(wave), mfcc(sweep() / 32768), rtol=1e-9)


def test_too_loud_is_clipped_as_16_bit_is():
    assert np.array_equal(mfcc(np.full(800, 1.5)), mfcc(np.full(800, 32767 / 32768)))
