import numpy as np
import torch

from facevox.data.vocoder_augmentation import shaken_f0, smoother_mel


def test_smoother_mels_are_smoother_and_others_are_untouched():
    mel = torch.randn(40, 80, 50, generator=torch.Generator().manual_seed(0))
    made = smoother_mel(mel, np.random.default_rng(0), 0.5)
    same = (made == mel).flatten(1).all(1)
    assert 8 < int(same.sum()) < 32
    rough = made.diff(dim=2).abs().mean((1, 2))
    assert (rough[~same] < mel.diff(dim=2).abs().mean((1, 2))[~same]).all()
    assert torch.equal(smoother_mel(mel, np.random.default_rng(1), 0.0), mel)


def test_shaken_f0_stays_near_and_only_loses_voice():
    f0 = torch.full((60, 70), 200.0)
    f0[:, :10] = 0
    made = shaken_f0(f0, np.random.default_rng(0))
    assert (made[:, :10] == 0).all()
    voiced = made > 0
    assert float((1200 * torch.log2(made[voiced] / 200)).abs().max()) < 40
    lost = (made[:, 10:] == 0).any(1)
    assert 2 <= int(lost.sum()) <= 20
    assert torch.equal(shaken_f0(f0, np.random.default_rng(0)), made)
