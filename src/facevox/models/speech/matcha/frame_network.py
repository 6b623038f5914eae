"""Dilated convolutions over frames, on states of tokens and the place inside them."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from facevox.nn.alignment import expand
from facevox.nn.convolution import FrameConv1d
from facevox.nn.normalization import ChannelLayerNorm

PLACE_FEATURES = 4
"""Numbers that say where a frame lies."""


class FrameNetwork(nn.Module):
    """What all predictors at frame level share; a subclass adds what it predicts.

    Args:
        hidden: Size of the encoder's states.
        channels: Channels of the convolutions.
        kernel: Frames of each.
        dilations: One residual convolution for each.
        dropout: Share dropped in training.
    """

    def __init__(
        self, hidden: int, channels: int, kernel: int, dilations: tuple[int, ...], dropout: float
    ) -> None:
        super().__init__()
        reach = kernel // 2
        self.token_proj = nn.Linear(hidden, channels)
        self.place_proj = nn.Linear(PLACE_FEATURES, channels)
        self.conv_layers = nn.ModuleList(
            FrameConv1d(channels, channels, kernel, padding=reach * d, dilation=d)
            for d in dilations
        )
        self.norm_layers = nn.ModuleList(ChannelLayerNorm(channels) for _ in dilations)
        self.drop = nn.Dropout(dropout)

    def states(
        self,
        hidden: Float[Tensor, "batch tokens hidden"],
        durations: Int[Tensor, "batch tokens"],
        tokens: Int[Tensor, "batch frames"],
        mask: Bool[Tensor, "batch frames"],
        more: Float[Tensor, "batch frames channels"] | None = None,
    ) -> Float[Tensor, "batch frames channels"]:
        """Return a state for each frame.

        Args:
            hidden: Encoder states.
            durations: Frames of each token.
            tokens: Token of each frame.
            mask: Valid frames.
            more: What else is known of each frame.
        """
        valid = mask.unsqueeze(-1)
        x = expand(self.token_proj(hidden).float(), tokens)
        x = x + self.place_proj(frame_places(durations, tokens))
        if more is not None:
            x = x + more
        for convolution, norm in zip(self.conv_layers, self.norm_layers, strict=True):
            x = x + self.drop(norm(torch.relu(convolution(x * valid))))
        return x


def frame_places(durations: Tensor, tokens: Tensor) -> Tensor:
    """Return place in the token, its length, and place in the sequence: (batch, frames, 4)."""
    ends = durations.cumsum(1)
    starts = ends - durations
    frames = torch.arange(tokens.shape[1], device=tokens.device)
    length = durations.gather(1, tokens).clamp(min=1).float()
    since = frames - starts.gather(1, tokens)
    until = ends[:, -1:] - frames
    inside = (since + 0.5) / length
    return torch.stack(
        [inside, length.log() / 3, (frames / 100.0).expand_as(inside).log1p(), _log(until)], -1
    )


def _log(frames: Tensor) -> Tensor:
    return (frames.clamp(min=0) / 100.0).log1p()
