"""Between waveforms and the spectra of overlapping frames, frame m centred in hop m."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_LEAST = 1e-3


def frame_spectra(
    waveform: Float[Tensor, "*rows samples"], window: Float[Tensor, " n_fft"], hop_length: int
) -> Tensor:
    """Return complex spectra (*rows, frames, bins), one frame for each hop.

    Sound beyond the ends counts as zero.
    """
    pad = (len(window) - hop_length) // 2
    pieces = functional.pad(waveform, (pad, pad)).unfold(-1, len(window), hop_length)
    return torch.fft.rfft(pieces * window)


def sound_of_spectra(
    spectra: Tensor, window: Float[Tensor, " n_fft"], hop_length: int
) -> Float[Tensor, "batch samples"]:
    """Return `frames * hop_length` samples: windowed frames, overlapped and added.

    Spectra of a waveform give that waveform again.

    Reference:
        Griffin and Lim, Signal Estimation from Modified Short-Time Fourier Transform, 1984.
    """
    pieces = torch.fft.irfft(spectra, len(window)) * window
    total = _overlapped(pieces, hop_length)
    weight = _overlapped((window**2).expand(1, pieces.shape[1], -1), hop_length)
    pad = (len(window) - hop_length) // 2
    samples = pieces.shape[1] * hop_length
    return total[:, pad : pad + samples] / weight[:, pad : pad + samples].clamp(min=_LEAST)


def _overlapped(
    pieces: Float[Tensor, "batch frames n_fft"], hop_length: int
) -> Float[Tensor, "batch samples"]:
    pieces = functional.pad(pieces, (0, -pieces.shape[2] % hop_length))
    batch, frames, length = pieces.shape
    parts = length // hop_length
    total = pieces.new_zeros(batch, frames + parts - 1, hop_length)
    split = pieces.reshape(batch, frames, parts, hop_length)
    for part in range(parts):
        total[:, part : part + frames] += split[:, :, part]
    return total.flatten(1)
