"""Blocks of the U-Net."""

import functools
import math

import torch

from facevox.nn.blocks1d import (
    Block1d,
    FeedForward,
    ResnetBlock1d,
    SelfAttention,
    SnakeBeta,
    TransformerBlock,
    sinusoids,
)

X = torch.randn(1, 6, 16, generator=torch.Generator().manual_seed(0))
PADDED = torch.cat([X, torch.full((1, 3, 16), 5.0)], 1)
MASK = torch.arange(9)[None] < 6


def test_sinusoids_begin_with_one_turn_in_a_thousandth():
    got = sinusoids(torch.tensor([0.0, 0.25]), 8)
    assert got[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    torch.testing.assert_close(got[1, 0], torch.tensor(math.sin(250.0)), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(got[1, 3], torch.tensor(math.sin(0.025)), atol=1e-6, rtol=1e-4)


def test_snake_adds_a_squared_sine():
    layer = SnakeBeta(16, 4)
    layer.alpha.data.fill_(math.log(2.0))
    layer.beta.data.fill_(math.log(4.0))
    y = layer.proj(X)
    torch.testing.assert_close(layer(X), y + torch.sin(2 * y) ** 2 / 4)


def test_masked_blocks_do_not_see_padding_and_published_ones_do():
    for masked in (True, False):
        torch.manual_seed(0)
        convolutions = Block1d(16, 16, "silu", masked)
        resnet = ResnetBlock1d(16, 16, 8, "mish", masked)
        time = torch.ones(1, 8)
        blocks = [
            convolutions,
            functools.partial(resnet, time=time),
            SelfAttention(16, 2, 4, masked),
        ]
        for block in blocks:
            same = torch.allclose(block(PADDED, MASK)[:, :6], block(X, MASK[:, :6]), atol=1e-5)
            assert same is masked


def test_a_block_without_attention_treats_each_frame_alone():
    block = TransformerBlock(16, None, FeedForward(16, 2, "gelu", 0.0))
    torch.testing.assert_close(block(X, MASK[:, :6])[:, 2:3], block(X[:, 2:3], MASK[:, 2:3]))
    assert not any(name.startswith("attn1") for name in block.state_dict())
