"""What drawing a voice takes, whatever the engine: a seed, and values held in range."""

import numpy as np

from facevox.core.errors import InputError

Range = tuple[float, float]


def seeded(seed: int, stream: int) -> np.random.Generator:
    """Return the generator of a user's seed, one of its own for each stream.

    Raises:
        InputError: If the seed is not a whole number from 0 on.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"A seed is a whole number from 0 on, got {seed!r}.")
    return np.random.default_rng([int(seed), stream])


def held(value: float, limits: Range, digits: int) -> float:
    """Return a value within its limits, rounded."""
    return round(float(np.clip(value, *limits)), digits)
