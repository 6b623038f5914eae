"""Layers with an equalised learning rate, as in StyleGAN2.

Weights are drawn from N(0, 1) and scaled by 1 / sqrt(fan_in) when they are used, so that all
learn at one rate.

Reference:
    Karras et al., Progressive growing of GANs, ICLR 2018; Analyzing and improving the image
    quality of StyleGAN, CVPR 2020.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from facevox.nn.resampling import blur

SLOPE, GAIN = 0.2, math.sqrt(2.0)
"""Of the leaky ReLU, and what it is multiplied by to keep the variance."""


class BiasedLeakyReLU(nn.Module):
    """Bias, leaky ReLU of slope 0.2, and a gain of sqrt 2 that keeps the variance.

    Args:
        channels: Size of the second axis.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the activation."""
        return functional.leaky_relu(x + self.bias.to(x.dtype), SLOPE) * GAIN

    def after(
        self, x: Float[Tensor, "batch channels height width"], gain: Float[Tensor, "batch channels"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the activation of `x` times a gain of each channel, in one pass."""
        gain = (gain * GAIN)[:, :, None, None].to(x.dtype)
        return functional.leaky_relu(torch.addcmul((self.bias * GAIN).to(x.dtype), x, gain), SLOPE)


class EqualizedConv2d(nn.Module):
    """Convolution without bias.

    Args:
        in_channels: Of the input.
        out_channels: Of the output.
        size: Side of the kernel.
        stride: Step.
        padding: Zeros on every side.
    """

    def __init__(
        self, in_channels: int, out_channels: int, size: int, stride: int = 1, padding: int = 0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, size, size))
        self.scale = 1.0 / math.sqrt(in_channels * size**2)
        self.stride, self.padding = stride, padding

    def forward(
        self,
        x: Float[Tensor, "batch in_channels height width"],
        gain: float = 1.0,
        bias: Float[Tensor, " out_channels"] | None = None,
    ) -> Float[Tensor, "batch out_channels new_height new_width"]:
        """Return the convolution times a gain, plus a bias."""
        weight = (self.weight * (self.scale * gain)).to(x.dtype)
        bias = None if bias is None else bias.to(x.dtype)
        return functional.conv2d(x, weight, bias, stride=self.stride, padding=self.padding)


class EqualizedLinear(nn.Module):
    """Linear layer with bias.

    Args:
        in_dim: Size of the input.
        out_dim: Size of the output.
        bias: First value of every bias.
        activated: Whether a leaky ReLU with gain follows.
    """

    def __init__(
        self, in_dim: int, out_dim: int, bias: float = 0.0, activated: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_dim, in_dim))
        self.bias = nn.Parameter(torch.full((out_dim,), float(bias)))
        self.scale, self.activated = 1.0 / math.sqrt(in_dim), activated

    def forward(self, x: Float[Tensor, "*batch in_dim"]) -> Float[Tensor, "*batch out_dim"]:
        """Return the product, in the precision of the input."""
        y = functional.linear(x, (self.weight * self.scale).to(x.dtype), self.bias.to(x.dtype))
        return functional.leaky_relu(y, SLOPE) * GAIN if self.activated else y


class ConvLayer(nn.Module):
    """Convolution, halving the size behind a blur if asked, then bias and activation.

    Args:
        in_channels: Of the input.
        out_channels: Of the output.
        size: Side of the kernel, 1 or 3.
        down: Whether the result has half the size.
        activated: Whether bias and leaky ReLU follow; without them there is no bias either.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        down: bool = False,
        activated: bool = True,
    ) -> None:
        super().__init__()
        padding = 0 if down else size // 2
        self.conv = EqualizedConv2d(in_channels, out_channels, size, 2 if down else 1, padding)
        self.activation = BiasedLeakyReLU(out_channels) if activated else None
        self._blur_padding = (size + 1) // 2 if down else None

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels new_height new_width"]:
        """Return the layer's output."""
        if self._blur_padding is not None:
            x = blur(x, self._blur_padding)
        if self.activation is None:
            return self.conv(x)
        # the gain goes through the leaky ReLU, which saves a pass over the map
        bias = self.activation.bias.flatten() * GAIN
        return functional.leaky_relu(self.conv(x, GAIN, bias), SLOPE)


class DownBlock(nn.Module):
    """Two convolutions beside a skip; half the size.

    Args:
        in_channels: Of the input.
        out_channels: Of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = ConvLayer(in_channels, in_channels, 3)
        self.conv2 = ConvLayer(in_channels, out_channels, 3, down=True)
        self.skip = ConvLayer(in_channels, out_channels, 1, down=True, activated=False)

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels new_height new_width"]:
        """Return (both convolutions + skip) / sqrt 2."""
        return (self.conv2(self.conv1(x)) + self.skip(x)) * math.sqrt(0.5)


class ModulatedConv2d(nn.Module):
    """Convolution whose input channels a style scales, and whose output keeps its variance.

    Scaling the input and the output is the same as scaling the weights of each sample, and
    lets a batch share one convolution.

    Args:
        in_channels: Of the input.
        out_channels: Of the output.
        size: Side of the kernel.
        style_dim: Size of the style.
        up: Whether the result has twice the size.
        demodulated: Whether the output is scaled back to the variance of the input.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        style_dim: int,
        up: bool = False,
        demodulated: bool = True,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, size, size))
        self.modulation = EqualizedLinear(style_dim, in_channels, bias=1.0)
        self.scale = 1.0 / math.sqrt(in_channels * size**2)
        self.up, self.demodulated = up, demodulated

    def forward(
        self,
        x: Float[Tensor, "batch in_channels height width"],
        style: Float[Tensor, "batch style_dim"],
    ) -> Float[Tensor, "batch out_channels new_height new_width"]:
        """Return the convolution, in the precision of `x`."""
        x, norm = self.parts(x, style)
        return x if norm is None else x * norm[:, :, None, None].to(x.dtype)

    def parts(
        self,
        x: Float[Tensor, "batch in_channels height width"],
        style: Float[Tensor, "batch style_dim"],
    ) -> tuple[Tensor, Float[Tensor, "batch out_channels"] | None]:
        """Return the convolution before its output is scaled, and that scale."""
        gain = self.modulation(style.float())
        weight = self.weight * self.scale
        x = x * gain[:, :, None, None].to(x.dtype)
        x = self._convolved(x, weight.to(x.dtype))
        if not self.demodulated:
            return x, None
        power = weight.square().sum((2, 3)).T
        return x, torch.rsqrt(gain.square() @ power + 1e-8)

    def _convolved(self, x: Tensor, weight: Tensor) -> Tensor:
        if not self.up:
            return functional.conv2d(x, weight, padding=weight.shape[-1] // 2)
        x = functional.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        return blur(x, 1, gain=4.0)
