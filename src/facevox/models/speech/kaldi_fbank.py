"""Kaldi's log mel filter bank in plain torch: what speaker networks are trained on.

Differentiable, so that a loss on a speaker embedding can reach the waveform.
"""

from functools import lru_cache

import torch
from jaxtyping import Float32
from torch import Tensor

SAMPLE_RATE = 16_000
FRAME_LENGTH, FRAME_SHIFT = 400, 160
"""25 ms and 10 ms [samples]."""

N_FFT = 512
LOWEST = 20.0
"""Lower edge of the first filter [Hz]; the last one ends at the Nyquist frequency."""

_PREEMPHASIS = 0.97
_POVEY_POWER = 0.85


def kaldi_fbank(
    waveform: Float32[Tensor, "*batch samples"], n_mels: int = 80
) -> Float32[Tensor, "*batch frames n_mels"]:
    """Return natural logs of mel energies, 100 frames a second, of whole windows only.

    Every frame loses its mean, is pre-emphasised (0.97) and weighted with Povey's window;
    no dither, power spectrum of 512 points, triangles on the mel scale 1127 ln(1 + f / 700),
    floor at the machine epsilon before the log.  The scale of the waveform is kept: sound in
    [-1, 1] gives what 3D-Speaker and CosyVoice feed CAM++, not what Kaldi gives for 16-bit
    integers.

    Args:
        waveform: Mono at 16 kHz, at least 400 samples.
        n_mels: Bands.

    Reference:
        Povey et al., The Kaldi Speech Recognition Toolkit, 2011 (compute-fbank-feats).
    """
    frames = waveform.unfold(-1, FRAME_LENGTH, FRAME_SHIFT)
    frames = frames - frames.mean(-1, keepdim=True)
    before = torch.cat([frames[..., :1], frames[..., :-1]], -1)
    frames = (frames - _PREEMPHASIS * before) * _povey_window().to(frames)
    power = torch.fft.rfft(frames, N_FFT).abs().square()
    energies = power @ _mel_filters(n_mels).to(power)
    return energies.clamp_min(torch.finfo(torch.float32).eps).log()


# constants are kept, so they must not be made as tensors of inference mode, which refuse to
# take part in gradients later
@lru_cache(maxsize=1)
@torch.inference_mode(False)
def _povey_window() -> Tensor:
    return torch.hann_window(FRAME_LENGTH, periodic=False) ** _POVEY_POWER


@lru_cache(maxsize=4)
@torch.inference_mode(False)
def _mel_filters(n_mels: int) -> Tensor:
    """Triangles that are straight on the mel scale, (bins, n_mels); the last bin is unused."""
    bins = _mel(torch.arange(N_FFT // 2, dtype=torch.float64) * SAMPLE_RATE / N_FFT)
    low, high = _mel(torch.tensor([LOWEST, SAMPLE_RATE / 2], dtype=torch.float64)).tolist()
    corners = torch.linspace(low, high, n_mels + 2, dtype=torch.float64)
    step = (high - low) / (n_mels + 1)
    rising = (bins[:, None] - corners[:-2]) / step
    falling = (corners[2:] - bins[:, None]) / step
    filters = torch.minimum(rising, falling).clamp_min(0)
    return torch.cat([filters, filters.new_zeros(1, n_mels)]).float()


def _mel(frequency: Tensor) -> Tensor:
    return 1127 * torch.log1p(frequency / 700)
