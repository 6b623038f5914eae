"""Makes mels and F0 of recordings as imperfect as those that a vocoder gets from a text."""

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional

_NOISE = 0.15
_CENTS = 0.004
_KNOT = 8
_DROPPED = 0.15
_LONGEST_GAP = 12


def smoother_mel(
    mel: Float32[Tensor, "batch mels frames"], generator: np.random.Generator, share: float
) -> Float32[Tensor, "batch mels frames"]:
    """Blur some rows by up to 5 frames and 3 bands, and add noise to them.

    Args:
        mel: Natural log of mel magnitudes.
        generator: Source of randomness.
        share: Part of the rows that change.
    """
    rows = len(mel)
    amount = generator.random(rows) * (generator.random(rows) < share)
    strength = torch.from_numpy(amount.astype(np.float32)).view(-1, 1, 1)
    noise = torch.from_numpy(generator.standard_normal(mel.shape, dtype=np.float32))
    blurred = functional.avg_pool1d(functional.pad(mel, (2, 2), mode="replicate"), 5, 1)
    across = functional.pad(blurred.transpose(1, 2), (1, 1), mode="replicate")
    blurred = functional.avg_pool1d(across, 3, 1).transpose(1, 2)
    return mel + strength.to(mel) * (blurred - mel + _NOISE * noise.to(mel))


def shaken_f0(
    f0: Float32[Tensor, "batch frames"], generator: np.random.Generator
) -> Float32[Tensor, "batch frames"]:
    """Let F0 wander by some cents, and take a few voiced frames for unvoiced.

    Args:
        f0: Fundamental frequency [Hz], 0 where unvoiced.
        generator: Source of randomness.
    """
    rows, frames = f0.shape
    knots = generator.standard_normal((rows, frames // _KNOT + 2))
    where = np.arange(frames) / _KNOT
    wander = np.stack([np.interp(where, np.arange(knots.shape[1]), row) for row in knots])
    shaken = f0.cpu().numpy() * np.exp2(_CENTS * wander)
    for row in np.flatnonzero(generator.random(rows) < _DROPPED):
        first = int(generator.integers(0, frames))
        shaken[row, first : first + int(generator.integers(2, _LONGEST_GAP))] = 0.0
    return torch.from_numpy(shaken.astype(np.float32)).to(f0)
