"""Networks that tell real from made sound while a vocoder is trained.

The keys of `PeriodDiscriminators` and `ScaleDiscriminators` are those of the published
HiFi-GAN (`mpd` and `msd` of its `do_` files).

Reference:
    Kong, Kim and Bae, HiFi-GAN, NeurIPS 2020 (periods, scales); Jang et al., UnivNet,
    Interspeech 2021 (spectrograms at several resolutions).
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from facevox.nn.normed_convolution import SpectralNorm, WeightNorm

Judgement = tuple[list[Tensor], list[list[Tensor]]]
"""Scores of each discriminator, and its features, layer by layer."""

PERIODS = (2, 3, 5, 7, 11)
"""Distances of the samples that lie side by side; primes overlap least."""

RESOLUTIONS = ((160, 40), (480, 120), (1280, 320))
"""Window and hop of each spectrogram [samples]: 10, 30 and 80 ms at 16 kHz."""

_SLOPE = 0.1


class _Discriminators(nn.Module):
    """Several networks that judge the same sound."""

    discriminators: nn.ModuleList

    def forward(self, waveform: Float[Tensor, "batch samples"]) -> Judgement:
        """Return scores near one for sound taken as real, and the features."""
        scores, features = [], []
        for index, discriminator in enumerate(self.discriminators):
            maps = discriminator(self._prepared(waveform.unsqueeze(1), index))
            scores.append(maps[-1].flatten(1))
            features.append(maps)
        return scores, features

    def _prepared(self, waveform: Tensor, index: int) -> Tensor:
        del index
        return waveform


class PeriodDiscriminators(_Discriminators):
    """Sound folded at several periods, so that every n-th sample lies in a column.

    Args:
        periods: The distances [samples].
        width: Channels as a part of the published ones.
        gain: What the sound is multiplied by; speech has about a tenth of the power of noise
            that these layers expect.
    """

    def __init__(
        self, periods: tuple[int, ...] = PERIODS, width: float = 1.0, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(_Period(period, width, gain) for period in periods)
        _start_strong(self)


class ScaleDiscriminators(_Discriminators):
    """Sound as it is, averaged in pairs, and in pairs of pairs.

    Args:
        scales: How many.
        width: Channels as a part of the published ones; such that the groups divide them.
    """

    def __init__(self, scales: int = 3, width: float = 1.0) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(_Scale(width, i == 0) for i in range(scales))

    def _prepared(self, waveform: Tensor, index: int) -> Tensor:
        for _ in range(index):
            waveform = functional.avg_pool1d(waveform, 4, 2, padding=2)
        return waveform


class SpectrogramDiscriminators(_Discriminators):
    """Compressed magnitudes at several resolutions, in time and frequency.

    Args:
        resolutions: Window and hop of each [samples].
        channels: Channels of each layer.
    """

    def __init__(
        self, resolutions: tuple[tuple[int, int], ...] = RESOLUTIONS, channels: int = 16
    ) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(
            _Spectrogram(window, hop, channels) for window, hop in resolutions
        )
        _start_strong(self)


class _Period(nn.Module):
    def __init__(self, period: int, width: float, gain: float) -> None:
        super().__init__()
        self.period, self.gain = period, gain
        sizes = [1, *(round(width * c) for c in (32, 128, 512, 1024, 1024))]
        self.convs = nn.ModuleList(
            WeightNorm(nn.Conv2d(a, b, (5, 1), (3 if i < 4 else 1, 1), padding=(2, 0)))
            for i, (a, b) in enumerate(pairwise(sizes))
        )
        self.conv_post = WeightNorm(nn.Conv2d(sizes[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, waveform: Tensor) -> list[Tensor]:
        missing = -waveform.shape[-1] % self.period
        waveform = self.gain * waveform
        x = functional.pad(waveform, (0, missing), "reflect")
        x = x.unflatten(-1, (-1, self.period))
        return _features(x, self.convs, self.conv_post)


class _Scale(nn.Module):
    def __init__(self, width: float, spectral: bool) -> None:
        super().__init__()
        norm = SpectralNorm if spectral else WeightNorm
        sizes = [1, *(round(width * c) for c in (128, 128, 256, 512, 1024, 1024, 1024))]
        kernels, strides = (15, 41, 41, 41, 41, 41, 5), (1, 2, 2, 4, 4, 1, 1)
        groups = (1, 4, 16, 16, 16, 16, 1)
        self.convs = nn.ModuleList(
            norm(nn.Conv1d(sizes[i], sizes[i + 1], k, s, padding=k // 2, groups=g))
            for i, (k, s, g) in enumerate(zip(kernels, strides, groups, strict=True))
        )
        self.conv_post = norm(nn.Conv1d(sizes[-1], 1, 3, padding=1))

    def forward(self, waveform: Tensor) -> list[Tensor]:
        return _features(waveform, self.convs, self.conv_post)


class _Spectrogram(nn.Module):
    window: Tensor

    def __init__(self, window: int, hop_length: int, channels: int) -> None:
        super().__init__()
        self.hop_length = hop_length
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        sizes = [1, channels, channels, channels, channels]
        self.convs = nn.ModuleList(
            WeightNorm(nn.Conv2d(a, b, (3, 9), (1, 2), padding=(1, 4))) for a, b in pairwise(sizes)
        )
        self.convs.append(WeightNorm(nn.Conv2d(channels, channels, 3, padding=1)))
        self.conv_post = WeightNorm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, waveform: Tensor) -> list[Tensor]:
        with torch.autocast(waveform.device.type, enabled=False):
            length = len(self.window)
            spectrum = torch.stft(
                waveform.squeeze(1).float(),
                length,
                self.hop_length,
                window=self.window,
                return_complex=True,
            )
            power = spectrum.real**2 + spectrum.imag**2
            # about a cube root: quiet parts count too, and silence has no steep slope
            x = 5.0 * ((power / length + 1e-6) ** 0.15 - 0.35)
        return _features(x.transpose(1, 2).unsqueeze(1), self.convs, self.conv_post)


def _start_strong(discriminators: nn.Module) -> None:
    """Let the first scores depend on the sound: torch's own start fades layer by layer."""
    for name, layer in discriminators.named_modules():
        if isinstance(layer, WeightNorm) and not name.endswith("conv_post"):
            with torch.no_grad():
                nn.init.kaiming_normal_(layer.weight_v, _SLOPE)
                layer.weight_g.copy_(layer.weight_v.flatten(1).norm(dim=1).view_as(layer.weight_g))


def _features(x: Tensor, layers: nn.ModuleList, last: nn.Module) -> list[Tensor]:
    """Return the output of every layer; the last is the score."""
    maps = []
    for layer in layers:
        x = functional.leaky_relu(layer(x), _SLOPE)
        maps.append(x)
    return [*maps, last(x)]
