"""What holds for the weights that ship."""

import numpy as np
import pytest
import torch

from facevox.core.checkpoint import WEIGHTS, load_card, load_module
from facevox.models.speech.mel import MelSpectrogram
from facevox.models.speech.pitch import measure_f0
from facevox.models.speech.vocoders.harmonic import HarmonicVocoder, HarmonicVocoderConfig
from facevox.models.speech.vocoders.streaming import synthesise_in_pieces

PATH = WEIGHTS.parent / "speech" / "vocoder.safetensors"


@pytest.fixture(scope="module")
def vocoder():
    if not PATH.exists():
        pytest.skip("no vocoder ships")
    made = HarmonicVocoder(HarmonicVocoderConfig.model_validate(load_card(PATH)["config"])).eval()
    load_module(made, PATH)
    return made


def vowel_at(f0):
    """A vowel: harmonics under three formants."""
    time = torch.arange(16_000) / 16_000
    number = torch.arange(1, int(6000 / f0)).unsqueeze(1)
    height = sum(torch.exp(-(((f0 * number - f) / 120) ** 2)) for f in (700, 1200, 2500))
    height = height + 0.5 * torch.exp(-f0 * number / 1000)
    return 0.08 * (height * torch.cos(2 * torch.pi * f0 * number * time)).sum(0)


@pytest.fixture(scope="module")
def vowel():
    return vowel_at(130.0)


def test_silence_stays_silent(vocoder):
    floor = torch.full((1, 80, 100), float(np.log(1e-5)))
    with torch.no_grad():
        sound = vocoder(floor, torch.zeros(1, 100))
    assert float(sound.square().mean().sqrt()) < 1e-3


@pytest.mark.parametrize("f0", [110.0, 220.0])
@pytest.mark.parametrize("ratio", [0.8, 1.0, 40 / 33])
def test_pitch_is_the_one_given_even_against_the_mel(vocoder, f0, ratio):
    mel = MelSpectrogram()(vowel_at(f0)[None])
    with torch.no_grad():
        sound = vocoder(mel, torch.full((1, 100), f0 * ratio))[0].numpy()
    found = measure_f0(sound, 16_000)[10:-10]
    assert np.median(found[found > 0]) == pytest.approx(f0 * ratio, rel=0.01)


def test_the_vowel_comes_back(vocoder, vowel):
    front = MelSpectrogram()
    mel = front(vowel[None])
    with torch.no_grad():
        made = front(vocoder(mel, torch.full((1, 100), 130.0)))
    loud = mel > -6
    assert float((made - mel)[loud].abs().mean()) < 0.5


def test_pieces_are_the_whole(vocoder, vowel):
    mel, f0 = MelSpectrogram()(vowel[None]).repeat(1, 1, 3), torch.full((1, 300), 130.0)
    f0[:, 90:130] = 0
    with torch.no_grad():
        whole = vocoder(mel, f0)
    joined = torch.cat(list(synthesise_in_pieces(vocoder, mel, f0, 64)), dim=1)
    torch.testing.assert_close(joined, whole, rtol=0, atol=1e-6)
