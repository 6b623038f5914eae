"""Sizes of the motion sampler; presets are functions."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from facevox.core.errors import ConfigError
from facevox.nn.unet1d import UnetConfig

_STYLE_DIM, _MOTION_DIM = 512, 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NormaliserConfig(_Frozen):
    """Auto-encoder of motions.

    Attributes:
        width: Channels of its convolutions.
        compressed_dim: Channels of the compressed motion f_c.
        momentum: Least share of a batch in the running mean and deviation of f_c.
    """

    width: int = Field(default=128, ge=1)
    compressed_dim: int = Field(default=16, ge=1)
    momentum: float = Field(default=0.01, gt=0, le=1)


class PriorConfig(_Frozen):
    """Conformer that predicts the mean of f_c.

    Attributes:
        dim: Channels.
        layers: Number of layers.
        heads: Attention heads.
        kernel: Frames of the convolutions; odd.
        dropout: Share dropped in training.
    """

    dim: int = Field(default=256, ge=1)
    layers: int = Field(default=4, ge=1)
    heads: int = Field(default=4, ge=1)
    kernel: int = Field(default=31, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)


class MotionSamplerConfig(_Frozen):
    """Normaliser, prior and flow.

    Attributes:
        style_dim: Size of f_m and f_lip.
        motion_dim: Directions of the motion dictionary.
        normaliser: Auto-encoder.
        prior: Conformer.
        unet: Velocity field.
        prior_mode: Where the flow starts: around the prior's mean ("mean_shifted") or around 0
            ("standard"); the velocity field sees the mean in both.
        noise_memory: Correlation of the noise of neighbouring frames, 0 as published.  Motions
            are smooth; from white noise a small network draws them shaking.
        spread: Deviation of standardised f_c around the prior's mean.  With it the network only
            learns what this Gaussian does not already say; None is as published.
        sigma_min: Noise left at the end of the flow.
        motion_gradient: Whether the losses reach f_m, and with it the motion extractor.
        lip_gradient: Whether the losses reach f_lip, and with it the audio mapper.
        chunk: Frames drawn at once; longer sequences are drawn piece by piece.
        overlap: Frames of the piece before that a piece sees, and in which it is brought in
            line with it.
    """

    style_dim: int = Field(default=_STYLE_DIM, ge=1)
    motion_dim: int = Field(default=_MOTION_DIM, ge=1)
    normaliser: NormaliserConfig = NormaliserConfig()
    prior: PriorConfig = PriorConfig()
    unet: UnetConfig = UnetConfig(masked=True)
    prior_mode: Literal["mean_shifted", "standard"] = "mean_shifted"
    spread: float | None = Field(default=None, gt=0)
    noise_memory: float = Field(default=0.0, ge=0, lt=1)
    sigma_min: float = Field(default=1e-4, ge=0, lt=1)
    motion_gradient: bool = False
    lip_gradient: bool = True
    chunk: int = Field(default=250, ge=1)
    overlap: int = Field(default=8, ge=1)

    @model_validator(mode="after")
    def _check(self) -> "MotionSamplerConfig":
        if not self.unet.masked:
            raise ConfigError("The U-Net of the motion sampler must be masked, got masked=False.")
        if self.prior.kernel % 2 == 0 or self.prior.dim % self.prior.heads:
            raise ConfigError(
                f"The prior needs an odd kernel and a width that its heads divide, got kernel "
                f"{self.prior.kernel}, dim {self.prior.dim} and {self.prior.heads} heads."
            )
        return self


def paper() -> MotionSamplerConfig:
    """Return four conformer layers of 256 channels and the U-Net of Matcha-TTS."""
    return MotionSamplerConfig()


def small() -> MotionSamplerConfig:
    """Return half the width in prior and U-Net, and a known Gaussian: the weights that ship."""
    return MotionSamplerConfig(
        prior=PriorConfig(dim=128),
        unet=UnetConfig(channels=(128, 128), masked=True),
        spread=1.0,
        noise_memory=0.95,
    )


def tiny() -> MotionSamplerConfig:
    """Return sizes for tests."""
    return MotionSamplerConfig(
        style_dim=16,
        motion_dim=4,
        normaliser=NormaliserConfig(width=16, compressed_dim=4),
        prior=PriorConfig(dim=16, layers=1, heads=2, kernel=5, dropout=0.0),
        unet=UnetConfig(
            channels=(16, 16),
            heads=1,
            head_dim=8,
            mid_blocks=1,
            expansion=2,
            dropout=0.0,
            time_dim=32,
            masked=True,
        ),
        spread=1.0,
        chunk=24,
        overlap=4,
    )
