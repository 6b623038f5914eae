"""How long each token lasts.

Reference:
    Mehta et al., Matcha-TTS, ICASSP 2024; Ren et al., FastSpeech, NeurIPS 2019.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from facevox.models.speech.matcha.config import DurationConfig
from facevox.nn.convolution import FrameConv1d
from facevox.nn.normalization import ChannelLayerNorm


class DurationPredictor(nn.Module):
    """Two convolutions and a projection to the log of the number of frames.

    Args:
        channels: Size of the encoder's states.
        config: Sizes.
    """

    def __init__(self, channels: int, config: DurationConfig) -> None:
        super().__init__()
        inner, kernel = config.filter, config.kernel
        self.drop = nn.Dropout(config.dropout)
        self.conv_1 = FrameConv1d(channels, inner, kernel, padding=kernel // 2)
        self.norm_1 = ChannelLayerNorm(inner)
        self.conv_2 = FrameConv1d(inner, inner, kernel, padding=kernel // 2)
        self.norm_2 = ChannelLayerNorm(inner)
        self.proj = FrameConv1d(inner, 1, 1)

    def forward(
        self, x: Float[Tensor, "batch tokens channels"], mask: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch tokens"]:
        """Return natural logs of durations, 0 where padded."""
        valid = mask.unsqueeze(-1)
        for convolution, norm in ((self.conv_1, self.norm_1), (self.conv_2, self.norm_2)):
            x = self.drop(norm(torch.relu(convolution(x * valid))))
        return (self.proj(x * valid) * valid).squeeze(-1)


def duration_loss(
    log_durations: Float[Tensor, "batch tokens"],
    durations: Int[Tensor, "batch tokens"],
    mask: Bool[Tensor, "batch tokens"],
) -> Float[Tensor, ""]:
    """Return the mean squared error of log durations over the tokens of the batch."""
    target = torch.log(1e-8 + durations.float())
    return ((log_durations - target).square() * mask).sum() / mask.sum().clamp(min=1)


def whole_durations(
    log_durations: Float[Tensor, "batch tokens"],
    mask: Bool[Tensor, "batch tokens"],
    length_scale: float,
    rounding: str,
) -> Int[Tensor, "batch tokens"]:
    """Return frames of each token: at least 1 where valid, 0 where padded.

    What rounding takes from a token is given to the next, so that tempo is exact.

    Args:
        log_durations: As predicted.
        mask: Valid tokens.
        length_scale: Factor on all durations.
        rounding: "ceil" rounds up before scaling, as published; "nearest" only after.
    """
    frames = log_durations.double().clamp(max=8.0).exp()
    if rounding == "ceil":
        frames = frames.ceil()
    frames = (frames * length_scale).clamp(min=1.0) * mask
    ends = frames.cumsum(1).round().long()
    return torch.diff(ends, dim=1, prepend=torch.zeros_like(ends[:, :1])) * mask
