"""Noise of each sequence from a seed of its own."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.signal import lfilter
from torch import Tensor


def seeded_noise(
    seeds: Sequence[int], lengths: Sequence[int], padded: int, channels: int
) -> Float[Tensor, "batch padded channels"]:
    """Return N(0, 1) for valid positions, 0 where padded.

    A sequence's noise depends on its seed alone, and the first positions are the same however
    long it is.

    Args:
        seeds: One for each sequence.
        lengths: Valid positions of each.
        padded: Positions of the batch.
        channels: Numbers at each position.
    """
    noise = np.zeros((len(seeds), padded, channels), np.float32)
    for row, (seed, length) in enumerate(zip(seeds, lengths, strict=True)):
        source = np.random.default_rng(seed)
        noise[row, :length] = source.standard_normal((length, channels), np.float32)
    return torch.from_numpy(noise)


def remembering(
    noise: Float[Tensor, "batch time channels"],
    memory: float,
    before: Float[Tensor, "batch channels"] | None = None,
) -> Float[Tensor, "batch time channels"]:
    """Return noise that is N(0, 1) at every time and correlated between neighbours.

    Args:
        noise: White N(0, 1).
        memory: Correlation of neighbours, from 0 to below 1.
        before: What was returned for the time before the first; None begins anew.
    """
    if not memory or not noise.shape[1]:
        return noise
    fresh = (1 - memory**2) ** 0.5
    values = noise.detach().cpu().double().numpy() * fresh
    if before is None:
        values[:, 0] /= fresh
        state = np.zeros_like(values[:, :1])
    else:
        state = memory * before.detach().cpu().double().numpy()[:, None]
    made, _ = lfilter([1.0], [1.0, -memory], values, axis=1, zi=state)
    return torch.from_numpy(made).to(noise)
