"""The source's mel is that of pulses."""

import numpy as np
import pytest
import torch

from facevox.models.speech.matcha.source_mel import LOWEST_F0, SourceMel
from facevox.models.speech.mel import MelSpectrogram


def mel_of_pulses(f0, seconds=0.5):
    time = np.arange(int(16_000 * seconds)) / 16_000
    harmonics = np.arange(1, int(7900 / f0) + 1)
    waveform = np.cos(2 * np.pi * f0 * np.outer(time, harmonics)).sum(1).astype(np.float32)
    return MelSpectrogram()(torch.from_numpy(waveform)[None])[0, :, 10:-10].exp().mean(1).log()


@pytest.mark.parametrize("f0", [71.0, 118.0, 203.0, 390.0])
def test_it_is_that_of_a_pulse_train(f0):
    table = SourceMel(80)(torch.tensor([[f0]]))[0, 0]
    heard = mel_of_pulses(f0)
    top = 72  # the last harmonic ends below the highest bands
    difference = (table - heard)[table > -1.5][:top]
    assert float((difference - difference.median()).abs().mean()) < 0.12


def test_no_voice_has_no_harmonics_and_bounds_are_held():
    source = SourceMel(80)
    silent, low, lowest = source(torch.tensor([[0.0, 20.0, LOWEST_F0]]))[0]
    assert torch.equal(silent, torch.zeros(80))
    assert torch.equal(low, lowest)
    assert torch.isfinite(source(torch.tensor([[5000.0]]))).all()


def test_it_moves_smoothly_with_f0():
    f0 = torch.linspace(90.0, 91.0, 50)[None]
    steps = SourceMel(80)(f0)[0].diff(dim=0).abs()
    assert float(steps.max()) < 0.15
