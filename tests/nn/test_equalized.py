"""Equalised layers against plain ones, and modulation against weights of each sample."""

import math

import pytest
import torch
from torch.nn import functional

from facevox.nn.equalized import (
    BiasedLeakyReLU,
    ConvLayer,
    DownBlock,
    EqualizedConv2d,
    EqualizedLinear,
    ModulatedConv2d,
)
from facevox.nn.resampling import blur


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_linear_is_scaled_when_used():
    layer = EqualizedLinear(64, 8, bias=1.0)
    x = torch.randn(5, 64)
    torch.testing.assert_close(layer(x), x @ layer.weight.T / 8 + 1)
    wide = EqualizedLinear(4096, 256)
    assert wide(torch.randn(64, 4096)).std().item() == pytest.approx(1.0, rel=0.05)


def test_activation():
    layer = BiasedLeakyReLU(2)
    layer.bias.data = torch.tensor([1.0, -1.0]).reshape(1, 2, 1, 1)
    made = layer(torch.zeros(1, 2, 1, 1)).flatten().tolist()
    assert made == pytest.approx([math.sqrt(2), -0.2 * math.sqrt(2)])
    x, gain = torch.randn(3, 2, 4, 4), torch.randn(3, 2)
    torch.testing.assert_close(layer.after(x, gain), layer(x * gain[:, :, None, None]))


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("activated", [False, True])
def test_layer_is_blur_convolution_bias_activation(size, down, activated):
    layer = ConvLayer(3, 5, size, down, activated)
    x = torch.randn(2, 3, 8, 8)
    weight = layer.conv.weight / math.sqrt(3 * size**2)
    if down:
        wanted = functional.conv2d(blur(x, 2 if size == 3 else 1), weight, stride=2)
    else:
        wanted = functional.conv2d(x, weight, padding=size // 2)
    if activated:
        layer.activation.bias.data.normal_()
        wanted = layer.activation(wanted)
    made = layer(x)
    assert made.shape == (2, 5, 4 if down else 8, 4 if down else 8)
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=1e-4)


def test_block_keeps_the_variance():
    made = DownBlock(64, 64)(torch.randn(4, 64, 16, 16))
    assert made.shape == (4, 64, 8, 8)
    assert 0.2 < made.std() < 1.5


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("demodulated", [False, True])
def test_modulation_is_that_of_each_samples_weights(up, size, demodulated):
    if up and size == 1:
        pytest.skip("no layer is like this")
    layer = ModulatedConv2d(6, 5, size, 16, up, demodulated)
    x, style = torch.randn(3, 6, 8, 8), torch.randn(3, 16)
    made = layer(x, style)
    gains = style @ layer.modulation.weight.T / 4 + layer.modulation.bias
    for i in range(3):
        weight = layer.weight / math.sqrt(6 * size**2) * gains[i][None, :, None, None]
        if demodulated:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if up:
            wanted = functional.conv_transpose2d(x[i : i + 1], weight.transpose(0, 1), stride=2)
            wanted = blur(wanted, 1, 4.0)
        else:
            wanted = functional.conv2d(x[i : i + 1], weight, padding=size // 2)
        torch.testing.assert_close(made[i : i + 1], wanted, atol=1e-4, rtol=1e-4)


def test_output_keeps_the_input_precision():
    x = torch.randn(2, 8, 8, 8).bfloat16()
    assert ModulatedConv2d(8, 4, 3, 16)(x, torch.randn(2, 16)).dtype == torch.bfloat16
    assert ConvLayer(8, 4, 3)(x).dtype == torch.bfloat16
    assert EqualizedConv2d(8, 4, 1)(x).dtype == torch.bfloat16


def test_gradients_reach_every_parameter():
    block, conv = DownBlock(4, 6), ModulatedConv2d(6, 3, 3, 8, up=True)
    conv(block(torch.randn(2, 4, 8, 8)), torch.randn(2, 8)).square().sum().backward()
    for weight in (*block.parameters(), *conv.parameters()):
        assert weight.grad is not None
        assert weight.grad.any()
