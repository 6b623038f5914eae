"""Layers of the synthesis network made ready for many pictures of one person.

Everything that does not change from picture to picture is multiplied into the weights once:
scales of equalised learning rates, gains of activations, and, where the style is the identity
alone, its modulation too.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from facevox.models.face.lia.synthesis import StyledConv
from facevox.nn.equalized import GAIN, SLOPE, EqualizedLinear, ModulatedConv2d
from facevox.nn.resampling import kernel


class FoldedConv:
    """`StyledConv` with its constants inside the weights.

    Args:
        layer: The layer.
        style: The layer's style where it never changes; None where each picture has its own.
        dtype: Precision of the products.
    """

    def __init__(
        self, layer: StyledConv, style: Float[Tensor, "1 style"] | None, dtype: torch.dtype
    ) -> None:
        conv = layer.conv
        weight = conv.weight * conv.scale
        bias = layer.activation.bias * GAIN
        self.up, self._power = conv.up, None
        if style is None:
            self._power = weight.square().sum((2, 3)).T * GAIN**-2
            self._epsilon = 1e-8 * GAIN**-2
        else:
            weight = weight * conv.modulation(style)[:, :, None, None]
            norm = torch.rsqrt(weight.square().sum((1, 2, 3), keepdim=True) + 1e-8)
            weight = weight * (norm * GAIN)
        self._weight = weight.transpose(0, 1) if self.up else weight
        self._weight = _packed(self._weight, dtype)
        self._bias = bias.to(dtype)
        width = weight.shape[0]
        self._blur = _packed(kernel(4.0).to(weight).expand(width, 1, 4, 4), dtype)

    def __call__(
        self, x: Float[Tensor, "batch channels side side"], gain: Tensor | None
    ) -> Float[Tensor, "batch new_channels new_side new_side"]:
        """Return the feature map; `x` may be overwritten.

        Args:
            x: Of the precision of the products, channels last.
            gain: (batch, channels) of the input where the style changes, else None.
        """
        moves = self._power is not None
        if gain is not None:
            x.mul_(gain[:, :, None, None].to(x.dtype))
        # with a style of its own the bias has to wait for the norm
        bias = None if moves else self._bias.flatten()
        if self.up:
            x = functional.conv_transpose2d(x, self._weight, stride=2)
            x = functional.conv2d(x, self._blur, bias, padding=1, groups=x.shape[1])
        else:
            x = functional.conv2d(x, self._weight, bias, padding=1)
        if self._power is not None and gain is not None:
            norm = torch.rsqrt(gain.square() @ self._power + self._epsilon)
            x = torch.addcmul(self._bias, x, norm[:, :, None, None].to(x.dtype))
        return functional.leaky_relu_(x, SLOPE)


class FoldedHead:
    """A 1 x 1 convolution to few channels.

    Args:
        weight: Of the convolution, its scale included.
        dtype: Precision of the products.
    """

    def __init__(self, weight: Float[Tensor, "out channels"], dtype: torch.dtype) -> None:
        self._weight, self._dtype = weight.T.contiguous(), dtype
        self._still = _packed(weight[:, :, None, None], dtype)

    def __call__(
        self, x: Float[Tensor, "batch channels side side"], gain: Tensor | None = None
    ) -> Float[Tensor, "batch out side side"]:
        """Return the products in float32.

        Args:
            x: Channels last.
            gain: (batch, channels) of the input, or None.
        """
        if gain is None:
            made = functional.conv2d(x, self._still)
        else:
            weight = (gain[:, :, None] * self._weight).to(self._dtype)
            rows = x.permute(0, 2, 3, 1).flatten(1, 2) @ weight
            made = rows.transpose(1, 2).unflatten(2, x.shape[2:])
        return made.to(torch.float32, memory_format=torch.contiguous_format)


class Modulations:
    """The gains of all layers that share a style, by one product.

    Args:
        layers: In the order of the results.
    """

    def __init__(self, layers: list[EqualizedLinear]) -> None:
        self._sizes = [len(layer.bias) for layer in layers]
        self._weight = torch.cat([layer.weight * layer.scale for layer in layers])
        self._bias = torch.cat([layer.bias for layer in layers])

    def __call__(self, style: Float[Tensor, "batch style"]) -> list[Float[Tensor, "batch _"]]:
        """Return the gains of each layer."""
        return list(functional.linear(style, self._weight, self._bias).split(self._sizes, 1))


def modulated_weight(
    conv: ModulatedConv2d, style: Float[Tensor, "1 style"] | None
) -> Float[Tensor, "out channels"]:
    """Return the weights of a 1 x 1 convolution, with the style's gain if it never changes."""
    weight = conv.weight[:, :, 0, 0] * conv.scale
    return weight if style is None else weight * conv.modulation(style)


def _packed(weight: Tensor, dtype: torch.dtype) -> Tensor:
    return weight.to(dtype).contiguous(memory_format=torch.channels_last)
