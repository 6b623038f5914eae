"""95 % intervals by drawing the sample anew.

With few values the plain percentile interval is too narrow: of 5 normal values it covers the
mean in 86 % of samples, not in 95 %.  The expanded percentile interval looks further out into
the tails, as far as Student's distribution does.

Reference:
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 14.
    Hesterberg, What Teachers Should Know About the Bootstrap, The American Statistician 69(4),
    2015, section 3.3 (expanded percentile interval).
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Shaped

DRAWS = 2000
LEVEL = 0.95
FEWEST_GROUPS = 5
"""With fewer persons than this, clips are drawn instead of persons; fewer values than this are
not worth drawing from."""
_DEFINED = 0.9


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
            person are alike.  With fewer than `FEWEST_GROUPS` groups values are drawn: the
            interval then tells nothing about other persons.
        seed: Seed of the draws.
        draws: How many.

    Returns:
        Lower and upper end; None, None with fewer than two values.  With fewer than
        `FEWEST_GROUPS` values the interval is Student's, for normal values.
    """
    if len(values) < 2:
        return None, None
    if len(values) < FEWEST_GROUPS:
        return _student(values)
    _, index = np.unique(np.arange(len(values)) if groups is None else groups, return_inverse=True)
    if index.max() + 1 < FEWEST_GROUPS:
        index = np.arange(len(values))
    sums, counts = np.bincount(index, values), np.bincount(index)
    chosen = np.random.default_rng(seed).integers(len(sums), size=(draws, len(sums)))
    return _ends(sums[chosen].sum(1) / counts[chosen].sum(1), len(sums))


def interval_of_share(
    values: Float[np.ndarray, " n"],
    groups: Shaped[np.ndarray, " n"] | None = None,
    *,
    seed: int = 0,
) -> tuple[float, float] | tuple[None, None]:
    """Return the 95 % interval of the mean of values from 0 to 1.

    Drawing anew from values that are all 0, or all 1, would always give the same: then it is
    Wilson's interval of so many groups, or of so many values where groups are too few.

    Args:
        values: What was measured.
        groups: Who each value belongs to, as in `interval_of_mean`.
        seed: Seed of the draws.

    Reference:
        Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    if not len(values) or not (values == values[0]).all() or values[0] not in (0, 1):
        return interval_of_mean(values, groups, seed=seed)
    count = len(values) if groups is None else len(np.unique(groups))
    count = len(values) if count < FEWEST_GROUPS else count
    reach = 1.96**2 / (count + 1.96**2)
    return (0.0, reach) if values[0] == 0 else (1 - reach, 1.0)


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

    Returns:
        Lower and upper end; None, None with fewer than `FEWEST_GROUPS` items, or if the
        statistic is often undefined (not finite).
    """
    if count < FEWEST_GROUPS:
        return None, None
    generator = np.random.default_rng(seed)
    made = np.array(
        [statistic(generator.integers(count, size=count).tolist()) for _ in range(draws)]
    )
    finite = np.isfinite(made)
    return _ends(made[finite], count) if finite.mean() >= _DEFINED else (None, None)


def _ends(made: Float[np.ndarray, " draws"], count: int) -> tuple[float, float]:
    """Return the ends of the expanded percentile interval of draws from `count` items."""
    from scipy.special import ndtr

    tail = 100 * float(ndtr(-np.sqrt(count / (count - 1)) * _quantile(count - 1)))
    low, high = np.percentile(made, (tail, 100 - tail))
    return float(low), float(high)


def _student(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    half = _quantile(len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def _quantile(freedom: int) -> float:
    """Return how many standard errors Student's interval reaches to either side."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + LEVEL) / 2))
