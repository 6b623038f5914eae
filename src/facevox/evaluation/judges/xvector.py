"""The x-vector encoder of speechbrain (spkrec-xvect-voxceleb), with its front end.

Reference:
    Snyder et al., X-Vectors: Robust DNN Embeddings for Speaker Recognition, ICASSP 2018.
    Ravanelli et al., SpeechBrain: A General-Purpose Speech Toolkit, 2021.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.errors import InputError
from facevox.evaluation.judges.checkpoint_file import loaded

SAMPLE_RATE = 16_000
N_FFT, HOP_LENGTH, N_MELS = 400, 160, 24
KERNELS, DILATIONS = (5, 3, 3, 1, 1), (1, 2, 3, 1, 1)
SHORTEST = HOP_LENGTH * 8

_FLOOR, _RANGE = 1e-10, 80.0
_OFFSET = 5e-5


class Xvector(nn.Module):
    """Five time-delay layers, mean and deviation over time, one linear layer.

    Keys and shapes are those of the published `embedding_model.ckpt`.

    Args:
        channels: Channels of the five layers.
        dim: Size of the embedding.
    """

    def __init__(
        self, channels: tuple[int, ...] = (512, 512, 512, 512, 1500), dim: int = 512
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        inputs = N_MELS
        for outputs, kernel, dilation in zip(channels, KERNELS, DILATIONS, strict=True):
            layer = (_Delay(inputs, outputs, kernel, dilation), nn.LeakyReLU(), _Norm(outputs))
            self.blocks.extend(layer)
            inputs = outputs
        self.blocks.extend((_Statistics(), _Linear(2 * inputs, dim)))

    def forward(self, fbank: Float32[Tensor, "batch frames 24"]) -> Float32[Tensor, "batch dim"]:
        """Return embeddings, not normalised."""
        hidden = fbank.transpose(1, 2)
        for block in self.blocks:
            hidden = block(hidden)
        return hidden

    @torch.inference_mode()
    def embed(self, waveform: Float32[np.ndarray, " samples"]) -> Float32[np.ndarray, " dim"]:
        """Return the embedding of speech at 16 kHz, silence included, not normalised.

        Raises:
            InputError: If it is too short.
        """
        if len(waveform) < SHORTEST:
            raise InputError(f"{len(waveform)} samples are too few for x-vectors.")
        fbank = decibel_fbank(torch.from_numpy(waveform)[None])
        return self(fbank - fbank.mean(1, keepdim=True))[0].numpy()


def tiny() -> Xvector:
    """Return the same network with few channels."""
    return Xvector((8, 8, 8, 8, 12), 16)


def load_xvector(path: Path) -> Xvector:
    """Load `embedding_model.ckpt` of speechbrain/spkrec-xvect-voxceleb.

    Raises:
        CheckpointError: If it is damaged or does not fit.
    """
    return loaded(Xvector(), path)


def decibel_fbank(
    waveform: Float32[Tensor, "batch samples"],
) -> Float32[Tensor, "batch frames 24"]:
    """Return mel powers in decibels, at most 80 dB under the loudest of the utterance.

    Hamming window of 25 ms every 10 ms, zeros around the sound, triangles on the mel scale
    2595 log10(1 + f / 700).  As in speechbrain both sides of a triangle are as wide as its
    left side.
    """
    spectrum = torch.stft(
        waveform,
        N_FFT,
        HOP_LENGTH,
        window=torch.hamming_window(N_FFT),
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    power = spectrum.abs().square().transpose(1, 2)
    decibels = 10 * (power @ _FILTERS).clamp_min(_FLOOR).log10()
    return torch.maximum(decibels, decibels.amax((1, 2), keepdim=True) - _RANGE)


def _mel_filters() -> Tensor:
    highest = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, N_MELS + 2) / 2595) - 1)
    bins = np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    distance = np.abs(bins[:, None] - corners[1:-1]) / np.diff(corners)[:-1]
    return torch.from_numpy(np.maximum(0, 1 - distance).astype(np.float32))


_FILTERS = _mel_filters()


class _Delay(nn.Module):
    """A convolution over time that keeps the length by mirroring both ends."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, dilation=dilation)
        self._reach = (kernel - 1) * dilation // 2

    def forward(self, frames: Tensor) -> Tensor:
        return self.conv(functional.pad(frames, (self._reach, self._reach), mode="reflect"))


class _Norm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, frames: Tensor) -> Tensor:
        return self.norm(frames)


class _Statistics(nn.Module):
    """Mean and standard deviation over time.

    The original adds noise between 1e-5 and 9e-5 to the mean; here it is always 5e-5, so
    that the same sound gives the same embedding.
    """

    def forward(self, frames: Tensor) -> Tensor:
        return torch.cat([frames.mean(-1) + _OFFSET, frames.std(-1) + 1e-5], 1)


class _Linear(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.w = nn.Linear(inputs, outputs)

    def forward(self, statistics: Tensor) -> Tensor:
        return self.w(statistics)
