"""Corrects sound until its mel is the one asked for.

Noise and the overlap of frames leave each band some decibels too loud or too quiet.  The
spectrum of each frame is multiplied by what its mel lacks, its phase is kept.  What it lacks
is smoothed over frequency, so that the envelope is corrected and the harmonics stay where F0
puts them, even where the mel was made for another F0.

Reference:
    Griffin and Lim, Signal Estimation from Modified Short-Time Fourier Transform, 1984
    (overlap and add of changed spectra; here the phase is there already).
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.speech.mel import MelSettings, hertz_to_mel, mel_filters, mel_to_hertz
from facevox.models.speech.vocoders.frames import frame_spectra, sound_of_spectra

_MOST = 3.0
_EMPTY = 1e-5


class MelMatching(nn.Module):
    """One correction: waveform and mel -> waveform whose mel is closer.

    Args:
        settings: The mel front end.
        width: Standard deviation of the smoothing [Hz].

    Attributes:
        reach: Frames before and after one that its samples depend on.
    """

    window: Tensor
    filters: Tensor
    spread: Tensor

    def __init__(self, settings: MelSettings | None = None, width: float = 60.0) -> None:
        super().__init__()
        self.settings = settings = settings or MelSettings()
        self.reach = 2 * (settings.win_length // (2 * settings.hop_length))
        side = (settings.n_fft - settings.win_length) // 2
        window = functional.pad(torch.hann_window(settings.win_length), (side, side))
        filters = torch.from_numpy(mel_filters(settings))
        weight = filters.sum(dim=0)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("filters", filters, persistent=False)
        spread = torch.where(weight > _EMPTY, filters / weight.clamp(min=_EMPTY), 0.0)
        self.register_buffer("spread", _smoothing(settings, width) @ spread, persistent=False)

    def forward(
        self, waveform: Float[Tensor, "batch samples"], mel: Float[Tensor, "batch mels frames"]
    ) -> Float[Tensor, "batch samples"]:
        """Return the corrected sound.

        Args:
            waveform: As many hops as there are frames.
            mel: Natural log of the mel magnitudes that are wanted.
        """
        with torch.autocast(waveform.device.type, enabled=False):
            return self._corrected(waveform.float(), mel.float())

    def _corrected(self, waveform: Tensor, mel: Tensor) -> Tensor:
        hop = self.settings.hop_length
        spectra = frame_spectra(waveform, self.window, hop)
        magnitude = torch.sqrt(spectra.real**2 + spectra.imag**2 + 1e-9)
        found = torch.log(torch.clamp(magnitude @ self.filters.T, min=self.settings.floor))
        lacking = torch.clamp(mel.transpose(1, 2) - found, -_MOST, _MOST)
        return sound_of_spectra(spectra * torch.exp(lacking @ self.spread), self.window, hop)


def _smoothing(settings: MelSettings, width: float) -> Tensor:
    """Return how much each band (row) counts at each other (column): a Gaussian in hertz."""
    f_max = settings.f_max or settings.sample_rate / 2
    limits = np.linspace(hertz_to_mel(settings.f_min), hertz_to_mel(f_max), settings.n_mels + 2)
    edges = mel_to_hertz(limits)
    centre = edges[1:-1]
    weight = np.exp(-0.5 * ((centre[:, None] - centre) / width) ** 2) * np.diff(edges)[:-1, None]
    return torch.from_numpy((weight / weight.sum(axis=0)).astype(np.float32))
