"""What is spoken, at 100 Hz -> lip features f_lip at 25 Hz.

Token embedding, upsampled text feature and energy go through one multi-receptive-field module
whose convolutions are not padded, and are then brought to the rate of the video.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, section 3.1; Kong, Kim and Bae, HiFi-GAN,
    NeurIPS 2020 (the module).
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.errors import ConfigError
from facevox.nn.masks import length_mask

RATE = 4
"""Mel frames of 10 ms in a video frame of 40 ms."""

_SLOPE = 0.1


class AudioMapperConfig(BaseModel):
    """Sizes and switches of the audio mapper.

    Attributes:
        embedding_dim: Channels of the token embedding.
        text_dim: Channels of the upsampled text feature, the prior mean of the mel.
        text: Whether the text feature is an input; the ablation without it has no energy either.
        energy: Whether the energy is an input.
        width: Channels of the convolutions.
        out_dim: Size of f_lip.
        kernels: One branch for each.
        dilations: Of the residual convolutions of a branch.
        boundary: How the frames that unpadded convolutions eat are made up: by "context", the
            utterance's ends repeated, or by "stretch", each branch drawn out to the whole
            length again, which shifts time by up to 0.6 s at the ends.
        rate: "linear" takes the two mel frames in the middle of a video frame, "area" all four.
        zero_init: Whether f_lip starts as zero.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedding_dim: int = Field(default=192, ge=1)
    text_dim: int = Field(default=80, ge=1)
    text: bool = True
    energy: bool = True
    width: int = Field(default=512, ge=1)
    out_dim: int = Field(default=512, ge=1)
    kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[int, ...] = (1, 3, 5)
    boundary: Literal["context", "stretch"] = "context"
    rate: Literal["linear", "area"] = "linear"
    zero_init: bool = False

    @property
    def in_channels(self) -> int:
        """Channels of all inputs together: 273 in the published model."""
        return self.embedding_dim + self.text * self.text_dim + self.energy

    @property
    def margin(self) -> int:
        """Mel frames that the widest branch sees on either side: 60 in the published model."""
        return max(map(self.margin_of, self.kernels))

    def margin_of(self, kernel: int) -> int:
        """Return the mel frames that a branch eats at either end."""
        return (kernel - 1) // 2 * (sum(self.dilations) + len(self.dilations))


def paper() -> AudioMapperConfig:
    """Return the sizes of the published model."""
    return AudioMapperConfig()


def small() -> AudioMapperConfig:
    """Return a quarter of the width: the weights that ship."""
    return AudioMapperConfig(width=128)


def tiny() -> AudioMapperConfig:
    """Return sizes for tests."""
    return AudioMapperConfig(embedding_dim=6, text_dim=4, width=8, out_dim=16)


class ResidualBranch(nn.Module):
    """Residual pairs of a dilated and a plain convolution, all unpadded.

    Args:
        channels: Of input and output.
        kernel: Frames of a convolution; odd.
        dilations: One pair for each.
    """

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=dilation) for dilation in dilations
        )
        self.plain = nn.ModuleList(nn.Conv1d(channels, channels, kernel) for _ in dilations)

    def forward(self, x: Float[Tensor, "batch channels time"]) -> Tensor:
        """Return (batch, channels, time - what is eaten)."""
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            inner = dilated(functional.leaky_relu(x, _SLOPE))
            inner = plain(functional.leaky_relu(inner, _SLOPE))
            x = _centre(x, inner.shape[-1]) + inner
        return x


