"""Rotary positions: only distances matter, and half of each head stays as it is."""

import pytest
import torch

from facevox.nn.rotary import RotarySelfAttention, rotate


def test_scores_depend_on_the_distance_alone():
    source = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 1, 2, 1, 16, generator=source).double()
    queries, keys = query.expand(-1, -1, 12, -1), key.expand(-1, -1, 12, -1)
    scores = (rotate(queries, 8) @ rotate(keys, 8).transpose(-1, -2))[0, 0]
    for distance in range(-11, 12):
        diagonal = scores.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-6, rtol=1e-6)
    assert scores[0].std() > 0.01


def test_the_other_half_is_not_turned_and_lengths_are_kept():
    x = torch.randn(2, 3, 7, 12, generator=torch.Generator().manual_seed(1))
    turned = rotate(x, 6)
    assert torch.equal(turned[..., 6:], x[..., 6:])
    assert torch.equal(turned[:, :, 0], x[:, :, 0])
    pairs = x[..., :3].square() + x[..., 3:6].square()
    torch.testing.assert_close(turned[..., :3].square() + turned[..., 3:6].square(), pairs)


def test_dimension_i_is_paired_with_the_one_half_further():
    x = torch.zeros(1, 1, 2, 8)
    x[..., 0] = 1.0
    turned = rotate(x, 4)[0, 0, 1]
    assert turned.tolist() == pytest.approx(
        [torch.cos(torch.tensor(1.0)).item(), 0, torch.sin(torch.tensor(1.0)).item(), 0, 0, 0, 0, 0]
    )


def test_attention_does_not_see_padding():
    torch.manual_seed(0)
    layer = RotarySelfAttention(12, 2, 0.0)
    x = torch.randn(1, 6, 12)
    longer = torch.cat([x, torch.full((1, 4, 12), 9.0)], 1)
    mask = torch.arange(10)[None] < 6
    torch.testing.assert_close(
        layer(longer, mask)[:, :6], layer(x, mask[:, :6]), atol=1e-6, rtol=1e-5
    )
