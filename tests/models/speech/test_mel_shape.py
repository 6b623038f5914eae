import numpy as np
import pytest
import torch

from facevox.models.speech.mel import MelSpectrogram, hertz_to_mel, mel_to_hertz
from facevox.models.speech.mel_shape import contrast_matrix, deepen_silence, warp_matrix


def test_one_changes_nothing():
    assert torch.allclose(warp_matrix(1.0), torch.eye(80), atol=1e-5)
    assert torch.allclose(contrast_matrix(1.0), torch.eye(80), atol=1e-5)
    mel = torch.randn(2, 80, 7)
    assert torch.equal(deepen_silence(mel, 0.0, 0.0), mel)


@pytest.mark.parametrize("ratio", [0.85, 1.15])
def test_a_peak_moves_against_the_tract(ratio):
    time = torch.arange(16_000) / 16_000
    mel = MelSpectrogram()(torch.sin(2 * torch.pi * 2000 * time)[None])
    centres = mel_to_hertz(np.linspace(0, hertz_to_mel(8000.0), 82)[1:-1])
    before = centres[int(mel[0, :, 50].argmax())]
    after = centres[int((warp_matrix(ratio) @ mel)[0, :, 50].argmax())]
    assert after == pytest.approx(before / ratio, rel=0.05)


def test_there_and_back_is_nearly_the_same():
    smooth = torch.cos(torch.linspace(0, 6, 80))[None, :, None]
    back = warp_matrix(1 / 1.1) @ (warp_matrix(1.1) @ smooth)
    assert torch.allclose(back[:, 3:70], smooth[:, 3:70], atol=0.05)


@pytest.mark.parametrize("matrix", [warp_matrix(0.9), warp_matrix(1.2), contrast_matrix(1.7)])
def test_loudness_stays(matrix):
    """Rows add up to 1, so that the units of a log-mel do not matter."""
    assert torch.allclose(matrix.sum(1), torch.ones(80), atol=1e-4)


def test_contrast_raises_formants_and_leaves_tilt():
    bands = torch.arange(80.0)
    tilt = torch.cos(torch.pi * (bands + 0.5) / 80)
    formants = torch.cos(torch.pi * 6 * (bands + 0.5) / 80)
    changed = contrast_matrix(1.5) @ (tilt + formants)
    assert torch.allclose(changed, tilt + 1.5 * formants, atol=1e-4)


def test_only_what_is_quiet_gets_quieter():
    mel = torch.tensor([[[-2.0], [-5.0], [-6.0], [-7.0]]])
    assert deepen_silence(mel, -5.0, 1.5).flatten().tolist() == [-2.0, -5.0, -7.5, -10.0]
