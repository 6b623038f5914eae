"""The U-Net without a mel around it."""

import pytest
import torch

from facevox.nn.unet1d import UnetConfig, VelocityUnet

CONFIG = UnetConfig(channels=(16, 16), heads=1, head_dim=8, time_dim=32, dropout=0.0, masked=True)


@pytest.mark.parametrize(("levels", "multiple"), [(1, 1), (2, 2), (3, 4)])
def test_levels_decide_which_lengths_it_takes(levels, multiple):
    config = CONFIG.model_copy(update={"channels": (16,) * levels, "attention": (True,) * levels})
    assert config.multiple == multiple
    unet = VelocityUnet(8, 4, config).eval()
    x = torch.randn(1, 3 * multiple, 8, generator=torch.Generator().manual_seed(0))
    y = unet(x, torch.ones(x.shape[:2], dtype=torch.bool), torch.tensor([0.3]))
    assert y.shape == (1, 3 * multiple, 4)


@pytest.mark.parametrize("length", [5, 6])
def test_a_masked_network_does_not_see_padding(length):
    torch.manual_seed(0)
    unet = VelocityUnet(8, 4, CONFIG).eval()
    x = torch.randn(1, 12, 8, generator=torch.Generator().manual_seed(0))
    mask, t = torch.arange(12)[None] < length, torch.tensor([0.3])
    even = length + length % 2
    padded = unet(x, mask, t)
    assert (padded[:, length:] == 0).all()
    alone = unet(x[:, :even], mask[:, :even], t)
    torch.testing.assert_close(padded[:, :even], alone, atol=1e-5, rtol=1e-5)
