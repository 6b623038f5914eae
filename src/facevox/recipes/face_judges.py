"""The statistics behind `face_to_voice`: ridge regression, folds by person, intervals."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize_scalar


def ridge(
    x: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    strength: float,
) -> tuple[Float[np.ndarray, " d"], float]:
    """Return slope and bias of a weighted ridge regression.

    Args:
        x: Features.
        y: Targets.
        weights: Importance of each row.
        strength: Penalty on the squared slope, relative to the sum of the weights.
    """
    total = weights.sum()
    x_mean, y_mean = weights @ x / total, weights @ y / total
    root = np.sqrt(weights)
    centered, target = (x - x_mean) * root[:, None], (y - y_mean) * root
    if len(x) < x.shape[1]:
        gram = centered @ centered.T
        gram[np.diag_indices_from(gram)] += strength * total
        slope = centered.T @ np.linalg.solve(gram, target)
    else:
        scatter = centered.T @ centered
        scatter[np.diag_indices_from(scatter)] += strength * total
        slope = np.linalg.solve(scatter, centered.T @ target)
    return slope, float(y_mean - x_mean @ slope)


def folds_by_person(people: list[str], count: int, seed: int) -> Int[np.ndarray, " n"]:
    """Return a fold for every row; all rows of one person share it."""
    names = sorted(set(people))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {name: int(place) % count for name, place in zip(names, order, strict=True)}
    return np.array([fold[person] for person in people])


def fit_temperature(
    scores: Float[np.ndarray, " n"],
    truth: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
) -> float:
    """Return the factor on scores at which sigmoid(factor * score) is calibrated.

    Reference: Platt, Probabilistic outputs for support vector machines, 1999, without bias.
    """
    sign = np.where(truth, 1.0, -1.0)

    def loss(log_factor: float) -> float:
        return float(weights @ np.logaddexp(0, -np.exp(log_factor) * sign * scores))

    found: Any = minimize_scalar(loss, bounds=(-3, 4), method="bounded")
    return float(np.exp(found.x))


def area_under_roc(scores: Float[np.ndarray, " n"], truth: Bool[np.ndarray, " n"]) -> float:
    """Return the chance that a positive scores higher than a negative."""
    higher = scores[truth][:, None] - scores[~truth][None]
    return float((higher > 0).mean() + (higher == 0).mean() / 2)


def wilson_interval(successes: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Reference: Wilson, Probable inference, the law of succession, 1927.
    """
    share, extra = successes / count, z**2 / count
    middle = (share + extra / 2) / (1 + extra)
    reach = z * np.sqrt(share * (1 - share) / count + extra / (4 * count)) / (1 + extra)
    return float(middle - reach), float(middle + reach)


def calibration_error(
    chances: Float[np.ndarray, " n"], truth: Bool[np.ndarray, " n"], bins: int = 10
) -> float:
    """Return the mean distance between a bin's mean chance and its share of positives."""
    place = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [
        abs(chances[place == one].mean() - truth[place == one].mean()) * (place == one).mean()
        for one in range(bins)
        if (place == one).any()
    ]
    return float(sum(gaps))
