"""Conformer layers on (batch, time, channels) that do not see padding, for any length.

Reference:
    Gulati et al., Conformer: convolution-augmented transformer for speech recognition,
    Interspeech 2020.  Two parts differ: positions are rotary, which are relative as well, and
    a layer norm stands where the published convolution module has a batch norm, whose
    statistics would count padding and neighbours in the batch.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from facevox.nn.rotary import RotarySelfAttention


class ConformerFeedForward(nn.Sequential):
    """Layer norm and two linear layers with a Swish between them.

    Args:
        dim: Size of the last axis.
        expansion: Inner over outer channels.
        dropout: Share dropped in training.
    """

    def __init__(self, dim: int, expansion: int, dropout: float) -> None:
        super().__init__(
            nn.LayerNorm(dim),
            nn.Linear(dim, dim * expansion),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(dim * expansion, dim),
            nn.Dropout(dropout),
        )


class ConvolutionModule(nn.Module):
    """Gated pointwise layer, depthwise convolution, norm, Swish and pointwise layer.

    Args:
        dim: Size of the last axis.
        kernel: Frames of the convolution; odd.
        dropout: Share dropped in training.
    """

    def __init__(self, dim: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.gate = nn.Linear(dim, 2 * dim)
        self.depthwise = nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim)
        self.inner_norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, dim)
        self.drop = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "batch time channels"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time channels"]:
        """Return what is added to `x`; padding counts as silence, as does what lies beyond."""
        gated = nn.functional.glu(self.gate(self.norm(x)), dim=-1) * mask.unsqueeze(-1)
        # depthwise convolutions in bf16 are slow on a CPU
        with torch.autocast(x.device.type, enabled=False):
            mixed = self.depthwise(gated.float().transpose(1, 2)).transpose(1, 2)
        return self.drop(self.out(nn.functional.silu(self.inner_norm(mixed))))


class ConformerLayer(nn.Module):
    """Half a feed-forward layer, attention, convolution, the other half, layer norm.

    Args:
        dim: Size of the last axis.
        heads: Attention heads.
        kernel: Frames of the convolution; odd.
        expansion: Inner over outer channels of the feed-forward layers.
        dropout: Share dropped in training.
    """

    def __init__(
        self, dim: int, heads: int, kernel: int = 31, expansion: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.first = ConformerFeedForward(dim, expansion, dropout)
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = RotarySelfAttention(dim, heads, dropout)
        self.attention_drop = nn.Dropout(dropout)
        self.convolution = ConvolutionModule(dim, kernel, dropout)
        self.second = ConformerFeedForward(dim, expansion, dropout)
        self.norm = nn.LayerNorm(dim)

    def forward(
        self, x: Float[Tensor, "batch time channels"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time channels"]:
        """Return the layer's output; valid positions do not depend on padded ones.

        Args:
            x: Sequences, padded at their ends.
            mask: Valid positions.
        """
        x = x + 0.5 * self.first(x)
        x = x + self.attention_drop(self.attention(self.attention_norm(x), mask))
        x = x + self.convolution(x, mask)
        return self.norm(x + 0.5 * self.second(x))


class Conformer(nn.Module):
    """A stack of conformer layers.

    Args:
        layers: Number of layers.
        dim: Size of the last axis.
        heads: Attention heads.
        kernel: Frames of the convolutions; odd.
        dropout: Share dropped in training.
    """

    def __init__(self, layers: int, dim: int, heads: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            ConformerLayer(dim, heads, kernel, dropout=dropout) for _ in range(layers)
        )

    def forward(
        self, x: Float[Tensor, "batch time channels"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time channels"]:
        """Return the last layer's output."""
        for layer in self.layers:
            x = layer(x, mask)
        return x
