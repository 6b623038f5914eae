import numpy as np
import pytest

from facevox.models.speech.flite_library import Parameters
from facevox.models.speech.pitch import measure_f0
from facevox.models.speech.vocoder import HOP, SAMPLE_RATE, synthesise

FRAMES = 200


def parameters(f0=120.0, voicing=1.0, peak=0.0):
    cepstra = np.zeros((FRAMES, 25), np.float32)
    cepstra[:, 0] = 5.0
    cepstra[:, 1] = 1.0
    cepstra[:, 4] = peak
    return Parameters(
        f0=np.full(FRAMES, f0, np.float32),
        mel_cepstrum=cepstra,
        voicing=np.full((FRAMES, 5), voicing, np.float32),
    )


@pytest.mark.parametrize("f0", [60.0, 120.0, 233.3, 400.0])
@pytest.mark.parametrize("tract", [0.75, 1.0, 1.33])
def test_pitch_is_exact_whatever_the_tract(f0, tract):
    sound = synthesise(parameters(f0), tract)
    assert len(sound) == (FRAMES - 1) * HOP
    np.testing.assert_allclose(measure_f0(sound, SAMPLE_RATE)[10:-10], f0, rtol=0.005)


def test_amplitudes_follow_the_envelope():
    flat = parameters(200.0)
    flat.mel_cepstrum[:, 1:] = 0
    spectrum = np.abs(np.fft.rfft(synthesise(flat, 1.0)[2400 : 2400 + SAMPLE_RATE // 2]))
    harmonics = spectrum[100:3600:100]
    assert harmonics.std() / harmonics.mean() < 0.05
    assert harmonics.min() > 50 * np.median(spectrum[:3600])


def test_a_longer_tract_lowers_the_spectrum():
    def centroid(tract):
        sound = synthesise(parameters(100.0, peak=0.6), tract)
        power = np.abs(np.fft.rfft(sound)) ** 2
        return (power * np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)).sum() / power.sum()

    assert centroid(0.8) == pytest.approx(centroid(1.0) / 0.8, rel=0.05)
    assert centroid(1.25) == pytest.approx(centroid(1.0) / 1.25, rel=0.05)


def test_unvoiced_frames_are_noise_of_the_same_loudness():
    whispered = parameters(0.0)
    sound = synthesise(whispered, 1.0)
    assert not measure_f0(sound, SAMPLE_RATE)[5:-5].any()
    voiced = synthesise(parameters(150.0), 1.0)
    assert sound[2400:-2400].std() == pytest.approx(voiced[2400:-2400].std(), rel=0.2)


def test_same_seed_same_noise():
    first, again, other = (synthesise(parameters(0.0), 1.0, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_two_frames_are_enough():
    short = parameters()
    two = Parameters(
        f0=short.f0[:2], mel_cepstrum=short.mel_cepstrum[:2], voicing=short.voicing[:2]
    )
    assert len(synthesise(two, 1.0)) == HOP
