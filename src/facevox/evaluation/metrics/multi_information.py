"""Multi-information: how far K signals are from being independent of each other.

It is the Kullback-Leibler divergence of their joint density from the product of the
densities of each, estimated from the N values that each signal has.

Reference:
    Watanabe, Information theoretical analysis of multivariate correlation, 1960.
    Silverman, Density Estimation for Statistics and Data Analysis, 1986, section 4.3.2.
"""

import warnings

import numpy as np
from jaxtyping import Float64, Int

from facevox.core.errors import InputError, MissingPiece

COMPONENTS = 2
"""Components of the Gaussian mixture."""

MOST_EQUAL = 0.05
"""Part of a signal that may have one and the same value for the mixture."""


class KernelInformation:
    """By Gaussian kernels of one width (Silverman, unit variance), the point itself counted.

    Args:
        scored: All signals, z-scored.
        count: Signals in a tuple, K.
    """

    def __init__(self, scored: Float64[np.ndarray, "n dim"], count: int) -> None:
        dim = scored.shape[1]
        width = (4 / ((count + 2) * dim)) ** (1 / (count + 4))
        self._points = scored / width
        # log-density of each coordinate under its own utterance, without constants: those of
        # the joint and of the K marginals cancel but for (K - 1) log N
        self._marginal = np.stack([_log_sum_kernel(row[None, None])[0] for row in self._points])
        self._constant = (count - 1) * np.log(dim)

    def __call__(self, chosen: Int[np.ndarray, "r k"]) -> Float64[np.ndarray, " r"]:
        """Return the multi-information of each tuple of rows [nat]."""
        joint = _log_sum_kernel(self._points[chosen])
        alone = self._marginal[chosen].sum(1)
        return (joint - alone).mean(1) + self._constant


def _log_sum_kernel(points: Float64[np.ndarray, "r k dim"]) -> Float64[np.ndarray, "r dim"]:
    """Return log sum_j exp(-|x_d - x_j|^2 / 2) for each column x_d of each tuple."""
    squares = np.einsum("rkd,rkd->rd", points, points)
    exponent = np.matmul(points.transpose(0, 2, 1), points)
    exponent -= squares[:, :, None] / 2
    exponent -= squares[:, None, :] / 2
    # the column itself contributes exp(0), so the largest exponent is 0
    np.minimum(exponent, 0, out=exponent)
    np.exp(exponent, out=exponent)
    return np.log(exponent.sum(2))


class MixtureInformation:
    """By a mixture of two Gaussians with full covariance, and its own marginals.

    Args:
        scored: All signals, z-scored.
        seed: Seed of the fit.
    """

    def __init__(self, scored: Float64[np.ndarray, "n dim"], seed: int) -> None:
        try:
            from sklearn.mixture import GaussianMixture
        except ImportError as error:
            raise MissingPiece(
                "The mixture needs scikit-learn; pip install 'facevox[evaluate]'."
            ) from error
        equal = max(np.unique(row, return_counts=True)[1].max() for row in scored)
        if equal > MOST_EQUAL * scored.shape[1]:
            raise InputError(
                f"The mixture cannot describe signals of which {equal} of {scored.shape[1]} "
                "values are equal (Resemblyzer's embeddings are rectified); use density='kde'."
            )
        self._points, self._seed, self._fit = scored, seed, GaussianMixture

    def __call__(self, chosen: Int[np.ndarray, "r k"]) -> Float64[np.ndarray, " r"]:
        """Return the multi-information of each tuple of rows [nat]."""
        return np.array([self._one(self._points[row].T) for row in chosen])

    def _one(self, columns: Float64[np.ndarray, "dim k"]) -> float:
        # k-means would take nine tenths of the time
        mixture = self._fit(COMPONENTS, init_params="random_from_data", random_state=self._seed)
        with warnings.catch_warnings():
            # repeated utterances make singular fits, which show in the intra distance
            warnings.simplefilter("ignore")
            mixture.fit(columns)
        joint = mixture.score_samples(columns)
        variances = np.diagonal(mixture.covariances_, axis1=1, axis2=2)
        offsets = columns[:, None, :] - mixture.means_
        logs = -0.5 * (offsets**2 / variances + np.log(2 * np.pi * variances))
        logs += np.log(mixture.weights_)[:, None]
        alone = np.logaddexp.reduce(logs, axis=1).sum(1)
        return float((joint - alone).mean())
