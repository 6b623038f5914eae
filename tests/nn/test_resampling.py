"""Blur and upsampling against zero insertion and explicit sums."""

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from facevox.nn.resampling import blur, kernel, upsample, upsample_planes


@pytest.mark.parametrize("gain", [1.0, 4.0])
def test_filter(gain):
    taps = kernel(gain)
    assert taps.sum().item() == pytest.approx(gain)
    torch.testing.assert_close(taps * 64 / gain, torch.outer(*[torch.tensor([1.0, 3, 3, 1])] * 2))


@pytest.mark.parametrize("padding", [1, 2])
def test_blur_is_a_convolution_with_zeros_around(padding):
    x = torch.randn(2, 3, 7, 9)
    made = blur(x, padding, gain=4.0)
    assert made.shape == (2, 3, 7 + 2 * padding - 3, 9 + 2 * padding - 3)
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    for sample in range(2):
        for channel in range(3):
            wanted = convolve2d(padded[sample, channel], kernel(4.0).numpy(), mode="valid")
            np.testing.assert_allclose(made[sample, channel], wanted, atol=1e-5)


@pytest.mark.parametrize("function", [upsample, upsample_planes])
def test_upsampling_is_zero_insertion_and_filter(function):
    x = torch.randn(2, 3, 5, 6)
    made = function(x)
    assert made.shape == (2, 3, 10, 12)
    spread = np.zeros((2, 3, 10, 12), np.float32)
    spread[..., ::2, ::2] = x.numpy()
    padded = np.pad(spread, ((0, 0), (0, 0), (2, 1), (2, 1)))
    for sample in range(2):
        for channel in range(3):
            wanted = convolve2d(padded[sample, channel], kernel(4.0).numpy(), mode="valid")
            np.testing.assert_allclose(made[sample, channel], wanted, atol=1e-5)
