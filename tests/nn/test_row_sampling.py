"""Sampling by rows against torch's sampling."""

import pytest
import torch
from torch.nn import functional

from facevox.nn.row_sampling import RowSampler


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 8, 8)])
def test_rows_sample_as_grid_sample_does(shape):
    generator = torch.Generator().manual_seed(0)
    feature_map = torch.randn(1, 6, 8, 8, generator=generator)
    # inside, at the border, and far beyond it
    x = torch.randn(shape, generator=generator) * 1.5
    y = torch.randn(shape, generator=generator) * 1.5
    x[0, 0, :4] = torch.tensor([-1.0, 1.0, 1.125, 40.0])
    y[0, 1, :4] = torch.tensor([-1.0, 1.0, -1.125, -40.0])
    mask = torch.rand(shape, generator=generator)
    flow = torch.stack([x, y], -1)
    many = feature_map.expand(shape[0], -1, -1, -1)
    wanted = functional.grid_sample(many, flow, align_corners=False) * mask[:, None]
    made = RowSampler(feature_map)(x, y, mask)
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=0)
    assert made.is_contiguous(memory_format=torch.channels_last)


def test_precision_is_that_of_the_map():
    feature_map = torch.randn(1, 4, 8, 8).bfloat16()
    line = torch.linspace(-0.9, 0.9, 5)
    x, y = line.expand(2, 5, 5), line[:, None].expand(2, 5, 5)
    made = RowSampler(feature_map)(x, y, torch.ones(2, 5, 5))
    assert made.dtype == torch.bfloat16
    exact = RowSampler(feature_map.float())(x, y, torch.ones(2, 5, 5))
    assert (made - exact).abs().max() < 0.03
