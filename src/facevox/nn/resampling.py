"""Smooth resampling of pictures by the filter [1, 3, 3, 1], as in StyleGAN2.

Reference:
    Karras et al., Analyzing and improving the image quality of StyleGAN, CVPR 2020;
    Zhang, Making convolutional networks shift-invariant again, ICML 2019.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_TAPS = (1.0, 3.0, 3.0, 1.0)


def kernel(gain: float = 1.0) -> Float[Tensor, "4 4"]:
    """Return the two-dimensional filter, whose taps add up to `gain`.

    Args:
        gain: Sum of the taps.
    """
    taps = torch.tensor(_TAPS)
    square = taps[:, None] * taps[None, :]
    return square * (gain / square.sum())


def blur(
    x: Float[Tensor, "batch channels height width"], padding: int, gain: float = 1.0
) -> Float[Tensor, "batch channels new_height new_width"]:
    """Filter each channel; the size grows by 2 x `padding` - 3.

    Args:
        x: Pictures.
        padding: Zeros on every side.
        gain: Sum of the taps.
    """
    channels = x.shape[1]
    # one filter for each channel: in channels-last order several times faster than sums of slices
    weight = kernel(gain).to(x).expand(channels, 1, 4, 4).contiguous()
    return functional.conv2d(x, weight, padding=padding, groups=channels)


def upsample(
    x: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch channels new_height new_width"]:
    """Return pictures of twice the size; beyond the border lies zero."""
    channels = x.shape[1]
    weight = kernel(4.0).to(x).expand(channels, 1, 4, 4).contiguous()
    return functional.conv_transpose2d(x, weight, stride=2, padding=1, groups=channels)


def upsample_planes(
    x: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch channels new_height new_width"]:
    """Return what `upsample` returns, by interpolation: faster for few channels in a row.

    The filter between zeros weighs two neighbours 3 to 1, as bilinear interpolation does.
    """
    padded = functional.pad(x, (1, 1, 1, 1))
    made = functional.interpolate(padded, scale_factor=2, mode="bilinear", align_corners=False)
    return made[..., 2:-2, 2:-2]
