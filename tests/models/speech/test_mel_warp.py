import numpy as np
import pytest
import torch

from facevox.models.speech.mel import MelSpectrogram, hertz_to_mel, mel_to_hertz
from facevox.models.speech.mel_warp import warp_mel


def test_one_changes_nothing():
    mel = torch.randn(2, 80, 7)
    assert warp_mel(mel, 1.0) is mel


@pytest.mark.parametrize("ratio", [0.85, 1.15])
def test_a_peak_moves_against_the_tract(ratio):
    time = torch.arange(16_000) / 16_000
    mel = MelSpectrogram()(torch.sin(2 * torch.pi * 2000 * time)[None])
    centres = mel_to_hertz(np.linspace(0, hertz_to_mel(8000.0), 82)[1:-1])
    before = centres[int(mel[0, :, 50].argmax())]
    after = centres[int(warp_mel(mel, ratio)[0, :, 50].argmax())]
    assert after == pytest.approx(before / ratio, rel=0.05)


def test_there_and_back_is_nearly_the_same():
    smooth = torch.cos(torch.linspace(0, 6, 80))[None, :, None]
    back = warp_mel(warp_mel(smooth, 1.1), 1 / 1.1)
    assert torch.allclose(back[:, 3:70], smooth[:, 3:70], atol=0.05)
