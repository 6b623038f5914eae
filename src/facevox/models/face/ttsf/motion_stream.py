"""Long motions, drawn piece by piece without a seam and with constant memory.

A piece also sees the last frames of the piece before, starts from the motion that was drawn
there, and is led away from it over as many frames.  What was returned never changes, so that
a sentence's motions do not depend on those that follow.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from facevox.nn.noise import remembering, seeded_noise

Draw = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(f_m0: (batch, style), f_lip: (batch, frames, style), mask, noise) -> f_m of those frames."""


class MotionStream:
    """Motions of a batch of sequences that grow together.

    Args:
        draw: Draws the frames of one piece.
        f_m0: Motion of the source.
        seeds: One for each sequence.
        noise_dim: Channels of the noise.
        chunk: New frames of a piece at most.
        overlap: Frames of the piece before that a piece sees.
        noise_memory: Correlation of the noise of neighbouring frames.
    """

    def __init__(
        self,
        draw: Draw,
        f_m0: Float[Tensor, "batch style"],
        seeds: Sequence[int],
        noise_dim: int,
        chunk: int,
        overlap: int,
        noise_memory: float = 0.0,
    ) -> None:
        if len(seeds) != len(f_m0):
            raise ValueError(
                f"Expected a seed for each of {len(f_m0)} sequences, got {len(seeds)}."
            )
        self._draw, self._seeds, self._noise_dim = draw, list(seeds), noise_dim
        self._chunk, self._overlap, self._noise_memory = chunk, overlap, noise_memory
        self._first, self._pieces, self._ended = f_m0, 0, False
        empty = f_m0.new_zeros(len(f_m0), 0, f_m0.shape[1])
        self._motion, self._lips = empty, empty
        self._noise = f_m0.new_zeros(len(f_m0), 0, noise_dim)

    def extend(
        self,
        f_lip: Float[Tensor, "batch frames style"],
        mask: Bool[Tensor, "batch frames"] | None = None,
    ) -> Float[Tensor, "batch frames style"]:
        """Return the motions of the frames that follow; 0 where padded.

        Args:
            f_lip: Lips of these frames.
            mask: Valid frames; None for all. Nothing can follow behind padding.

        Raises:
            ValueError: If padding came before.
        """
        if self._ended:
            raise ValueError("A stream that ended with padding cannot be extended.")
        if not f_lip.shape[1]:
            return f_lip
        mask = torch.ones_like(f_lip[..., 0], dtype=torch.bool) if mask is None else mask
        self._ended = not bool(mask.all())
        pieces = zip(f_lip.split(self._chunk, 1), mask.split(self._chunk, 1), strict=True)
        return torch.cat([self._piece(*piece) for piece in pieces], 1)

    def _piece(self, f_lip: Tensor, mask: Tensor) -> Tensor:
        past = self._motion.shape[1]
        first = self._motion[:, 0] if past else self._first
        lips = torch.cat([self._lips, f_lip], 1)
        before = self._noise[:, -1] if past else None
        fresh = remembering(self._new_noise(mask).to(self._noise), self._noise_memory, before)
        noise = torch.cat([self._noise, fresh], 1)
        known = mask.new_ones(len(mask), past)
        drawn = self._draw(first, lips, torch.cat([known, mask], 1), noise)
        motion = drawn[:, past:]
        if past:
            motion = motion + self._led_away(self._motion[:, -1] - drawn[:, past - 1], motion)
        motion = motion * mask.unsqueeze(-1)
        keep = -self._overlap
        self._motion = torch.cat([self._motion, motion], 1)[:, keep:]
        self._lips, self._noise = lips[:, keep:], noise[:, keep:]
        self._pieces += 1
        return motion

    def _led_away(self, offset: Tensor, motion: Tensor) -> Tensor:
        """Return the offset, fading over `overlap` frames."""
        steps = torch.arange(1, motion.shape[1] + 1, device=motion.device)
        share = (1 - steps / (self._overlap + 1)).clamp(min=0).to(motion.dtype)
        return share[:, None] * offset.unsqueeze(1)

    def _new_noise(self, mask: Tensor) -> Tensor:
        # a seed for each piece: nothing has to be drawn again to come to a later one
        seeds = [
            int(np.random.SeedSequence([seed, self._pieces]).generate_state(1, np.uint64)[0])
            for seed in self._seeds
        ]
        lengths = [int(length) for length in mask.sum(1)]
        return seeded_noise(seeds, lengths, mask.shape[1], self._noise_dim)
