import numpy as np
import pytest

from facevox.models.speech.pitch import measure_f0

RATE = 16_000


def buzz(frequencies):
    phase = 2 * np.pi * np.cumsum(frequencies) / RATE
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, 8))).astype(np.float32)


@pytest.mark.parametrize("frequency", [60.0, 95.0, 133.7, 210.0, 320.0, 480.0])
def test_steady_tones_are_exact(frequency):
    f0 = measure_f0(buzz(np.full(RATE, frequency)), RATE)[5:-5]
    np.testing.assert_allclose(f0, frequency, rtol=0.005)


def test_glides_are_followed():
    asked = np.linspace(120, 240, RATE)
    f0 = measure_f0(buzz(asked), RATE)[5:-5]
    times = np.arange(len(f0)) + 5
    np.testing.assert_allclose(f0, asked[times * RATE // 100], rtol=0.02)


def test_noise_and_silence_are_unvoiced():
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    assert (measure_f0(noise, RATE) > 0).mean() < 0.02
    assert not measure_f0(np.zeros(RATE, np.float32), RATE).any()


@pytest.mark.parametrize("samples", [0, 1, 100, 16_000])
def test_one_value_every_ten_milliseconds(samples):
    assert len(measure_f0(np.zeros(samples, np.float32), RATE)) == samples // 160 + 1
