"""Noise of each sequence from a seed of its own."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
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
