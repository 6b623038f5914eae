"""Norms over channels and over groups of channels, on (batch, time, channels)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional


class ChannelLayerNorm(nn.Module):
    """Layer norm over channels, with the parameter names of Glow-TTS.

    Args:
        channels: Size of the last axis.
        eps: Added to the variance.
    """

    def __init__(self, channels: int, eps: float = 1e-4) -> None:
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(
        self, x: Float[Tensor, "batch time channels"]
    ) -> Float[Tensor, "batch time channels"]:
        """Return `x` with mean 0 and variance 1 at each position, scaled and shifted."""
        return functional.layer_norm(x, self.gamma.shape, self.gamma, self.beta, self.eps)


class FrameGroupNorm(nn.GroupNorm):
    """Group norm over time and the channels of a group.

    Args:
        groups: Number of groups.
        channels: Size of the last axis.
        masked: Whether padding is left out of mean and variance. The published Matcha-TTS
            lets it in, so that a result depends on what else is in the batch.
    """

    def __init__(self, groups: int, channels: int, masked: bool) -> None:
        super().__init__(groups, channels)
        self.masked = masked

    def forward(
        self,
        input: Float[Tensor, "batch time channels"],
        mask: Bool[Tensor, "batch time"] | None = None,
    ) -> Float[Tensor, "batch time channels"]:
        """Return `input` normalised for each sequence and group."""
        batch, time, channels = input.shape
        x = input.float().view(batch, time, self.num_groups, -1)
        if mask is None or not self.masked:
            weight = torch.ones(batch, time, device=x.device)
        else:
            weight = mask.float()
        share = weight / (weight.sum(1, keepdim=True).clamp(min=1) * x.shape[-1])
        mean = torch.einsum("bt,btgc->bg", share, x)
        centred = x - mean[:, None, :, None]
        variance = torch.einsum("bt,btgc->bg", share, centred.square())
        scale = torch.rsqrt(variance + self.eps)[:, None, :, None]
        normed = (centred * scale).view(batch, time, channels)
        return (normed * self.weight + self.bias).to(input.dtype)
