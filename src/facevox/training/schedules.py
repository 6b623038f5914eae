"""Learning rates over a run."""

import math
from collections.abc import Mapping

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler


def rise_and_fall(
    optimizers: Mapping[str, Optimizer], *, warm_up: int, steps: int, last_share: float
) -> dict[str, LRScheduler]:
    """Return schedules that let the rates rise in a line, then fall like a cosine.

    Args:
        optimizers: By name.
        warm_up: Steps until the rates are whole.
        steps: Of the run; afterwards the rates stay.
        last_share: Part of a rate that is left at the end.
    """

    def factor(step: int) -> float:
        part = 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
        return min(1.0, (step + 1) / warm_up) * (last_share + (1 - last_share) * part)

    return {name: LambdaLR(optimizer, factor) for name, optimizer in optimizers.items()}
