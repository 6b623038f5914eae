"""The Frechet distance between two sets of features, taken as Gaussians.

No covariance matrix is formed: each set is kept as its mean and the triangular factor R of
its centred features (covariance = R^T R), because then

    tr sqrt(Sa Sb) = sum of the singular values of Ra Rb^T,

which is real, not negative, and exact to rounding, whereas the square root of the product
of two nearly singular matrices has imaginary parts and loses half of the digits.

Reference:
    Dowson and Landau, The Frechet distance between multivariate normal distributions,
    Journal of Multivariate Analysis 1982.
    Heusel et al., GANs Trained by a Two Time-Scale Update Rule, NeurIPS 2017 (FID).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from facevox.core.errors import InputError

_FEWEST = 2
_ROWS = 2048
"""Features that are gathered before the factor is brought up to date."""


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """Mean and covariance of a set of features.

    Attributes:
        count: Features that it was made from.
        mean: Their mean.
        factor: Upper triangular R; the covariance (divided by count - 1) is R^T R.
    """

    count: int
    mean: Float64[np.ndarray, " dim"]
    factor: Float64[np.ndarray, "dim dim"]

    @property
    def covariance(self) -> Float64[np.ndarray, "dim dim"]:
        """The covariance matrix, unbiased."""
        return self.factor.T @ self.factor


def gaussian_of(parts: Iterable[Float[np.ndarray, "_n _dim"]]) -> Gaussian:
    """Return the Gaussian of features that come in parts, such as one array per clip.

    Parts are read one after another and never held together.

    Args:
        parts: Features, one a row; all of the same length.

    Raises:
        InputError: If lengths differ, a value is NaN or infinite, or there are fewer than two.
    """
    count, mean, factor = 0, np.zeros(0), np.zeros((0, 0))
    for rows in _in_blocks(parts):
        if not count:
            mean, factor = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
        total = count + len(rows)
        shift = rows.mean(0) - mean
        correction = np.sqrt(count * len(rows) / total) * shift
        # Chan's update of a covariance, written for its factor
        stacked = np.vstack((factor, rows - rows.mean(0), correction[None]))
        factor = np.asarray(np.linalg.qr(stacked, mode="r"))
        mean, count = mean + shift * len(rows) / total, total
    if count < _FEWEST:
        raise InputError(f"A covariance needs at least {_FEWEST} samples, got {count}.")
    return Gaussian(count, mean, factor / np.sqrt(count - 1))


def distance_of_gaussians(first: Gaussian, second: Gaussian) -> float:
    """Return the squared Frechet distance of two Gaussians, never negative.

    Raises:
        InputError: If their features differ in length.
    """
    if first.mean.shape != second.mean.shape:
        raise InputError(
            f"Both sets must come from one network: features of length {len(first.mean)} cannot "
            f"be compared with features of length {len(second.mean)}."
        )
    shift = first.mean - second.mean
    crossed = np.linalg.svd(first.factor @ second.factor.T, compute_uv=False).sum()
    spread = np.square(first.factor).sum() + np.square(second.factor).sum() - 2 * crossed
    return float(max(shift @ shift + spread, 0.0))


def frechet_distance(
    features_a: Float[np.ndarray, "n dim_a"], features_b: Float[np.ndarray, "m dim_b"]
) -> float:
    """Return the squared Frechet distance between two sets of features.

    ||mu_a - mu_b||^2 + tr(Sa + Sb - 2 sqrt(Sa Sb)), in float64, with unbiased covariances; what
    FID and FVD report.  It is symmetric, and 0 for a set against itself.

    Traps: with fewer samples than the features have numbers the covariance is singular; the
    result then looks like any other number but depends mostly on how many samples there
    are.  This function still computes it; ask `rank_problem` first, as FID and FVD do.  The
    result is biased upwards for small sets (Chong and Forsyth, CVPR 2020), so only results
    from equally many samples can be compared, and a bootstrap, which repeats samples, is
    biased further: no interval is offered.

    Args:
        features_a: One set, one sample a row.
        features_b: The other.

    Raises:
        InputError: If lengths differ, a value is NaN or infinite, or a set has fewer than two.
    """
    return distance_of_gaussians(gaussian_of([features_a]), gaussian_of([features_b]))


def samples_needed(dim: int) -> int:
    """Return the fewest samples that give a covariance of full rank: one more than numbers."""
    return dim + 1


def rank_problem(counts: Sequence[int], dim: int, *, of: str) -> str:
    """Return why a Frechet distance would say little, as a sentence; empty if it is sound.

    Args:
        counts: Samples in each set.
        dim: Numbers in a feature.
        of: What is counted, such as `frames`.
    """
    if min(counts) >= samples_needed(dim):
        return ""
    had = " and ".join(str(count) for count in counts)
    return (
        f"too few {of}: a covariance of {dim} features needs at least {samples_needed(dim)} "
        f"{of} on each side, there are {had}"
    )


def _in_blocks(
    parts: Iterable[Float[np.ndarray, "_n _dim"]],
) -> Iterable[Float64[np.ndarray, "_rows _dim"]]:
    held: list[np.ndarray] = []
    for part in parts:
        rows = np.asarray(part, np.float64)
        if rows.ndim != 2:
            raise InputError(f"Features must be one a row, (n, dim), got shape {rows.shape}.")
        if held and rows.shape[1] != held[0].shape[1]:
            raise InputError(
                "Features of one set must have one length, "
                f"got {held[0].shape[1]} and {rows.shape[1]}."
            )
        if not np.isfinite(rows).all():
            raise InputError("Features hold values that are not numbers (NaN or infinite).")
        held.append(rows)
        if sum(map(len, held)) >= _ROWS:
            yield np.concatenate(held)
            held = [rows[:0]]
    if sum(map(len, held)):
        yield np.concatenate(held)
