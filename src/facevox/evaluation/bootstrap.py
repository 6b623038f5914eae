"""95 % intervals by drawing the sample anew.

Reference:
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 14.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Shaped

DRAWS = 2000
LEVEL = 0.95
FEWEST_GROUPS = 5
"""With fewer persons than this, clips are drawn instead of persons."""


def interval_of_mean(
    values: Float[np.ndarray, " n"],
    groups: Shaped[np.ndarray, " n"] | None = None,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[float, float] | tuple[None, None]:
    """Return the 95 % interval of a mean.

    Args:
        values: What was measured.
        groups: Who each value belongs to; whole groups are drawn, because values of one
            person are alike.  With fewer than `FEWEST_GROUPS` groups values are drawn.
        seed: Seed of the draws.
        draws: How many.

    Returns:
        Lower and upper end; None, None with fewer than two values.
    """
    if len(values) < 2:
        return None, None
    _, index = np.unique(np.arange(len(values)) if groups is None else groups, return_inverse=True)
    if index.max() + 1 < FEWEST_GROUPS:
        index = np.arange(len(values))
    sums, counts = np.bincount(index, values), np.bincount(index)
    chosen = np.random.default_rng(seed).integers(len(sums), size=(draws, len(sums)))
    return _ends(sums[chosen].sum(1) / counts[chosen].sum(1))


def interval_of(
    statistic: Callable[[Sequence[int]], float],
    count: int,
    *,
    seed: int = 0,
    draws: int = 500,
) -> tuple[float, float] | tuple[None, None]:
    """Return the 95 % interval of any statistic of `count` items.

    Args:
        statistic: Takes indices of the drawn items (with repeats), returns a number.
        count: Items.
        seed: Seed of the draws.
        draws: How many.
    """
    if count < 2:
        return None, None
    generator = np.random.default_rng(seed)
    made = [statistic(list(generator.integers(count, size=count))) for _ in range(draws)]
    return _ends(np.array([value for value in made if np.isfinite(value)]))


def _ends(values: Float[np.ndarray, " draws"]) -> tuple[float, float] | tuple[None, None]:
    if not len(values):
        return None, None
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(values, (tail, 100 - tail))
    return float(low), float(high)
