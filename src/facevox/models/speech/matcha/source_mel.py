"""Log-mels of a flat pulse train: what the harmonics of F0 alone look like.

With windows of 40 ms the lower bands of a mel resolve harmonics.  Where they lie follows from
F0 by arithmetic; a network that is told only a number has to learn that from data.

Reference:
    Ours; the source-filter view of Fant, Acoustic Theory of Speech Production, 1960.
"""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from facevox.models.speech.mel import MelSettings, mel_filters

LOWEST_F0 = 50.0
"""Lower F0 are taken as this [Hz]."""

_PER_OCTAVE, _OCTAVES = 64, 4
_VALLEY = 0.05  # of the mean magnitude: speech between harmonics is no emptier


class SourceMel(nn.Module):
    """F0 -> log-mel of a pulse train with a flat spectrum, about its mean over the bands.

    Args:
        n_mels: Mel bands, at 16 kHz with the default windows.
    """

    table: Tensor

    def __init__(self, n_mels: int) -> None:
        super().__init__()
        table = torch.from_numpy(source_table(MelSettings(n_mels=n_mels)))
        self.register_buffer("table", table, persistent=False)

    def forward(self, f0: Float[Tensor, "batch frames"]) -> Float[Tensor, "batch frames mels"]:
        """Return values [nepers]; 0 where F0 is 0.

        Args:
            f0: [Hz]; 0 without voice.
        """
        last = len(self.table) - 1
        place = torch.log2(f0.clamp(min=LOWEST_F0) / LOWEST_F0) * _PER_OCTAVE
        place = place.clamp(max=last)
        low = place.floor().long().clamp(max=last - 1)
        weight = (place - low).unsqueeze(-1)
        mel = torch.lerp(self.table[low], self.table[low + 1], weight)
        return mel * (f0 > 0).unsqueeze(-1)


def source_table(settings: MelSettings) -> Float32[np.ndarray, "pitches mels"]:
    """Return the log-mels of pulse trains, 64 an octave from `LOWEST_F0` on.

    Harmonics add by power; only the nearest two reach a bin of the transform.
    """
    f0 = LOWEST_F0 * np.exp2(np.arange(_OCTAVES * _PER_OCTAVE + 1) / _PER_OCTAVE)[:, None]
    bins = np.linspace(0.0, settings.sample_rate / 2, settings.n_fft // 2 + 1)
    below = np.floor(bins / f0)
    power = np.zeros_like(below)
    for harmonic in (below, below + 1):
        reached = _window_response((bins - harmonic * f0) * settings.win_length, settings)
        power += np.where(harmonic >= 1, reached**2, 0.0)
    mel = np.sqrt(power * f0) @ mel_filters(settings).T.astype(np.float64)
    mel /= mel_filters(settings).sum(1)
    mel /= mel.mean(1, keepdims=True)
    log_mel = np.log(np.maximum(mel, _VALLEY))
    return (log_mel - log_mel.mean(1, keepdims=True)).astype(np.float32)


def _window_response(distance: np.ndarray, settings: MelSettings) -> np.ndarray:
    """Return the transform of a Hann window, 1 at its top."""
    x = distance / settings.sample_rate
    return np.sinc(x) + 0.5 * (np.sinc(x - 1) + np.sinc(x + 1))
