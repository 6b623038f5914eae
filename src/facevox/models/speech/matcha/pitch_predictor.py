"""Melody at frame level: F0 relative to the voice's own mean, and voicing.

Reference:
    Ours; FastPitch (Lancucki, ICASSP 2021) predicts one value a symbol.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.speech.matcha.config import PitchConfig
from facevox.models.speech.matcha.frame_network import FrameNetwork
from facevox.nn.masks import masked_mean

PITCH_CHANNELS = 3
"""What the decoder sees of a frame's pitch; see `pitch_channels`."""

REFERENCE_LOG2_F0 = 7.3
"""About the middle between women and men (158 Hz): log2 F0 is given relative to it [octaves]."""


class PitchPredictor(FrameNetwork):
    """Melody and voicing of each frame.

    Args:
        hidden: Size of the encoder's states.
        config: Sizes.
    """

    def __init__(self, hidden: int, config: PitchConfig) -> None:
        super().__init__(hidden, config.channels, config.kernel, config.dilations, config.dropout)
        self.proj = nn.Linear(config.channels, 2)

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
        x = self.states(hidden, durations, tokens, mask)
        octaves, voicing = (self.proj(x) * mask.unsqueeze(-1)).float().unbind(-1)
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
