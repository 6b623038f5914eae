"""CAM++: a speaker encoder of densely connected time-delay layers with context-aware masks.

Keys and shapes are those of the published checkpoints (3D-Speaker), so that they load as
they are.

Reference:
    Wang et al., CAM++: A Fast and Efficient Network for Speaker Verification Using
    Context-Aware Masking, Interspeech 2023.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.speech.kaldi_fbank import kaldi_fbank

SEGMENT = 100
"""Frames (of 20 ms) that share the local part of a mask."""


@dataclass(frozen=True, kw_only=True)
class CampplusConfig:
    """Size of the network.

    Attributes:
        dim: Size of the embedding.
        n_mels: Mel bands, a multiple of 8.
        head_channels: Channels of the convolutions over time and frequency.
        channels: Channels before the first dense block.
        growth: Channels that each dense layer adds.
        bottleneck: Channels within a dense layer.
        layers: Dense layers of each block.
        dilations: Step of the dense layers of each block [frames].
    """

    dim: int = 192
    n_mels: int = 80
    head_channels: int = 32
    channels: int = 128
    growth: int = 32
    bottleneck: int = 128
    layers: tuple[int, ...] = (12, 24, 16)
    dilations: tuple[int, ...] = (1, 2, 2)


def paper(dim: int = 192) -> CampplusConfig:
    """Return the published size; 192 dimensions, or 512 for the VoxCeleb model."""
    return CampplusConfig(dim=dim)


def small() -> CampplusConfig:
    """Return the size of the encoder that ships: 0.7 million parameters."""
    return CampplusConfig(head_channels=8, channels=96, growth=48, bottleneck=96, layers=(3, 5, 3))


def tiny() -> CampplusConfig:
    """Return a size for tests."""
    return CampplusConfig(
        dim=16, head_channels=4, channels=8, growth=4, bottleneck=8, layers=(2, 3, 2)
    )


class Campplus(nn.Module):
    """Filter-bank frames of an utterance -> one vector that tells who speaks.

    Args:
        config: Size of the network.
    """

    def __init__(self, config: CampplusConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or paper()
        self.head = _Head(config.head_channels)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels = config.head_channels * config.n_mels // 8
        layers["tdnn"] = _TimeDelay(channels, config.channels)
        channels = config.channels
        sizes = zip(config.layers, config.dilations, strict=True)
        for index, (count, dilation) in enumerate(sizes, 1):
            layers[f"block{index}"] = _DenseBlock(config, channels, count, dilation)
            channels += count * config.growth
            layers[f"transit{index}"] = _Transit(channels, channels // 2)
            channels //= 2
        layers["out_nonlinear"] = _norm_relu(channels)
        layers["stats"] = _Statistics()
        layers["dense"] = _Dense(2 * channels, config.dim)
        self.xvector = nn.Sequential(layers)

    def forward(
        self, fbank: Float32[Tensor, "batch frames n_mels"]
    ) -> Float32[Tensor, "batch dim"]:
        """Return embeddings, not normalised.

        Args:
            fbank: Log mel energies less their mean over time; at least 4 frames.
        """
        return self.xvector(self.head(fbank.transpose(1, 2)))

    def embed_speech(
        self, waveform: Float32[Tensor, "batch samples"]
    ) -> Float32[Tensor, "batch dim"]:
        """Return embeddings of utterances of one length at 16 kHz in [-1, 1]."""
        fbank = kaldi_fbank(waveform, self.config.n_mels)
        return self(fbank - fbank.mean(1, keepdim=True))


class _Head(nn.Module):
    """Convolutions over time and frequency; an eighth of the bands, all frames."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(_Residual(channels, 2), _Residual(channels, 1))
        self.layer2 = nn.Sequential(_Residual(channels, 2), _Residual(channels, 1))
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, fbank: Tensor) -> Tensor:
        maps = torch.relu(self.bn1(self.conv1(fbank.unsqueeze(1))))
        maps = self.layer2(self.layer1(maps))
        return torch.relu(self.bn2(self.conv2(maps))).flatten(1, 2)


class _Residual(nn.Module):
    """Two convolutions beside a shortcut; the stride is along the frequency."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, (stride, 1), 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, channels, 1, (stride, 1), bias=False),
                nn.BatchNorm2d(channels),
            )

    def forward(self, maps: Tensor) -> Tensor:
        changed = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(maps)))))
        return torch.relu(changed + self.shortcut(maps))


class _TimeDelay(nn.Module):
    """Halves the frame rate."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(inputs, outputs, 5, stride=2, padding=2, bias=False)
        self.nonlinear = _norm_relu(outputs)

    def forward(self, frames: Tensor) -> Tensor:
        return self.nonlinear(self.linear(frames))


class _DenseBlock(nn.Module):
    """Layers, each of which sees what all before it made."""

    def __init__(self, config: CampplusConfig, inputs: int, count: int, dilation: int) -> None:
        super().__init__()
        for index in range(count):
            layer = _DenseLayer(inputs + index * config.growth, config, dilation)
            self.add_module(f"tdnnd{index + 1}", layer)

    def forward(self, frames: Tensor) -> Tensor:
        for layer in self.children():
            frames = torch.cat([frames, layer(frames)], 1)
        return frames


class _DenseLayer(nn.Module):
    def __init__(self, inputs: int, config: CampplusConfig, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = _norm_relu(inputs)
        self.linear1 = nn.Conv1d(inputs, config.bottleneck, 1, bias=False)
        self.nonlinear2 = _norm_relu(config.bottleneck)
        self.cam_layer = _Masked(config.bottleneck, config.growth, dilation)

    def forward(self, frames: Tensor) -> Tensor:
        return self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(frames))))


class _Masked(nn.Module):
    """A convolution whose output is weighted by what is heard around and overall."""

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(
            inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.linear1 = nn.Conv1d(inputs, inputs // 2, 1)
        self.linear2 = nn.Conv1d(inputs // 2, outputs, 1)

    def forward(self, frames: Tensor) -> Tensor:
        # the mean over the last, shorter segment counts only its own frames
        parts = functional.avg_pool1d(frames, SEGMENT, SEGMENT, ceil_mode=True)
        parts = parts.repeat_interleave(SEGMENT, -1)[..., : frames.shape[-1]]
        context = torch.relu(self.linear1(frames.mean(-1, keepdim=True) + parts))
        return self.linear_local(frames) * torch.sigmoid(self.linear2(context))


class _Transit(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.nonlinear = _norm_relu(inputs)
        self.linear = nn.Conv1d(inputs, outputs, 1, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        return self.linear(self.nonlinear(frames))


class _Statistics(nn.Module):
    """Mean and standard deviation over time."""

    def forward(self, frames: Tensor) -> Tensor:
        return torch.cat([frames.mean(-1), frames.std(-1)], 1)


class _Dense(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(inputs, outputs, 1, bias=False)
        norm = nn.BatchNorm1d(outputs, affine=False)
        self.nonlinear = nn.Sequential(OrderedDict(batchnorm=norm))

    def forward(self, statistics: Tensor) -> Tensor:
        return self.nonlinear(self.linear(statistics.unsqueeze(-1)).squeeze(-1))


def _norm_relu(channels: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(channels), relu=nn.ReLU()))
