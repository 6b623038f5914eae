"""The prior mean of the mel, frame by frame: what a listener would expect on average.

The published prior is one vector a symbol, and the U-Net has to find every transition
between them.  With an hour of speech it does not; convolutions over frames learn the means
in minutes, and the flow adds what varies around them.

Reference:
    Ours; the decoder of FastPitch (Lancucki, ICASSP 2021) has this place without a flow.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from facevox.models.speech.matcha.config import PriorConfig
from facevox.models.speech.matcha.pitch_predictor import (
    PITCH_CHANNELS,
    PLACE_FEATURES,
    frame_places,
)
from facevox.nn.alignment import expand
from facevox.nn.convolution import FrameConv1d
from facevox.nn.normalization import ChannelLayerNorm


class FramePrior(nn.Module):
    """Dilated convolutions on states of tokens, the place inside them, and the melody.

    Args:
        hidden: Size of the encoder's states.
        n_mels: Mel bands.
        config: Sizes.
    """

    def __init__(self, hidden: int, n_mels: int, config: PriorConfig) -> None:
        super().__init__()
        channels, reach = config.channels, config.kernel // 2
        self.token_proj = nn.Linear(hidden, channels)
        self.place_proj = nn.Linear(PLACE_FEATURES, channels)
        self.pitch_proj = nn.Linear(PITCH_CHANNELS, channels)
        self.conv_layers = nn.ModuleList(
            FrameConv1d(channels, channels, config.kernel, padding=reach * d, dilation=d)
            for d in config.dilations
        )
        self.norm_layers = nn.ModuleList(ChannelLayerNorm(channels) for _ in config.dilations)
        self.drop = nn.Dropout(config.dropout)
        self.proj = nn.Linear(channels, n_mels)

    def forward(
        self,
        hidden: Float[Tensor, "batch tokens hidden"],
        durations: Int[Tensor, "batch tokens"],
        tokens: Int[Tensor, "batch frames"],
        pitch: Float[Tensor, "batch frames 3"],
        mask: Bool[Tensor, "batch frames"],
    ) -> Float[Tensor, "batch frames mels"]:
        """Return means of the normalised mel.

        Args:
            hidden: Encoder states.
            durations: Frames of each token.
            tokens: Token of each frame.
            pitch: What `pitch_channels` says.
            mask: Valid frames.
        """
        valid = mask.unsqueeze(-1)
        x = expand(self.token_proj(hidden).float(), tokens)
        x = x + self.place_proj(frame_places(durations, tokens)) + self.pitch_proj(pitch)
        for convolution, norm in zip(self.conv_layers, self.norm_layers, strict=True):
            x = x + self.drop(norm(torch.relu(convolution(x * valid))))
        return self.proj(x).float() * valid
