"""HiFi-GAN: mel -> waveform by transposed convolutions and residual blocks of many reaches.

Keys and shapes are those of the published `generator` files, so that they load as they are.

Reference:
    Kong, Kim and Bae, HiFi-GAN: Generative Adversarial Networks for Efficient and High
    Fidelity Speech Synthesis, NeurIPS 2020.
"""

import math

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, model_validator
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.speech.vocoders.excitation import Onset
from facevox.models.speech.vocoders.vocoder import check_frames
from facevox.nn.normed_convolution import WeightNorm, fold_weight_norm

_SLOPE = 0.1
_LAST_SLOPE = 0.01


class HifiGanConfig(BaseModel):
    """Size of the generator.

    Attributes:
        sample_rate: Samples per second [Hz].
        n_mels: Mel bands.
        channels: Channels before the first stage; each stage halves them.
        rates: By how much each stage lengthens; their product is the hop.
        kernels: Kernel of each stage's transposed convolution; longer than its rate by an
            even number.
        block_kernels: Kernel of each residual block of a stage.
        block_dilations: Dilations of each residual block.
        paired: Whether each dilated convolution is followed by a plain one (the published
            "resblock 1"; without, "resblock 2").
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate: int = 16_000
    n_mels: int = 80
    channels: int = 512
    rates: tuple[int, ...] = (5, 4, 4, 2)
    kernels: tuple[int, ...] = (11, 8, 8, 4)
    block_kernels: tuple[int, ...] = (3, 7, 11)
    block_dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))
    paired: bool = True

    @property
    def hop_length(self) -> int:
        """Samples per frame."""
        return math.prod(self.rates)

    @model_validator(mode="after")
    def _stages_fit(self) -> "HifiGanConfig":
        if len(self.rates) != len(self.kernels):
            raise ValueError("rates and kernels must be of one length")
        if any((k - r) % 2 or k < r for r, k in zip(self.rates, self.kernels, strict=True)):
            raise ValueError("each kernel must exceed its rate by an even number")
        if len(self.block_kernels) != len(self.block_dilations):
            raise ValueError("block_kernels and block_dilations must be of one length")
        if self.channels % 2 ** len(self.rates):
            raise ValueError("channels must be divisible by two in each stage")
        return self


def paper() -> HifiGanConfig:
    """Return the published V1: 22.05 kHz, hop 256, 13.9 M parameters."""
    return HifiGanConfig(sample_rate=22_050, rates=(8, 8, 2, 2), kernels=(16, 16, 4, 4))


def paper_v2() -> HifiGanConfig:
    """Return the published V2: V1 with a quarter of the channels."""
    return paper().model_copy(update={"channels": 128})


def paper_v3() -> HifiGanConfig:
    """Return the published V3: three stages and shorter blocks."""
    return HifiGanConfig(
        sample_rate=22_050,
        channels=256,
        rates=(8, 8, 4),
        kernels=(16, 16, 8),
        block_kernels=(3, 5, 7),
        block_dilations=((1, 2), (2, 6), (3, 12)),
        paired=False,
    )


def wideband() -> HifiGanConfig:
    """Return V1 for 16 kHz and a hop of 160, as the mel front end of facevox."""
    return HifiGanConfig()


def small() -> HifiGanConfig:
    """Return V2 for 16 kHz and a hop of 160."""
    return HifiGanConfig(channels=128)


def tiny() -> HifiGanConfig:
    """Return a size for tests."""
    return HifiGanConfig(channels=16, block_kernels=(3, 5), block_dilations=((1, 2), (1, 2)))


class HifiGan(nn.Module):
    """Mel -> waveform; F0 is not used.

    Args:
        config: Sizes; the default is `small()`.

    Attributes:
        sample_rate: Samples per second [Hz].
        hop_length: Samples per frame.
        receptive_field: Frames before and after one that its samples depend on.
    """

    def __init__(self, config: HifiGanConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or small()
        self.sample_rate, self.hop_length = config.sample_rate, config.hop_length
        self.receptive_field = _reach_in_frames(config)
        channels = config.channels
        self.conv_pre = WeightNorm(nn.Conv1d(config.n_mels, channels, 7, padding=3))
        self.ups = nn.ModuleList()
        self.resblocks = nn.ModuleList()
        for rate, kernel in zip(config.rates, config.kernels, strict=True):
            stage = nn.ConvTranspose1d(
                channels, channels // 2, kernel, rate, padding=(kernel - rate) // 2
            )
            self.ups.append(WeightNorm(_small_start(stage)))
            channels //= 2
            self.resblocks.extend(
                ResidualBlock(channels, size, dilations, config.paired)
                for size, dilations in zip(
                    config.block_kernels, config.block_dilations, strict=True
                )
            )
        self.conv_post = WeightNorm(_small_start(nn.Conv1d(channels, 1, 7, padding=3)))

    def forward(
        self,
        mel: Float[Tensor, "batch mels frames"],
        f0: Float[Tensor, "rows values"] | None = None,
        onset: Onset | None = None,
    ) -> Float[Tensor, "batch samples"]:
        """Return `frames * hop_length` samples.

        Args:
            mel: Natural log of mel magnitudes.
            f0: Not used; what the other vocoders need.
            onset: Not used; the sound depends on mel alone.

        Raises:
            InputError: If mel does not fit the network or F0, or is not finite.
        """
        del onset
        check_frames(mel, mel[:, 0] if f0 is None else f0, self.config.n_mels)
        x = self.conv_pre(mel)
        fused = len(self.config.block_kernels)
        for index, stage in enumerate(self.ups):
            x = stage(functional.leaky_relu(x, _SLOPE))
            blocks = self.resblocks[index * fused : (index + 1) * fused]
            x = torch.stack([block(x) for block in blocks]).mean(dim=0)
        x = functional.leaky_relu(x, _LAST_SLOPE)
        # eight bits of a bf16 number would be heard as noise
        own = next(self.conv_post.parameters()).dtype
        with torch.autocast(x.device.type, enabled=False):
            return torch.tanh(self.conv_post(x.to(own))).squeeze(1)

    def remove_weight_norm(self) -> None:
        """Fold direction and length into plain weights; keys become `.weight`."""
        fold_weight_norm(self)


class ResidualBlock(nn.Module):
    """Dilated convolutions, each with a residual path.

    Args:
        channels: Channels in and out.
        kernel: Samples that each convolution spans; odd.
        dilations: Step of each dilated convolution.
        paired: Whether each is followed by a plain one.
    """

    def __init__(
        self, channels: int, kernel: int, dilations: tuple[int, ...], paired: bool = True
    ) -> None:
        super().__init__()
        dilated = [_same_length(channels, kernel, dilation) for dilation in dilations]
        if paired:
            self.convs1 = nn.ModuleList(dilated)
            self.convs2 = nn.ModuleList(_same_length(channels, kernel, 1) for _ in dilations)
        else:
            self.convs = nn.ModuleList(dilated)

    def forward(self, x: Float[Tensor, "batch dim samples"]) -> Float[Tensor, "batch dim samples"]:
        """Return the features after this block; samples beyond the ends count as zero."""
        if hasattr(self, "convs"):
            for convolution in self.convs:
                x = x + convolution(functional.leaky_relu(x, _SLOPE))
            return x
        for first, second in zip(self.convs1, self.convs2, strict=True):
            hidden = first(functional.leaky_relu(x, _SLOPE))
            x = x + second(functional.leaky_relu(hidden, _SLOPE))
        return x


def _same_length(channels: int, kernel: int, dilation: int) -> WeightNorm:
    padding = (kernel - 1) * dilation // 2
    return WeightNorm(
        _small_start(nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding))
    )


def _small_start(convolution: nn.Conv1d | nn.ConvTranspose1d) -> nn.Conv1d | nn.ConvTranspose1d:
    nn.init.normal_(convolution.weight, 0.0, 0.01)
    return convolution


def _reach_in_frames(config: HifiGanConfig) -> int:
    """Return how many frames before or after a frame its samples see, from the output back."""
    pairs = zip(config.block_kernels, config.block_dilations, strict=True)
    block = max(
        (kernel - 1) // 2 * (sum(steps) + (len(steps) if config.paired else 0))
        for kernel, steps in pairs
    )
    reach = 3
    for rate, kernel in reversed(list(zip(config.rates, config.kernels, strict=True))):
        padding = (kernel - rate) // 2
        reach += block
        reach = max((reach + kernel - 1 - padding) // rate, (reach + rate - 1 + padding) // rate)
    return reach + 3
