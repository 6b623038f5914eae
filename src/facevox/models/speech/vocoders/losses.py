"""What a vocoder is trained to make small.

Reference:
    Yamamoto, Song and Kim, Parallel WaveGAN, ICASSP 2020 (multi-resolution STFT);
    Kong, Kim and Bae, HiFi-GAN, NeurIPS 2020 (least squares, feature matching, mel).
"""

from collections.abc import Sequence

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
