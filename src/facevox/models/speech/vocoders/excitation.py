"""What a harmonic vocoder filters: a pulse train that follows F0, and white noise.

Both are functions of the absolute position in an utterance, so that a piece of it is the
same whether made alone or with the rest.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

RESTING_F0 = 150.0
"""F0 before the first voiced frame [Hz]."""

_LOWEST = 20.0
_MASK = 0xFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)


class Onset(NamedTuple):
    """Where in an utterance a piece starts, and what the excitation was just before.

    Attributes:
        first_frame: Number of the first frame of the piece.
        cycles: Periods of F0 up to the centre of the frame before, modulo one.
        f0: F0 of the frame before, or of the last voiced one [Hz].
        seed: Seed of the noise.
    """

    first_frame: int
    cycles: Float[Tensor, " batch"]
    f0: Float[Tensor, " batch"]
    seed: int


def utterance_onset(batch: int, seed: int = 0) -> Onset:
    """Return the onset of a whole utterance."""
    start = torch.zeros(batch, dtype=torch.float64)
    return Onset(0, start, torch.full_like(start, RESTING_F0), seed)


def held_f0(
    f0: Float[Tensor, "batch frames"], before: Float[Tensor, " batch"]
) -> Float[Tensor, "batch frames"]:
    """Return F0 where unvoiced frames keep that of the last voiced one [Hz]."""
    joined = torch.cat([before.to(f0).unsqueeze(1), f0], dim=1).double()
    number = torch.arange(joined.shape[1], device=f0.device)
    voiced = joined > 0
    voiced[:, 0] = True
    last = torch.where(voiced, number, 0).cummax(dim=1).values
    return joined.gather(1, last)[:, 1:].clamp(min=_LOWEST)


def cycles_at_frames(
    held: Float[Tensor, "batch frames"], onset: Onset, seconds: float
) -> Float[Tensor, "batch frames"]:
    """Return periods since the start of the utterance at the centres of frames, modulo one.

    F0 is linear between centres, so that the trapezium is its exact integral.

    Args:
        held: F0 without gaps [Hz].
        onset: Where the piece starts.
        seconds: Time between two frames [s].
    """
    before = onset.f0.to(held)
    if onset.first_frame == 0:
        before = held[:, 0]
    joined = torch.cat([before.unsqueeze(1), held], dim=1)
    steps = (joined[:, 1:] + joined[:, :-1]) * (0.5 * seconds)
    return (onset.cycles.to(held).unsqueeze(1) + steps.cumsum(dim=1)) % 1.0


def moved_onset(onset: Onset, f0: Float[Tensor, "batch frames"], seconds: float) -> Onset:
    """Return the onset of what follows after some frames."""
    if f0.shape[1] == 0:
        return onset
    held = held_f0(f0, onset.f0)
    cycles = cycles_at_frames(held, onset, seconds)
    return Onset(onset.first_frame + f0.shape[1], cycles[:, -1], held[:, -1], onset.seed)


def cycles_at_samples(
    f0: Float[Tensor, "batch frames"], onset: Onset, sample_rate: int, hop_length: int
) -> tuple[Float[Tensor, "batch samples"], Float[Tensor, "batch samples"]]:
    """Return periods modulo one, and F0 [Hz], at every sample of a piece."""
    held = held_f0(f0, onset.f0)
    centre = cycles_at_frames(held, onset, hop_length / sample_rate).unsqueeze(2)
    slope = torch.diff(held, dim=1, prepend=held[:, :1], append=held[:, -1:]) / hop_length
    offset = torch.arange(hop_length, device=f0.device, dtype=held.dtype) - hop_length // 2
    # before the centre of a frame F0 comes from the frame before, after it goes to the next
    side = torch.where(offset < 0, slope[:, :-1, None], slope[:, 1:, None])
    frequency = held.unsqueeze(2) + side * offset
    cycles = centre + (held.unsqueeze(2) + 0.5 * side * offset) * offset / sample_rate
    return (cycles % 1.0).flatten(1), frequency.flatten(1)


def voicing_at_samples(
    f0: Float[Tensor, "batch frames"], hop_length: int
) -> Float[Tensor, "batch samples"]:
    """Return one where voiced and zero where not, linear between centres of frames."""
    voiced = (f0 > 0).float()
    slope = torch.diff(voiced, dim=1, prepend=voiced[:, :1], append=voiced[:, -1:]) / hop_length
    offset = torch.arange(hop_length, device=f0.device) - hop_length // 2
    side = torch.where(offset < 0, slope[:, :-1, None], slope[:, 1:, None])
    return (voiced.unsqueeze(2) + side * offset).flatten(1)


def pulse_train(
    cycles: Float[Tensor, "batch samples"], f0: Float[Tensor, "batch samples"], sample_rate: int
) -> Float[Tensor, "batch samples"]:
    """Return a pulse per period, made of all harmonics below half the sample rate.

    All have the same strength, such that the power is one whatever F0 is.  The highest
    fades in as F0 falls, so that the sound has no steps.

    Reference:
        Winham and Steiglitz, Input Generators for Digital Sound Synthesis, JASA 1970
        (the sum of cosines in closed form).
    """
    room = 0.5 * sample_rate / f0
    whole = room.floor()
    angle = math.pi * cycles
    below = angle.sin()
    full = whole - 1.0
    close = below.abs() < 1e-7
    ratio = torch.sin((2.0 * full + 1.0) * angle) / torch.where(close, 1.0, below)
    total = 0.5 * torch.where(close, 2.0 * full + 1.0, ratio) - 0.5
    total = total + (room - whole) * torch.cos(2.0 * whole * angle)
    return (total * torch.sqrt(2.0 / room)).float()


def white_noise(
    seeds: Int64[Tensor, " batch"], first_sample: int, num_samples: int
) -> Float[Tensor, "batch samples"]:
    """Return normal noise that depends on the seed and the number of each sample alone.

    Reference:
        Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014
        (SplitMix64); Box and Muller, 1958.
    """
    number = torch.arange(
        first_sample, first_sample + num_samples, dtype=torch.int64, device=seeds.device
    )
    key = _scrambled(seeds * _GOLDEN + 1).unsqueeze(1)
    bits = _scrambled(key + number * _GOLDEN)
    high = (((bits >> 32) & _MASK).double() + 0.5) / 2.0**32
    low = ((bits & _MASK).double() + 0.5) / 2.0**32
    return (torch.sqrt(-2.0 * high.log()) * torch.cos(2.0 * math.pi * low)).float()


def _scrambled(bits: Int64[Tensor, "*shape"]) -> Int64[Tensor, "*shape"]:
    bits = (bits ^ _shifted(bits, 30)) * _MIX_1
    bits = (bits ^ _shifted(bits, 27)) * _MIX_2
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Int64[Tensor, "*shape"], places: int) -> Int64[Tensor, "*shape"]:
    return (bits >> places) & ((1 << (64 - places)) - 1)
