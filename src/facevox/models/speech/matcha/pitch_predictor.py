"""Melody at frame level: F0 relative to the voice's own mean, and voicing.

Reference:
    Ours; FastPitch (Lancucki, ICASSP 2021) predicts one value a symbol.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.speech.matcha.config import PitchConfig
from facevox.nn.alignment import expand
from facevox.nn.convolution import FrameConv1d
from facevox.nn.masks import masked_mean
from facevox.nn.normalization import ChannelLayerNorm

PLACE_FEATURES = 4
"""Numbers that say where a frame lies."""

PITCH_CHANNELS = 3
REFERENCE_LOG2_F0 = 7.3
"""About the middle between women and men (158 Hz): log2 F0 is given relative to it [octaves]."""


class PitchPredictor(nn.Module):
    """Dilated convolutions over frames on states of tokens and the place inside them.

    Args:
        hidden: Size of the encoder's states.
        config: Sizes.
    """

    def __init__(self, hidden: int, config: PitchConfig) -> None:
        super().__init__()
        channels, reach = config.channels, config.kernel // 2
        self.token_proj = nn.Linear(hidden, channels)
        self.place_proj = nn.Linear(PLACE_FEATURES, channels)
        self.conv_layers = nn.ModuleList(
            FrameConv1d(channels, channels, config.kernel, padding=reach * d, dilation=d)
            for d in config.dilations
        )
        self.norm_layers = nn.ModuleList(ChannelLayerNorm(channels) for _ in config.dilations)
        self.drop = nn.Dropout(config.dropout)
        self.proj = nn.Linear(channels, 2)

    def forward(
        self,
        hidden: Float[Tensor, "batch tokens hidden"],
        durations: Int[Tensor, "batch tokens"],
        tokens: Int[Tensor, "batch frames"],
        mask: Bool[Tensor, "batch frames"],
    ) -> tuple[Float[Tensor, "batch frames"], Float[Tensor, "batch frames"]]:
        """Return log2 F0 relative to the voice's mean [octaves] and the logit of voicing.

        Args:
            hidden: Encoder states.
            durations: Frames of each token.
            tokens: Token of each frame.
            mask: Valid frames.
        """
        valid = mask.unsqueeze(-1)
        x = expand(self.token_proj(hidden).float(), tokens)
        x = x + self.place_proj(frame_places(durations, tokens))
        for convolution, norm in zip(self.conv_layers, self.norm_layers, strict=True):
            x = x + self.drop(norm(torch.relu(convolution(x * valid))))
        octaves, voicing = (self.proj(x) * valid).float().unbind(-1)
        return octaves, voicing


def pitch_losses(
    octaves: Float[Tensor, "batch frames"],
    voicing: Float[Tensor, "batch frames"],
    target: Float[Tensor, "batch frames"],
    voiced: Bool[Tensor, "batch frames"],
    mask: Bool[Tensor, "batch frames"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the L1 error on voiced frames [octaves] and the cross-entropy of voicing."""
    error = masked_mean((octaves - target).abs(), voiced & mask)
    entropy = functional.binary_cross_entropy_with_logits(voicing, voiced.float(), reduction="none")
    return error, masked_mean(entropy, mask)


def pitch_channels(
    f0: Float[Tensor, "batch frames"], log2_f0_mean: Float[Tensor, " batch"]
) -> Float[Tensor, "batch frames 3"]:
    """Return what the decoder sees: log2 F0 against the voice's mean, log2 F0, voicing."""
    voiced = f0 > 0
    log2_f0 = torch.log2(f0.clamp(min=1.0))
    relative = torch.where(voiced, log2_f0 - log2_f0_mean[:, None], 0.0)
    absolute = torch.where(voiced, log2_f0 - REFERENCE_LOG2_F0, 0.0)
    return torch.stack([relative, absolute, voiced.to(relative.dtype)], -1)


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
