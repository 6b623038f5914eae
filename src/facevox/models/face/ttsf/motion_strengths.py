"""Head and expression of a motion, made stronger or weaker apart from one another.

The motion dictionary's directions mix what the head does with what the face does.  Learned
linear read-outs tell them apart: a change of alpha is split into the smallest one that reads
as its head movement and as no expression, and the rest.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from facevox.core.errors import ConfigError


@dataclass(frozen=True)
class MotionStrengths:
    """Scales parts of a motion relative to the source.

    Attributes:
        readouts: Rows that map a change of alpha to controls; those of the head come first.
        num_head: How many of them are of the head.

    Raises:
        ConfigError: If there is no control of the head, or a read-out follows from others.
    """

    readouts: Float[Tensor, "controls motion_dim"]
    num_head: int

    def __post_init__(self) -> None:
        """Check that the controls can be told apart."""
        controls = len(self.readouts)
        if not 1 <= self.num_head <= controls:
            raise ConfigError(f"num_head must be 1 to {controls}, got {self.num_head}.")
        rank = int(torch.linalg.matrix_rank(self.readouts.double()))
        if rank < controls:
            raise ConfigError(
                f"Read-outs must be independent of each other, got {controls} of rank {rank}."
            )

    def head_part(
        self, change: Float[Tensor, "*batch motion_dim"]
    ) -> Float[Tensor, "*batch motion_dim"]:
        """Return the part of a change of alpha that moves the head.

        It reads as the same head movement and as no expression: an oblique projection.
        """
        readouts = self.readouts.to(change.device).double()
        projection = torch.linalg.pinv(readouts)[:, : self.num_head] @ readouts[: self.num_head]
        return (change.double() @ projection.T).to(change.dtype)

    def scaled(
        self,
        alpha: Float[Tensor, "*batch motion_dim"],
        alpha_source: Float[Tensor, "*#batch motion_dim"],
        head: float = 1.0,
        expression: float = 1.0,
    ) -> Float[Tensor, "*batch motion_dim"]:
        """Return alpha with both parts of its distance from the source scaled.

        Args:
            alpha: Magnitudes of the motion's directions.
            alpha_source: Those of the source; with a frame axis of 1 for sequences.
            head: Factor on what the head does; 1 changes nothing, 0 holds it still.
            expression: Factor on all else.
        """
        change = alpha - alpha_source
        moved = self.head_part(change)
        return alpha + (head - 1.0) * moved + (expression - 1.0) * (change - moved)
