"""What a vocoder is trained to make small.

Reference:
    Yamamoto, Song and Kim, Parallel WaveGAN, ICASSP 2020 (multi-resolution STFT);
    Kong, Kim and Bae, HiFi-GAN, NeurIPS 2020 (least squares, feature matching, mel).
"""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.speech.mel import MelSettings, MelSpectrogram

FEATURE_WEIGHT = 2.0
"""Weight of feature matching in HiFi-GAN."""

MEL_WEIGHT = 45.0
"""Weight of the mel loss in HiFi-GAN."""

WINDOWS = (160, 480, 1440)
"""Windows of the multi-resolution loss [samples]: 10, 30 and 90 ms at 16 kHz."""

_QUIET = 1e-4


class MelLoss(nn.Module):
    """Mean distance of log-mels up to half the sample rate.

    Args:
        settings: The mel front end of the vocoder; its `f_max` is not used.
    """

    def __init__(self, settings: MelSettings | None = None) -> None:
        super().__init__()
        settings = settings or MelSettings()
        self.mel = MelSpectrogram(settings.model_copy(update={"f_max": None}))

    def forward(
        self, made: Float[Tensor, "batch samples"], real: Float[Tensor, "batch samples"]
    ) -> Float[Tensor, ""]:
        """Return the mean absolute difference."""
        return functional.l1_loss(self.mel(made), self.mel(real))


class StftLoss(nn.Module):
    """Spectral convergence and log magnitudes at several resolutions.

    Args:
        windows: Lengths of the Hann windows [samples].
    """

    def __init__(self, windows: Sequence[int] = WINDOWS) -> None:
        super().__init__()
        self.windows = tuple(windows)
        for index, length in enumerate(self.windows):
            self.register_buffer(f"window_{index}", torch.hann_window(length), persistent=False)

    def forward(
        self, made: Float[Tensor, "batch samples"], real: Float[Tensor, "batch samples"]
    ) -> Float[Tensor, ""]:
        """Return the mean over resolutions."""
        total = made.new_zeros(())
        for index in range(len(self.windows)):
            window = self.get_buffer(f"window_{index}")
            with torch.no_grad():
                wanted = spectrum_magnitudes(real, window)
            found = spectrum_magnitudes(made, window)
            convergence = torch.linalg.norm(wanted - found) / torch.linalg.norm(wanted)
            floor = _QUIET * len(window) ** 0.5
            logs = functional.l1_loss(torch.log(found + floor), torch.log(wanted + floor))
            total = total + convergence + logs
        return total / len(self.windows)


class EnergyDistance(nn.Module):
    """How far the distribution of made spectra is from that of real ones.

    A plain distance is least for a sound without randomness: it trades breath for buzz.
    Here two sounds made with other noise repel each other, so that the least is reached
    where made sound varies as real sound does.  Its expectation is a proper score.

    Args:
        settings: The mel front end, one of the resolutions; its `f_max` is not used.
        windows: Lengths of the Hann windows of the others [samples].

    Reference:
        Gritsenko et al., A Spectral Energy Distance for Parallel Speech Synthesis,
        NeurIPS 2020.
    """

    def __init__(
        self, settings: MelSettings | None = None, windows: Sequence[int] = WINDOWS
    ) -> None:
        super().__init__()
        self.mel = MelLoss(settings).mel
        self.stft = StftLoss(windows)

    def forward(
        self,
        first: Float[Tensor, "batch samples"],
        second: Float[Tensor, "batch samples"],
        real: Float[Tensor, "batch samples"],
    ) -> Float[Tensor, ""]:
        """Return the mean distance to real sound, less half of that between the two made.

        Args:
            first: Made sound.
            second: Made of the same mel and F0 with other noise and phase.
            real: The recording.
        """
        total = first.new_zeros(())
        for a, b, c in self._spectra(first, second, real):
            apart = _spectrum_distance(a, b)
            total = total + 0.5 * (_spectrum_distance(a, c) + _spectrum_distance(b, c) - apart)
        return total / (len(self.stft.windows) + 1)

    def _spectra(self, *sounds: Tensor) -> Iterator[tuple[Tensor, ...]]:
        yield tuple(self.mel(sound) for sound in sounds)
        for index, length in enumerate(self.stft.windows):
            window = self.stft.get_buffer(f"window_{index}")
            floor = _QUIET * length**0.5
            yield tuple(torch.log(spectrum_magnitudes(s, window) + floor) for s in sounds)


def _spectrum_distance(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean distance of frames, one by one and as vectors, of log spectra."""
    difference = a - b
    frames = torch.sqrt(difference.square().mean(dim=1) + 1e-8)
    return difference.abs().mean() + frames.mean()


def spectrum_magnitudes(
    waveform: Float[Tensor, "batch samples"], window: Float[Tensor, " length"]
) -> Float[Tensor, "batch bins frames"]:
    """Return STFT magnitudes with a hop of a quarter of the window."""
    length = len(window)
    n_fft = 1 << (length - 1).bit_length()
    spectrum = torch.stft(
        waveform, n_fft, length // 4, length, window, center=True, return_complex=True
    )
    return torch.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-9)


def discriminator_loss(real: Sequence[Tensor], made: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Return how far scores of real sound are from one, and those of made sound from zero."""
    pairs = zip(real, made, strict=True)
    return torch.stack([((1.0 - r) ** 2).mean() + (m**2).mean() for r, m in pairs]).sum()


def adversarial_loss(made: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Return how far scores of made sound are from one."""
    return torch.stack([((1.0 - score) ** 2).mean() for score in made]).sum()


def feature_loss(
    real: Sequence[Sequence[Tensor]], made: Sequence[Sequence[Tensor]]
) -> Float[Tensor, ""]:
    """Return the mean distance of each discriminator's features, summed over all layers."""
    distances = [
        functional.l1_loss(m, r.detach())
        for real_maps, made_maps in zip(real, made, strict=True)
        for r, m in zip(real_maps, made_maps, strict=True)
    ]
    return torch.stack(distances).sum()
