"""Length masks and sums over valid positions; batches are padded at their ends."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def length_mask(lengths: Int[Tensor, " batch"], length: int) -> Bool[Tensor, "batch time"]:
    """Return True where a position lies inside its sequence.

    Args:
        lengths: Valid positions of each sequence.
        length: Positions of the padded batch.
    """
    return torch.arange(length, device=lengths.device) < lengths.unsqueeze(1)


def padded_length(length: int, multiple: int) -> int:
    """Return the smallest multiple that is not below `length`."""
    return -(-length // multiple) * multiple


def masked_mean(
    values: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """Return the mean over valid positions of the whole batch; 0 if there is none."""
    return (values.float() * mask).sum() / mask.sum().clamp(min=1)


def replicate_ends(
    x: Float[Tensor, "batch time channels"],
    lengths: Int[Tensor, " batch"],
    before: int,
    after: int,
) -> Float[Tensor, "batch new_time channels"]:
    """Return sequences with their first and last valid positions repeated at the ends.

    What lies beyond a sequence's end becomes its last valid position too.

    Args:
        x: Sequences, padded at their ends.
        lengths: Valid positions of each; a sequence without any repeats its first position.
        before: Positions added in front.
        after: Positions added behind.
    """
    steps = torch.arange(-before, x.shape[1] + after, device=x.device)
    index = torch.minimum(steps.clamp(min=0), (lengths.to(x.device) - 1).clamp(min=0)[:, None])
    return x.gather(1, index[:, :, None].expand(-1, -1, x.shape[2]))
