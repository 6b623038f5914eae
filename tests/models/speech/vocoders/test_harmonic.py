import numpy as np
import pytest
import torch
from torch.nn import functional

from facevox.core.errors import InputError
from facevox.models.speech.mel import MelSpectrogram
from facevox.models.speech.pitch import measure_f0
from facevox.models.speech.vocoders.harmonic import HarmonicVocoder, HarmonicVocoderConfig, tiny
from facevox.models.speech.vocoders.vocoder import Vocoder


def frames(count, rows=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mel = torch.randn(rows, 80, count, generator=generator) - 5
    f0 = 150 + 30 * torch.sin(torch.arange(count) / 9).repeat(rows, 1)
    f0[:, count // 2 : count // 2 + 8] = 0
    return mel, f0


def made(seed=0, **changes):
    torch.manual_seed(seed)
    return HarmonicVocoder(tiny().model_copy(update=changes)).eval()


@pytest.mark.parametrize("changes", [{}, {"residual": True}, {"pieces_per_frame": 1, "n_fft": 640}])
def test_a_second_is_16000_samples(changes):
    vocoder = made(**changes)
    assert isinstance(vocoder, Vocoder)
    with torch.no_grad():
        sound = vocoder(*frames(100, rows=2))
    assert sound.shape == (2, 16_000)
    assert torch.isfinite(sound).all()


def test_same_seed_same_bytes_and_another_seed_other_noise():
    vocoder = made()
    mel, f0 = frames(40, rows=2)
    seeds = torch.tensor([1, 1])
    with torch.no_grad():
        first, again = vocoder(mel, f0, seeds=seeds), vocoder(mel, f0, seeds=seeds)
        other = vocoder(mel, f0, seeds=seeds + 1)
        alone = vocoder(mel[1:], f0[1:], seeds=seeds[1:])
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    torch.testing.assert_close(alone[0], first[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("f0", [80.0, 137.0, 250.0])
def test_sound_follows_f0_before_any_training(f0):
    vocoder = made()
    with torch.no_grad():
        vocoder.noise.bias.view(2, 3, -1)[:, 0] = -9.0
        mel = frames(1)[0].repeat(1, 1, 80)
        sound = vocoder(mel, torch.full((1, 80), f0))[0].numpy()
    found = measure_f0(sound, 16_000)[5:-5]
    assert np.median(found[found > 0]) == pytest.approx(f0, rel=0.01)


def test_unvoiced_frames_have_no_harmonics():
    vocoder = made()
    with torch.no_grad():
        vocoder.noise.bias.view(2, 3, -1)[:, 0] = -30.0
        vocoder.noise.weight.zero_()
        sound = vocoder(frames(50)[0], torch.zeros(1, 50))
    assert float(sound.abs().max()) < 1e-6


@pytest.mark.parametrize("changes", [{}, {"pieces_per_frame": 1, "n_fft": 640}])
def test_receptive_field_is_what_it_says(changes):
    vocoder = made(**changes)
    mel, f0 = frames(60)
    changed, other_f0 = mel.clone(), f0.clone()
    changed[:, :, 30] += 1
    with torch.no_grad():
        away = (vocoder(changed, other_f0) - vocoder(mel, f0)).abs().view(60, 160).amax(1)
    touched = torch.nonzero(away > 0).flatten()
    assert touched.min() >= 30 - vocoder.receptive_field
    assert touched.max() <= 30 + vocoder.receptive_field
    assert touched.max() - touched.min() >= 2 * vocoder.receptive_field - 6


def test_gradients_reach_every_parameter():
    vocoder = made(residual=True)
    sound = vocoder(*frames(30))
    (sound * torch.linspace(-1, 1, sound.shape[1])).sum().backward()
    for name, parameter in vocoder.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


def test_learns_one_batch():
    front = MelSpectrogram()
    time = torch.arange(9600) / 16_000
    waveform = sum(0.1 / k * torch.cos(2 * torch.pi * 150 * k * time) for k in range(1, 12))
    mel, f0 = front(waveform[None]), torch.full((1, 60), 150.0)
    vocoder = made().train()
    optimizer = torch.optim.Adam(vocoder.parameters(), 5e-3)
    losses = []
    for _ in range(60):
        loss = functional.l1_loss(front(vocoder(mel, f0)), mel)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.35 * losses[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda mel, f0: (mel[:, :64], f0), "80 mel bands, but got 64"),
        (lambda mel, f0: (mel, f0[:, :-1]), "one value for each frame"),
        (lambda mel, f0: (mel[:, :, :0], f0[:, :0]), "no mel frames"),
        (lambda mel, f0: (mel * torch.nan, f0), "not numbers"),
        (lambda mel, f0: (mel, f0 / 0), "not numbers"),
    ],
)
def test_bad_input_is_told(change, message):
    with pytest.raises(InputError, match=message):
        made()(*change(*frames(20)))


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError):
        HarmonicVocoderConfig(dims=3)
