import torch
from torch import nn

from facevox.nn.convnext import ConvNextBlock, depthwise


def test_depthwise_is_the_grouped_convolution():
    convolution = nn.Conv1d(5, 5, 7, padding=3, groups=5)
    x = torch.randn(2, 11, 5, generator=torch.Generator().manual_seed(0))
    wanted = convolution(x.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(depthwise(x, convolution), wanted)


def test_a_block_with_scale_zero_is_the_identity():
    x = torch.randn(2, 11, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ConvNextBlock(8, scale=0.0)(x), x)
