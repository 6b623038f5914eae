"""Token ids -> hidden states, prior means of the mel and log-durations.

Reference:
    Mehta et al., Matcha-TTS, ICASSP 2024, section 3.1; Popov et al., Grad-TTS, ICML 2021.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.speech.matcha.config import EncoderConfig, MatchaConfig
from facevox.models.speech.matcha.duration_predictor import DurationPredictor
from facevox.nn.convolution import FrameConv1d
from facevox.nn.gradient import scale_gradient
from facevox.nn.normalization import ChannelLayerNorm
from facevox.nn.rotary import RotarySelfAttention


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedText:
    """What the encoder says of each token; zero where padded.

    Attributes:
        hidden: States, the condition included.
        mu: Prior mean of the normalised mel.
        log_durations: Natural log of the predicted frames.
    """

    hidden: Float[Tensor, "batch tokens hidden"]
    mu: Float[Tensor, "batch tokens mels"]
    log_durations: Float[Tensor, "batch tokens"]


class Prenet(nn.Module):
    """Three convolutions around a residual that is zero at first."""

    def __init__(self, channels: int, dropout: float, layers: int = 3, kernel: int = 5) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList(
            FrameConv1d(channels, channels, kernel, padding=kernel // 2) for _ in range(layers)
        )
        self.norm_layers = nn.ModuleList(ChannelLayerNorm(channels) for _ in range(layers))
        self.drop = nn.Dropout(dropout)
        self.proj = FrameConv1d(channels, channels, 1)
        nn.init.zeros_(self.proj.weight)
        if self.proj.bias is not None:
            nn.init.zeros_(self.proj.bias)

    def forward(
        self, x: Float[Tensor, "batch tokens channels"], valid: Bool[Tensor, "batch tokens 1"]
    ) -> Tensor:
        """Return (batch, tokens, channels)."""
        inner = x
        for convolution, norm in zip(self.conv_layers, self.norm_layers, strict=True):
            inner = self.drop(torch.relu(norm(convolution(inner * valid))))
        return (x + self.proj(inner)) * valid


class ConvFeedForward(nn.Module):
    """Two convolutions with a ReLU between them."""

    def __init__(self, channels: int, filter_channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.conv_1 = FrameConv1d(channels, filter_channels, kernel, padding=kernel // 2)
        self.conv_2 = FrameConv1d(filter_channels, channels, kernel, padding=kernel // 2)
        self.drop = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "batch tokens channels"], valid: Bool[Tensor, "batch tokens 1"]
    ) -> Tensor:
        """Return (batch, tokens, channels)."""
        inner = self.drop(torch.relu(self.conv_1(x * valid)))
        return self.conv_2(inner * valid) * valid


class TransformerEncoder(nn.Module):
    """Rotary attention and convolutional feed-forward layers, norms after the residuals."""

    def __init__(self, channels: int, config: EncoderConfig) -> None:
        super().__init__()
        layers = range(config.layers)
        self.drop = nn.Dropout(config.dropout)
        self.attn_layers = nn.ModuleList(
            RotarySelfAttention(channels, config.heads, config.dropout) for _ in layers
        )
        self.norm_layers_1 = nn.ModuleList(ChannelLayerNorm(channels) for _ in layers)
        self.ffn_layers = nn.ModuleList(
            ConvFeedForward(channels, config.filter, config.kernel, config.dropout) for _ in layers
        )
        self.norm_layers_2 = nn.ModuleList(ChannelLayerNorm(channels) for _ in layers)

    def forward(
        self, x: Float[Tensor, "batch tokens channels"], mask: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch tokens channels"]:
        """Return states of the same shape."""
        valid = mask.unsqueeze(-1)
        for attention, norm_1, feed_forward, norm_2 in zip(
            self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True
        ):
            x = x * valid
            x = norm_1(x + self.drop(attention(x, mask)))
            x = norm_2(x + self.drop(feed_forward(x, valid)))
        return x * valid


class TextEncoder(nn.Module):
    """Embedding, prenet, transformer and the heads for mel means and durations.

    Args:
        config: Sizes.
        condition_dim: Channels of the condition; 0 for none.
    """

    def __init__(self, config: MatchaConfig, condition_dim: int) -> None:
        super().__init__()
        hidden = config.encoder.hidden
        self.prosody_gradient = config.prosody_gradient
        self.emb = nn.Embedding(config.num_symbols, hidden)
        nn.init.normal_(self.emb.weight, 0.0, hidden**-0.5)
        self.tag_emb = nn.Embedding(config.num_tags, hidden) if config.num_tags else None
        if self.tag_emb is not None:
            nn.init.normal_(self.tag_emb.weight, 0.0, hidden**-0.5)
        self.prenet = Prenet(hidden, config.encoder.prenet_dropout)
        self.encoder = TransformerEncoder(hidden + condition_dim, config.encoder)
        self.proj_m = FrameConv1d(hidden + condition_dim, config.n_mels, 1)
        self.proj_w = DurationPredictor(hidden + condition_dim, config.duration)

    def forward(
        self,
        ids: Int[Tensor, "batch tokens"],
        tags: Int[Tensor, "batch tokens"] | None,
        mask: Bool[Tensor, "batch tokens"],
        condition: Float[Tensor, "batch condition"] | None,
    ) -> EncodedText:
        """Encode padded sequences of ids.

        Args:
            ids: Symbols.
            tags: Second stream of ids, if the model has one.
            mask: Valid tokens.
            condition: What is known of the voice.
        """
        valid = mask.unsqueeze(-1)
        x = functional.embedding(ids, self.emb.weight)
        if self.tag_emb is not None and tags is not None:
            x = x + functional.embedding(tags, self.tag_emb.weight)
        x = self.prenet(x * math.sqrt(x.shape[-1]), valid)
        if condition is not None:
            x = torch.cat([x, condition.to(x.dtype).unsqueeze(1).expand(-1, x.shape[1], -1)], -1)
        hidden = self.encoder(x, mask)
        log_durations = self.proj_w(scale_gradient(hidden, self.prosody_gradient), mask)
        return EncodedText(
            hidden=hidden,
            mu=(self.proj_m(hidden) * valid).float(),
            log_durations=log_durations.float(),
        )