class AudioMapper(nn.Module):
    """Inputs at mel rate -> f_lip at video rate.

    Args:
        config: Sizes and switches.
    """

    def __init__(self, config: AudioMapperConfig) -> None:
        super().__init__()
        if any(kernel % 2 == 0 for kernel in config.kernels):
            raise ConfigError(f"kernels of the audio mapper must be odd, got {config.kernels}.")
        if config.energy and not config.text:
            raise ConfigError("The audio mapper takes energy only beside the text feature.")
        self.config = config
        self.project = nn.Conv1d(config.in_channels, config.width, 1)
        self.branches = nn.ModuleList(
            ResidualBranch(config.width, kernel, config.dilations) for kernel in config.kernels
        )
        self.out = nn.Conv1d(config.width, config.out_dim, 1)
        if config.zero_init:
            nn.init.zeros_(self.out.weight)
            nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def join(
        self,
        embedding: Float[Tensor, "*batch mel_frames embedding"],
        text: Float[Tensor, "*batch mel_frames text"],
        energy: Float[Tensor, "*batch mel_frames 1"],
    ) -> Float[Tensor, "*batch mel_frames in_channels"]:
        """Return side by side the inputs that this model takes.

        Args:
            embedding: Token embedding, each token repeated for its duration.
            text: Upsampled text feature.
            energy: See `frame_energy`.
        """
        parts = [embedding]
        parts += [text] if self.config.text else []
        parts += [energy] if self.config.energy else []
        return torch.cat(parts, -1)

    def forward(
        self,
        inputs: Float[Tensor, "batch mel_frames in_channels"],
        mask: Bool[Tensor, "batch mel_frames"],
        start: Int[Tensor, " batch"] | None = None,
        frames: int | None = None,
    ) -> Float[Tensor, "batch frames out_dim"]:
        """Return f_lip of whole utterances or of a window of each; 0 beyond an utterance's end.

        A window is the same as a cut from the whole, at the cost of the window.

        Args:
            inputs: See `join`, at 100 Hz.
            mask: Valid mel frames.
            start: First video frame of each window; None is 0.
            frames: Video frames of a window; None takes all of the longest utterance.

        Raises:
            ValueError: If `boundary="stretch"` has an utterance too short to keep anything.
        """
        lengths = mask.sum(1)
        total = video_lengths(lengths)
        frames = int(total.max()) if frames is None else frames
        start = torch.zeros_like(total) if start is None else start.to(total)
        if self.config.boundary == "stretch":
            lips = self._stretched(inputs, lengths, start, frames)
        else:
            margin = self.config.margin
            steps = torch.arange(-margin, RATE * frames + margin, device=inputs.device)
            # beyond either end of an utterance its first or last frame goes on
            index = (RATE * start[:, None] + steps).clamp(min=0)
            index = torch.minimum(index, (lengths - 1).clamp(min=0)[:, None])
            inputs = inputs.gather(1, index[:, :, None].expand(-1, -1, inputs.shape[2]))
            lips = self._at_video_rate(self._branched(inputs.transpose(1, 2)))
        return lips * length_mask(total - start, frames).unsqueeze(-1)

    def _branched(self, inputs: Tensor) -> Tensor:
        """Return the mean of the branches, (batch, width, time - 2 margin)."""
        x, margin = self.project(inputs), self.config.margin
        # cut before a branch rather than behind it: the same frames, computed once
        cuts = [margin - self.config.margin_of(kernel) for kernel in self.config.kernels]
        ends = [
            branch(_centre(x, x.shape[-1] - 2 * cut))
            for branch, cut in zip(self.branches, cuts, strict=True)
        ]
        return torch.stack(ends).mean(0)

    def _stretched(self, inputs: Tensor, lengths: Tensor, start: Tensor, frames: int) -> Tensor:
        lips = inputs.new_zeros(len(inputs), frames, self.config.out_dim)
        for row, (length, first) in enumerate(zip(lengths.tolist(), start.tolist(), strict=True)):
            if length <= 2 * self.config.margin:
                raise ValueError(
                    f"boundary='stretch' needs more than {2 * self.config.margin} mel frames, "
                    f"got {length}."
                )
            x = self.project(inputs[row : row + 1, :length].transpose(1, 2))
            total = int(video_lengths(lengths[row : row + 1]))
            ends = [
                functional.interpolate(branch(x), RATE * total, mode="linear")
                for branch in self.branches
            ]
            whole = self._at_video_rate(torch.stack(ends).mean(0))[0, first : first + frames]
            lips[row, : len(whole)] = whole.to(lips.dtype)
        return lips

    def _at_video_rate(self, x: Tensor) -> Tensor:
        groups = x.unflatten(-1, (-1, RATE))
        middle = groups if self.config.rate == "area" else groups[..., 1:3]
        return self.out(functional.leaky_relu(middle.mean(-1), _SLOPE)).transpose(1, 2)


def video_lengths(mel_lengths: Int[Tensor, " batch"]) -> Int[Tensor, " batch"]:
    """Return the video frames of utterances: mel frames / 4, halves up, at least one."""
    return torch.div(mel_lengths + RATE // 2, RATE, rounding_mode="floor").clamp(min=1)


def video_mask(mask: Bool[Tensor, "batch mel_frames"]) -> Bool[Tensor, "batch frames"]:
    """Return the valid video frames of utterances, as long as `AudioMapper` makes them."""
    total = video_lengths(mask.sum(1))
    return length_mask(total, int(total.max()))


def frame_energy(
    mel: Float[Tensor, "batch mel_frames n_mels"],
) -> Float[Tensor, "batch mel_frames 1"]:
    """Return the energy of each frame: the mean of its normalised log-mels."""
    return mel.mean(-1, keepdim=True)


def _centre(x: Tensor, length: int) -> Tensor:
    before = (x.shape[-1] - length) // 2
    return x[..., before : before + length]
