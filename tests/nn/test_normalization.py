"""Norms equal torch's own; the masked one does not see padding."""

import torch
from torch import nn

from facevox.nn.normalization import ChannelLayerNorm, FrameGroupNorm

X = torch.randn(2, 9, 16, generator=torch.Generator().manual_seed(0)) * 3 + 1


def test_layer_norm_over_channels():
    norm = ChannelLayerNorm(16)
    torch.testing.assert_close(norm(X), nn.functional.layer_norm(X, (16,), eps=1e-4))
    assert set(norm.state_dict()) == {"gamma", "beta"}


def test_group_norm_equals_torchs():
    torch.manual_seed(0)
    ours, theirs = FrameGroupNorm(4, 16, masked=False), nn.GroupNorm(4, 16)
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    mask = torch.arange(9).expand(2, -1) < 5
    wanted = theirs(X.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(ours(X, mask), wanted, atol=1e-5, rtol=1e-5)


def test_masked_group_norm_of_a_padded_sequence_is_that_of_the_sequence():
    norm = FrameGroupNorm(4, 16, masked=True)
    mask = torch.arange(9).expand(2, -1) < 5
    alone = norm(X[:, :5], mask[:, :5])
    torch.testing.assert_close(norm(X, mask)[:, :5], alone)
    torch.testing.assert_close(alone, FrameGroupNorm(4, 16, masked=False)(X[:, :5]))
