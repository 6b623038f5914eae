"""Log-mel spectrograms in plain torch: the seam between acoustic models and vocoders.

Frame m is centred at sample (m + 0.5) * hop_length, so that a waveform of n hops gives
exactly n frames and four frames of 10 ms tile one video frame at 25 fps.

Reference:
    Kong, Kim and Bae, HiFi-GAN, NeurIPS 2020 (reflect padding by half of what the window
    is longer than the hop, magnitudes, natural log); Slaney, Auditory Toolbox, 1998 (the
    filter bank: linear below 1 kHz, logarithmic above, triangles of equal area).
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Float32
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional

_LINEAR_STEP = 200.0 / 3
_LOG_START = 1000.0
_LOG_STEP = np.log(6.4) / 27


class MelSettings(BaseModel):
    """How a waveform becomes a mel spectrogram.

    Attributes:
        sample_rate: Samples per second [Hz].
        n_fft: Length of the Fourier transform [samples].
        win_length: Length of the Hann window, centred in `n_fft` [samples].
        hop_length: Samples between two frames.
        n_mels: Number of mel bands.
        f_min: Lowest frequency [Hz].
        f_max: Highest frequency [Hz]; None is half the sample rate.
        floor: Smallest magnitude before the logarithm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate: int = 16_000
    n_fft: int = 1024
    win_length: int = 640
    hop_length: int = 160
    n_mels: int = 80
    f_min: float = 0.0
    f_max: float | None = 8000.0
    floor: float = 1e-5


def matcha_22k() -> MelSettings:
    """Return the front end of the published Matcha-TTS and HiFi-GAN checkpoints."""
    return MelSettings(sample_rate=22_050, n_fft=1024, win_length=1024, hop_length=256)


class MelSpectrogram(nn.Module):
    """Waveform -> natural log of mel magnitudes; differentiable.

    Args:
        settings: Rates, sizes and bands; the default is 16 kHz, 80 bands, 100 frames a second.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, settings: MelSettings | None = None) -> None:
        super().__init__()
        self.settings = settings = settings or MelSettings()
        self.register_buffer("window", torch.hann_window(settings.win_length), persistent=False)
        self.register_buffer("filters", torch.from_numpy(mel_filters(settings)), persistent=False)

    def forward(
        self, waveform: Float[Tensor, "batch samples"]
    ) -> Float[Tensor, "batch mels frames"]:
        """Return `samples // hop_length` frames.

        Raises:
            ValueError: If the waveform is not longer than half of what the transform is longer
                than the hop, so that it cannot be mirrored at its ends.
        """
        magnitude = magnitudes(waveform.float(), self.settings, self.window)
        return torch.log(torch.clamp(self.filters @ magnitude, min=self.settings.floor))


def magnitudes(
    waveform: Float[Tensor, "batch samples"], settings: MelSettings, window: Float[Tensor, " win"]
) -> Float[Tensor, "batch bins frames"]:
    """Return STFT magnitudes with frames centred between hops."""
    pad = (settings.n_fft - settings.hop_length) // 2
    if waveform.shape[-1] <= pad:
        raise ValueError(
            f"A waveform of {waveform.shape[-1]} samples is too short for a mel spectrogram; "
            f"at least {pad + 1} are needed."
        )
    padded = functional.pad(waveform.unsqueeze(1), (pad, pad), mode="reflect").squeeze(1)
    spectrum = torch.stft(
        padded,
        settings.n_fft,
        settings.hop_length,
        settings.win_length,
        window,
        center=False,
        return_complex=True,
    )
    return torch.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-9)


@lru_cache(maxsize=8)
def mel_filters(settings: MelSettings) -> Float32[np.ndarray, "mels bins"]:
    """Return the triangles that sum STFT bins into mel bands, each of area one."""
    f_max = settings.f_max or settings.sample_rate / 2
    bins = np.linspace(0.0, settings.sample_rate / 2, settings.n_fft // 2 + 1)
    edges = mel_to_hertz(
        np.linspace(hertz_to_mel(settings.f_min), hertz_to_mel(f_max), settings.n_mels + 2)
    )
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (middle - low)
    falling = (high - bins) / (high - middle)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * 2.0 / (high - low)).astype(np.float32)


def hertz_to_mel(frequency: float | np.ndarray) -> np.ndarray:
    """Return Slaney's mel of a frequency [Hz]."""
    frequency = np.asarray(frequency, np.float64)
    above = _LOG_START / _LINEAR_STEP + np.log(np.maximum(frequency, 1e-3) / _LOG_START) / _LOG_STEP
    return np.where(frequency < _LOG_START, frequency / _LINEAR_STEP, above)


def mel_to_hertz(mel: float | np.ndarray) -> np.ndarray:
    """Return the frequency of Slaney's mel [Hz]."""
    mel = np.asarray(mel, np.float64)
    above = _LOG_START * np.exp(_LOG_STEP * (mel - _LOG_START / _LINEAR_STEP))
    return np.where(mel < _LOG_START / _LINEAR_STEP, mel * _LINEAR_STEP, above)
