"""Self-attention with rotary positions.

Reference:
    Su et al., RoFormer: enhanced transformer with rotary position embedding, 2021.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from facevox.nn.convolution import FrameConv1d

_BASE = 10_000.0


def rotate(
    x: Float[Tensor, "batch heads time dim"], rotated: int
) -> Float[Tensor, "batch heads time dim"]:
    """Turn pairs of the first `rotated` dimensions by angles that grow with the position.

    Dimension i is paired with i + rotated / 2; the others stay as they are.

    Args:
        x: Queries or keys.
        rotated: How many dimensions take part; even.
    """
    half = rotated // 2
    frequency = _BASE ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = torch.arange(x.shape[2], device=x.device, dtype=torch.float32)[:, None] * frequency
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x[..., :half], x[..., half:rotated]
    turned = [first * cos - second * sin, second * cos + first * sin, x[..., rotated:]]
    return torch.cat(turned, -1)


class RotarySelfAttention(nn.Module):
    """Multi-head self-attention that rotates the first half of each head.

    Args:
        channels: Size of the last axis.
        heads: Number of heads.
        dropout: Share of attention weights dropped in training.
    """

    def __init__(self, channels: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.conv_q = FrameConv1d(channels, channels, 1)
        self.conv_k = FrameConv1d(channels, channels, 1)
        self.conv_v = FrameConv1d(channels, channels, 1)
        self.conv_o = FrameConv1d(channels, channels, 1)
        self.drop = nn.Dropout(dropout)
        for layer in (self.conv_q, self.conv_k, self.conv_v):
            nn.init.xavier_uniform_(layer.weight)

    def forward(
        self, x: Float[Tensor, "batch time channels"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time channels"]:
        """Return what each position gathers from the valid ones."""
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.conv_q, self.conv_k, self.conv_v)
        )
        dim = query.shape[-1]
        rotated = dim // 4 * 2
        scores = rotate(query, rotated) @ rotate(key, rotated).transpose(-1, -2) / math.sqrt(dim)
        scores = scores.masked_fill(~mask[:, None, None, :], -1e4)
        gathered = self.drop(scores.softmax(-1)) @ value
        return self.conv_o(gathered.transpose(1, 2).flatten(2))
