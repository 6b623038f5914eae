import numpy as np
import pytest

from facevox.models.speech.pitch_track import pitch_track

RATE = 16_000


def _pulses(f0: np.ndarray) -> np.ndarray:
    phase = np.cumsum(np.repeat(f0, RATE // 100)) / RATE
    sound = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 12))
    return (0.1 * sound).astype(np.float32)


def test_a_glide_is_followed():
    f0 = np.linspace(100, 200, 150)
    found = pitch_track(_pulses(f0), RATE, 150)
    middle = slice(10, -10)
    assert (found[middle] > 0).all()
    assert found[middle] == pytest.approx(f0[middle], rel=0.02)


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32) * 0.1
    assert (pitch_track(noise, RATE, 100) > 0).mean() < 0.1
    assert not pitch_track(np.zeros(RATE, np.float32), RATE, 100).any()


@pytest.mark.parametrize("frames", [1, 50, 99, 120])
def test_as_many_frames_as_asked_for(frames):
    assert pitch_track(_pulses(np.full(100, 120.0)), RATE, frames).shape == (frames,)


def test_a_slip_of_an_octave_is_put_right():
    f0 = np.full(200, 110.0)
    f0[100:120] = 220.0
    found = pitch_track(_pulses(f0), RATE, 200)
    voiced = found > 0
    assert np.median(found[voiced]) == pytest.approx(110, rel=0.02)
    assert found[voiced].max() < 160
