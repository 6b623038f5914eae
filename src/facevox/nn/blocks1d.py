"""Blocks of a one-dimensional U-Net on (batch, time, channels).

Parameter names are those of diffusers and of the published Matcha-TTS.

Reference:
    Mehta et al., Matcha-TTS, ICASSP 2024; Ziyin, Hartwig and Ueda, Neural networks fail to
    learn periodic functions and how to fix it, NeurIPS 2020 (Snake).
"""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from facevox.nn.convolution import FrameConv1d
from facevox.nn.normalization import FrameGroupNorm

Activation = Literal["mish", "silu"]
FeedForwardActivation = Literal["snakebeta", "gelu"]

_GROUPS = 8
_TIME_SCALE = 1000.0


def activation_module(name: Activation) -> nn.Module:
    """Return the module of a smooth activation."""
    return nn.Mish() if name == "mish" else nn.SiLU()


def sinusoids(t: Float[Tensor, " batch"], dim: int) -> Float[Tensor, "batch {dim}"]:
    """Return sines and cosines of a time in [0, 1] at `dim` / 2 frequencies each."""
    half = dim // 2
    steps = torch.arange(half, device=t.device, dtype=torch.float32)
    angle = _TIME_SCALE * t.float()[:, None] * torch.exp(-math.log(10_000.0) / (half - 1) * steps)
    return torch.cat([angle.sin(), angle.cos()], -1)


class TimeEmbedding(nn.Module):
    """Sinusoids of the time through two layers.

    Args:
        dim: Number of sinusoids; even.
        out_dim: Size of the result.
    """

    def __init__(self, dim: int, out_dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.linear_1 = nn.Linear(dim, out_dim)
        self.act = nn.SiLU()
        self.linear_2 = nn.Linear(out_dim, out_dim)

    def forward(self, t: Float[Tensor, " batch"]) -> Tensor:
        """Return (batch, out_dim)."""
        return self.linear_2(self.act(self.linear_1(sinusoids(t, self.dim))))


class Block1d(nn.Module):
    """Convolution of three frames, group norm, activation; zero outside the mask."""

    def __init__(self, in_dim: int, out_dim: int, activation: Activation, masked: bool) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            [
                FrameConv1d(in_dim, out_dim, 3, padding=1),
                FrameGroupNorm(_GROUPS, out_dim, masked),
                activation_module(activation),
            ]
        )

    def forward(
        self, x: Float[Tensor, "batch time channels"], mask: Bool[Tensor, "batch time"]
    ) -> Tensor:
        """Return (batch, time, out_dim)."""
        valid = mask.unsqueeze(-1)
        convolution, norm, activation = self.block
        return activation(norm(convolution(x * valid), mask)) * valid


class ResnetBlock1d(nn.Module):
    """Two blocks around a residual; the time is added between them."""

    def __init__(
        self, in_dim: int, out_dim: int, time_dim: int, activation: Activation, masked: bool
    ) -> None:
        super().__init__()
        self.mlp = nn.Sequential(activation_module(activation), nn.Linear(time_dim, out_dim))
        self.block1 = Block1d(in_dim, out_dim, activation, masked)
        self.block2 = Block1d(out_dim, out_dim, activation, masked)
        self.res_conv = FrameConv1d(in_dim, out_dim, 1)

    def forward(
        self,
        x: Float[Tensor, "batch time channels"],
        mask: Bool[Tensor, "batch time"],
        time: Float[Tensor, "batch time_dim"],
    ) -> Tensor:
        """Return (batch, time, out_dim)."""
        x = x * mask.unsqueeze(-1)
        inner = self.block1(x, mask) + self.mlp(time).unsqueeze(1)
        return self.block2(inner, mask) + self.res_conv(x)


class SnakeBeta(nn.Module):
    """A linear layer followed by y + sin^2(a y) / b, with a and b learnt for each channel."""

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.proj = nn.Linear(in_dim, out_dim)
        self.alpha = nn.Parameter(torch.zeros(out_dim))
        self.beta = nn.Parameter(torch.zeros(out_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out_dim)."""
        y = self.proj(x)
        alpha = self.alpha.exp().to(y.dtype)
        amplitude = (1.0 / (self.beta.exp() + 1e-9)).to(y.dtype)
        return y + amplitude * torch.sin(y * alpha).square()


class Gelu(nn.Module):
    """A linear layer followed by GELU."""

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.proj = nn.Linear(in_dim, out_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out_dim)."""
        return nn.functional.gelu(self.proj(x))


class FeedForward(nn.Module):
    """Two layers with an activation between them."""

    def __init__(
        self, dim: int, expansion: int, activation: FeedForwardActivation, dropout: float
    ) -> None:
        super().__init__()
        layer = SnakeBeta if activation == "snakebeta" else Gelu
        inner = dim * expansion
        self.net = nn.ModuleList([layer(dim, inner), nn.Dropout(dropout), nn.Linear(inner, dim)])

    def forward(self, x: Tensor) -> Tensor:
        """Return what is added to `x`."""
        for layer in self.net:
            x = layer(x)
        return x


class SelfAttention(nn.Module):
    """Multi-head self-attention without positions.

    Args:
        dim: Size of the last axis.
        heads: Number of heads.
        head_dim: Size of each head.
        masked: Whether padding is left out. In the published Matcha-TTS the mask of ones and
            zeros is added to the scores, so that padding only counts less.
    """

    def __init__(self, dim: int, heads: int, head_dim: int, masked: bool) -> None:
        super().__init__()
        inner = heads * head_dim
        self.heads, self.masked = heads, masked
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_k = nn.Linear(dim, inner, bias=False)
        self.to_v = nn.Linear(dim, inner, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(inner, dim)])

    def forward(
        self, x: Float[Tensor, "batch time channels"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time channels"]:
        """Return what each frame gathers from the others."""
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.to_q, self.to_k, self.to_v)
        )
        scale = query.shape[-1] ** -0.5
        # plain products: twice as fast to train in bf16 on a CPU as the fused kernel
        scores = (query * scale) @ key.transpose(-1, -2)
        mask = mask[:, None, None, :]
        scores = scores.masked_fill(~mask, -1e4) if self.masked else scores + mask.to(scores.dtype)
        return self.to_out[0]((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """Self-attention (optional) and a feed-forward layer, each after a layer norm."""

    def __init__(
        self, dim: int, attention: SelfAttention | None, feed_forward: FeedForward
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim) if attention is not None else None
        self.attn1 = attention
        self.norm3 = nn.LayerNorm(dim)
        self.ff = feed_forward

    def forward(
        self, x: Float[Tensor, "batch time channels"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time channels"]:
        """Return `x` with both results added."""
        if self.attn1 is not None and self.norm1 is not None:
            x = x + self.attn1(self.norm1(x), mask)
        return x + self.ff(self.norm3(x))
