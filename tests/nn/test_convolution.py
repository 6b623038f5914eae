"""Convolutions by matrix products equal torch's own."""

import pytest
import torch
from torch import nn

from facevox.nn.convolution import FrameConv1d, FrameUpsample1d

X = torch.randn(2, 9, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 1},
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": 3, "padding": 1, "stride": 2},
        {"kernel_size": 5, "padding": 8, "dilation": 4},
    ],
)
def test_a_convolution_equals_torchs(options):
    ours, theirs = FrameConv1d(6, 4, **options), nn.Conv1d(6, 4, **options)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(X), theirs(X.transpose(1, 2)).transpose(1, 2))


def test_upsampling_equals_torchs():
    ours, theirs = FrameUpsample1d(6), nn.ConvTranspose1d(6, 6, 4, 2, 1)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(X), theirs(X.transpose(1, 2)).transpose(1, 2))


def test_under_autocast_the_result_is_bfloat16():
    with torch.autocast("cpu", torch.bfloat16):
        y = FrameConv1d(6, 4, 3, padding=1)(X)
    assert y.dtype == torch.bfloat16
