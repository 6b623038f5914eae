"""Conformer layers: any length, no padding seen, every parameter used."""

import pytest
import torch

from facevox.nn.conformer import Conformer, ConformerLayer


@pytest.fixture
def conformer():
    torch.manual_seed(0)
    return Conformer(2, 16, 2, 7, 0.0).eval()


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("length", [1, 2, 5, 60])
def test_any_length(conformer, length):
    y = conformer(noise(2, length, 16), torch.ones(2, length, dtype=torch.bool))
    assert y.shape == (2, length, 16)
    assert y.isfinite().all()


def test_padding_and_neighbours_are_not_seen(conformer):
    short, long = noise(1, 9, 16), noise(1, 21, 16, seed=1)
    batch = torch.full((2, 21, 16), 7.0)
    batch[0, :9], batch[1] = short[0], long[0]
    mask = torch.arange(21) < torch.tensor([[9], [21]])
    y = conformer(batch, mask)
    torch.testing.assert_close(y[:1, :9], conformer(short, mask[:1, :9]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(y[1:], conformer(long, mask[1:]), atol=1e-5, rtol=1e-5)


def test_every_frame_reaches_every_other(conformer):
    x = noise(1, 30, 16).requires_grad_()
    conformer(x, torch.ones(1, 30, dtype=torch.bool))[0, 0, 0].backward()
    assert (x.grad.abs().sum(-1) > 0).all()


def test_the_order_of_frames_matters(conformer):
    x, mask = noise(1, 12, 16), torch.ones(1, 12, dtype=torch.bool)
    assert not torch.allclose(conformer(x.flip(1), mask).flip(1), conformer(x, mask), atol=1e-3)


def test_gradients_reach_every_parameter():
    torch.manual_seed(0)
    layer = ConformerLayer(16, 2, 7)
    layer(noise(2, 9, 16), torch.ones(2, 9, dtype=torch.bool)).square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_half_precision_stays_close():
    torch.manual_seed(0)
    layer = ConformerLayer(16, 2, 7).eval()
    x, mask = noise(1, 9, 16), torch.ones(1, 9, dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x, mask)
    torch.testing.assert_close(y.float(), layer(x, mask), atol=0.05, rtol=0.05)
