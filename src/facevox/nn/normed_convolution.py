"""Convolutions whose weight is a direction and a length, or is kept from amplifying.

Parameters have the names of the published checkpoints of HiFi-GAN: `weight_g` and `weight_v`
for weight normalisation; `weight_orig`, `weight_u` and `weight_v` for the spectral one.

Reference:
    Salimans and Kingma, Weight Normalization, NeurIPS 2016; Miyato et al., Spectral
    Normalization for Generative Adversarial Networks, ICLR 2018.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class WeightNorm(nn.Module):
    """A convolution with the weight `weight_g * weight_v / |weight_v|`.

    The norm is over all but the first axis of the weight.

    Args:
        convolution: Where sizes and first values come from.
    """

    def __init__(self, convolution: nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        self.weight_g = nn.Parameter(_norm(weight))
        self.weight_v = nn.Parameter(weight.clone())
        bias = convolution.bias
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone())
        self._kind, self._arguments = _functional_of(convolution)

    @property
    def weight(self) -> Tensor:
        """Return the weight that is used."""
        return self.weight_v * (self.weight_g / _norm(self.weight_v))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the convolution."""
        return self._kind(x, self.weight, self.bias, **self._arguments)


class SpectralNorm(nn.Module):
    """A convolution with its weight divided by its largest singular value.

    Training updates an estimate of the singular vectors by one power iteration each call.

    Args:
        convolution: Where sizes and first values come from.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, convolution: nn.Conv1d) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        self.weight_orig = nn.Parameter(weight.clone())
        bias = convolution.bias
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone())
        rows = weight.flatten(1)
        self.register_buffer("weight_u", functional.normalize(torch.randn(len(rows)), dim=0))
        right = functional.normalize(torch.randn(rows.shape[1]), dim=0)
        self.register_buffer("weight_v", right)
        self._kind, self._arguments = _functional_of(convolution)

    @property
    def weight(self) -> Tensor:
        """Return the weight that is used."""
        rows = self.weight_orig.flatten(1)
        if self.training:
            with torch.no_grad():
                self.weight_v = functional.normalize(rows.t() @ self.weight_u, dim=0)
                self.weight_u = functional.normalize(rows @ self.weight_v, dim=0)
        return self.weight_orig / (self.weight_u @ rows @ self.weight_v)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the convolution."""
        return self._kind(x, self.weight, self.bias, **self._arguments)


class FoldedConvolution(nn.Module):
    """What a normalised convolution is once training is over: weight and bias.

    Args:
        normed: Where both come from.
    """

    def __init__(self, normed: WeightNorm) -> None:
        super().__init__()
        self.weight = nn.Parameter(normed.weight.detach().clone())
        self.bias = None if normed.bias is None else nn.Parameter(normed.bias.detach().clone())
        self._kind, self._arguments = normed._kind, normed._arguments

    def forward(self, x: Tensor) -> Tensor:
        """Apply the convolution."""
        return self._kind(x, self.weight, self.bias, **self._arguments)


def fold_weight_norm(module: nn.Module) -> None:
    """Replace every weight-normalised convolution in a module by a plain one."""
    for name, child in list(module.named_children()):
        if isinstance(child, WeightNorm):
            setattr(module, name, FoldedConvolution(child))
        else:
            fold_weight_norm(child)


def _norm(weight: Tensor) -> Tensor:
    return torch.linalg.vector_norm(weight, dim=tuple(range(1, weight.dim())), keepdim=True)


def _functional_of(convolution: nn.Module) -> tuple[Any, dict[str, Any]]:
    """Return the function behind a convolution, and its arguments."""
    names = ["stride", "padding", "dilation", "groups"]
    arguments = {name: getattr(convolution, name) for name in names}
    if isinstance(convolution, nn.ConvTranspose1d):
        return functional.conv_transpose1d, arguments
    if isinstance(convolution, nn.Conv2d):
        return functional.conv2d, arguments
    return functional.conv1d, arguments
