"""A one-dimensional U-Net that predicts velocities, frame by frame.

Reference:
    Mehta et al., Matcha-TTS, ICASSP 2024, section 3.2.
"""

import torch
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from facevox.nn.blocks1d import (
    Activation,
    Block1d,
    FeedForward,
    FeedForwardActivation,
    ResnetBlock1d,
    SelfAttention,
    TimeEmbedding,
    TransformerBlock,
)
from facevox.nn.convolution import FrameConv1d, FrameUpsample1d


class UnetConfig(BaseModel):
    """Sizes of the U-Net.

    Attributes:
        channels: Channels of each level; every level but the last halves the frame rate.
        attention: Whether the blocks of each level attend.
        heads: Attention heads.
        head_dim: Channels of a head.
        mid_blocks: Blocks at the lowest rate.
        expansion: Inner over outer channels of the feed-forward layers.
        dropout: Share dropped in the feed-forward layers in training.
        time_features: Sinusoids of the time; None takes the number of input channels.
        time_dim: Channels of the time embedding; None takes 4 x the first level's.
        activation: Activation of the convolution blocks.
        feed_forward: Activation of the feed-forward layers.
        masked: Whether padding is kept out of group norms and attention; the published
            network lets it in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: tuple[int, ...] = (256, 256)
    attention: tuple[bool, ...] = (True, True)
    heads: int = 2
    head_dim: int = 64
    mid_blocks: int = 2
    expansion: int = 4
    dropout: float = 0.05
    time_features: int | None = None
    time_dim: int | None = None
    activation: Activation = "mish"
    feed_forward: FeedForwardActivation = "snakebeta"
    masked: bool = False

    @property
    def multiple(self) -> int:
        """Numbers of frames that the network takes are multiples of this."""
        return 1 << (len(self.channels) - 1)


class Downsample1d(nn.Module):
    """Half as many frames."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = FrameConv1d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, frames / 2, channels)."""
        return self.conv(x)


class Upsample1d(nn.Module):
    """Twice as many frames."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = FrameUpsample1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, 2 * frames, channels)."""
        return self.conv(x)


class VelocityUnet(nn.Module):
    """dx/dt of a noisy sequence, given what is known of each frame.

    Args:
        in_channels: Channels of the noisy sequence and all conditions together.
        out_channels: Channels of the sequence.
        config: Sizes.
    """

    def __init__(self, in_channels: int, out_channels: int, config: UnetConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        time_dim = self._time_dim = config.time_dim or 4 * channels[0]
        self.time_mlp = TimeEmbedding(config.time_features or in_channels, time_dim)
        last = len(channels) - 1
        widths = (in_channels, *channels)
        self.down_blocks = nn.ModuleList(
            nn.ModuleList(
                [
                    *self._pair(widths[level], widths[level + 1], level),
                    Downsample1d(width) if level < last else _same_rate(width),
                ]
            )
            for level, width in enumerate(channels)
        )
        self.mid_blocks = nn.ModuleList(
            nn.ModuleList(self._pair(channels[-1], channels[-1], last))
            for _ in range(config.mid_blocks)
        )
        self.up_blocks = nn.ModuleList()
        for level in range(last, -1, -1):
            width = channels[max(level - 1, 0)]
            rate = Upsample1d(width) if level else _same_rate(width)
            pair = self._pair(2 * channels[level], width, level)
            self.up_blocks.append(nn.ModuleList([*pair, rate]))
        self.final_block = Block1d(channels[0], channels[0], config.activation, config.masked)
        self.final_proj = FrameConv1d(channels[0], out_channels, 1)
        self.apply(_initialise)

    def forward(
        self,
        x: Float[Tensor, "batch frames in_channels"],
        mask: Bool[Tensor, "batch frames"],
        t: Float[Tensor, " batch"],
    ) -> Float[Tensor, "batch frames out_channels"]:
        """Return the velocity, 0 where padded.

        Args:
            x: Noisy sequence and conditions side by side; the number of frames is a multiple of
                2 ** (levels - 1).
            mask: Valid frames.
            t: Time in [0, 1].
        """
        time = self.time_mlp(t)
        skips, masks = [], [mask]
        for resnet, transformers, down in map(_parts, self.down_blocks):
            x = self._run(resnet, transformers, x, masks[-1], time)
            skips.append(x)
            x = down(x * masks[-1].unsqueeze(-1))
            masks.append(masks[-1][:, ::2])
        masks.pop()
        for resnet, transformers in map(_parts, self.mid_blocks):
            x = self._run(resnet, transformers, x, masks[-1], time)
        for resnet, transformers, up in map(_parts, self.up_blocks):
            here = masks.pop()
            x = self._run(resnet, transformers, torch.cat([x, skips.pop()], -1), here, time)
            x = up(x * here.unsqueeze(-1))
        valid = mask.unsqueeze(-1)
        return self.final_proj(self.final_block(x, mask) * valid) * valid

    @staticmethod
    def _run(
        resnet: nn.Module, transformers: nn.Module, x: Tensor, mask: Tensor, time: Tensor
    ) -> Tensor:
        x = resnet(x, mask, time)
        for block in transformers.children():
            x = block(x, mask)
        return x

    def _pair(self, in_dim: int, out_dim: int, level: int) -> list[nn.Module]:
        config = self.config
        resnet = ResnetBlock1d(in_dim, out_dim, self._time_dim, config.activation, config.masked)
        attention = (
            SelfAttention(out_dim, config.heads, config.head_dim, config.masked)
            if config.attention[level]
            else None
        )
        inner = FeedForward(out_dim, config.expansion, config.feed_forward, config.dropout)
        return [resnet, nn.ModuleList([TransformerBlock(out_dim, attention, inner)])]


def _parts(block: nn.Module) -> list[nn.Module]:
    return list(block.children())


def _same_rate(channels: int) -> FrameConv1d:
    return FrameConv1d(channels, channels, 3, padding=1)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | FrameConv1d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
