"""Distortions of log mel energies that leave the speaker: room, microphone, noise.

Made on the filter bank's frames, where they cost next to nothing: a microphone adds a curve,
noise adds energy, a room smears energy over the following frames.
"""

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional

FRAME = 0.02
"""Time between two frames [s]."""

_KNOTS = 10
_DECIBEL = 0.2302585
"""One decibel of energy in natural logs."""


def distort(
    frames: Float32[Tensor, "batch frames n_mels"], generator: torch.Generator
) -> Float32[Tensor, "batch frames n_mels"]:
    """Return crops as if recorded elsewhere, each in another way.

    Every crop gets another frequency response (smooth, some 4 dB, with a tilt); two of five a
    room; seven of ten noise 3 to 30 dB below the speech (coloured, or other crops that
    speak); three of ten lose the bands above some edge.
    """
    batch, _, n_mels = frames.shape
    frames = frames + _curve(batch, n_mels, 3.5, generator)
    frames = _room(frames, generator)
    frames = torch.logaddexp(frames, _noise(frames, generator))
    edge = _uniform(batch, 0.65, 1.0, generator) * n_mels
    edge = torch.where(_chance(batch, 0.3, generator), edge, torch.full_like(edge, n_mels))
    above = (torch.arange(n_mels) - edge[:, None]).clamp_min(0)[:, None]
    return frames - above.clamp(max=6.0) * 8 * _DECIBEL


def _curve(batch: int, n_mels: int, scale: float, generator: torch.Generator) -> Tensor:
    """Smooth random curves over the bands with a tilt, (batch, 1, n_mels)."""
    knots = torch.randn(batch, 1, _KNOTS, generator=generator) * scale
    tilt = torch.randn(batch, 1, 1, generator=generator) * scale
    knots = knots + tilt * torch.linspace(-1, 1, _KNOTS)
    return functional.interpolate(knots, n_mels, mode="linear", align_corners=True) * _DECIBEL


def _room(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Add a decaying tail to the energy of every band."""
    batch = len(frames)
    lags = torch.arange(1, 16) * FRAME
    decay = _uniform(batch, 0.1, 0.5, generator)[:, None]
    tail = 10 ** (-6 * lags / decay)
    wet = 10 ** (_uniform(batch, -20.0, -3.0, generator) / 10) * _chance(batch, 0.4, generator)
    kernel = torch.cat([torch.zeros(batch, 1), tail], 1)
    kernel = kernel / kernel.sum(1, keepdim=True).clamp_min(1e-9) * wet[:, None]
    kernel[:, 0] = 1.0
    power = frames.exp().transpose(1, 2)
    padded = functional.pad(power, (len(lags), 0))
    smeared = functional.conv1d(
        padded.transpose(0, 1), kernel.flip(-1).unsqueeze(1), groups=batch
    ).transpose(0, 1)
    return smeared.clamp_min(1e-10).log().transpose(1, 2)


def _noise(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Energies of coloured noise, or of two other crops that speak at once."""
    batch, _, n_mels = frames.shape
    loud = frames.exp().mean((1, 2)).clamp_min(1e-10).log()
    # the mean of few squared normal values scatters like the energy of a band of noise
    scatter = torch.rand(frames.shape, generator=generator)
    scatter = (scatter + torch.rand(frames.shape, generator=generator)).clamp_min(0.02).log()
    colored = scatter + _curve(batch, n_mels, 6.0, generator)
    shift = int(torch.randint(2, max(3, batch - 2), (1,), generator=generator))
    babble = torch.logaddexp(frames.roll(shift, 0), frames.roll(shift + 1, 0)).flip(1)
    speaks = _chance(batch, 0.3, generator)[:, None, None]
    made = torch.where(speaks, babble, colored)
    made = made - made.exp().mean((1, 2), keepdim=True).clamp_min(1e-10).log()
    ratio = _uniform(batch, 3.0, 30.0, generator)
    ratio = torch.where(_chance(batch, 0.7, generator), ratio, torch.full_like(ratio, 90.0))
    return made + (loud - ratio * _DECIBEL)[:, None, None]


def _uniform(batch: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(batch, generator=generator)


def _chance(batch: int, share: float, generator: torch.Generator) -> Tensor:
    return torch.rand(batch, generator=generator) < share
