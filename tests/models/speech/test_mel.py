import numpy as np
import pytest
import torch

from facevox.models.speech.mel import (
    MelSettings,
    MelSpectrogram,
    hertz_to_mel,
    matcha_22k,
    mel_filters,
    mel_to_hertz,
)


def test_one_second_is_a_hundred_frames():
    assert MelSpectrogram()(torch.zeros(2, 16_000)).shape == (2, 80, 100)


@pytest.mark.parametrize("extra", [0, 1, 159])
def test_a_frame_for_every_whole_hop(extra):
    assert MelSpectrogram()(torch.zeros(1, 16_000 + extra)).shape[-1] == 100


def test_silence_is_the_floor_of_the_stft():
    mel = MelSpectrogram()(torch.zeros(1, 1600))
    assert torch.allclose(mel, mel[:, :, :1].expand_as(mel))
    assert mel.max() < -8


def test_shifting_by_a_hop_shifts_by_a_frame():
    sound = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    mel = MelSpectrogram()
    whole, later = mel(sound), mel(sound[:, 160:])
    assert torch.allclose(whole[:, :, 5:-5], later[:, :, 4:-5], atol=1e-4)


def test_a_tone_is_loudest_in_its_band():
    time = torch.arange(16_000) / 16_000
    mel = MelSpectrogram()(torch.sin(2 * torch.pi * 1000 * time)[None])
    band = int(mel[0, :, 50].argmax())
    edges = mel_to_hertz(np.linspace(0, hertz_to_mel(8000.0), 82))
    assert edges[band] < 1000 < edges[band + 2]


def test_a_gain_adds_its_logarithm():
    sound = torch.randn(1, 8000, generator=torch.Generator().manual_seed(1)) * 0.1
    mel = MelSpectrogram()
    assert torch.allclose(mel(2 * sound) - mel(sound), torch.tensor(np.log(2.0)).float(), atol=1e-3)


def test_gradients_reach_the_waveform():
    sound = torch.randn(1, 4000, requires_grad=True)
    MelSpectrogram()(sound).sum().backward()
    assert torch.isfinite(sound.grad).all()
    assert sound.grad.abs().sum() > 0


def test_hertz_to_mel_is_slaneys_and_turns_back():
    assert hertz_to_mel(1000.0) == pytest.approx(15.0)
    assert hertz_to_mel(6400.0) == pytest.approx(42.0)
    frequency = np.array([0.0, 100.0, 999.0, 1001.0, 7999.0])
    assert mel_to_hertz(hertz_to_mel(frequency)) == pytest.approx(frequency)


@pytest.mark.parametrize("settings", [MelSettings(), matcha_22k(), MelSettings(f_max=None)])
def test_every_triangle_has_the_same_area(settings):
    filters = mel_filters(settings)
    assert filters.shape == (settings.n_mels, settings.n_fft // 2 + 1)
    areas = filters.sum(1)[settings.n_mels // 2 :] * settings.sample_rate / settings.n_fft
    assert areas == pytest.approx(1.0, rel=0.1)


def test_a_waveform_too_short_to_mirror_is_refused():
    with pytest.raises(ValueError, match="433 are needed"):
        MelSpectrogram()(torch.zeros(1, 432))
