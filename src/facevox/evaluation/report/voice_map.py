"""Speaker embeddings laid out in a plane, to see who sounds like whom.

Reference:
    van der Maaten and Hinton, Visualizing Data using t-SNE, JMLR 9, 2008.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from facevox.core.errors import InputError, MissingPiece

FEWEST_FOR_PCA, FEWEST_FOR_TSNE = 3, 10
MOST_POINTS = 600
"""More points than this are thinned out evenly."""


def chosen_points(embeddings: Float[np.ndarray, "n dim"]) -> Int[np.ndarray, " m"]:
    """Return indices of the points to draw: whole numbers only, at most `MOST_POINTS`."""
    good = np.flatnonzero(np.isfinite(embeddings).all(1))
    if len(good) <= MOST_POINTS:
        return good
    return good[np.linspace(0, len(good) - 1, MOST_POINTS).round().astype(int)]


def pca(
    embeddings: Float[np.ndarray, "n dim"],
) -> tuple[Float[np.ndarray, "n 2"], tuple[float, float]]:
    """Return the first two principal components and their shares of the variance.

    The sign is fixed: the largest entry of each direction is positive.

    Raises:
        InputError: If there are too few points or they are all the same.
    """
    _check(embeddings, FEWEST_FOR_PCA, "PCA")
    centred = (embeddings - embeddings.mean(0)).astype(np.float64)
    left, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(directions).argmax(1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    shares = sizes**2 / (sizes**2).sum()
    points = np.zeros((len(embeddings), 2))
    kept = min(2, len(sizes))
    points[:, :kept] = (left * sizes * signs)[:, :kept]
    return points, (float(shares[0]), float(shares[1]) if kept > 1 else 0.0)


def tsne(
    embeddings: Float[np.ndarray, "n dim"], *, seed: int = 0
) -> tuple[Float[np.ndarray, "n 2"], float]:
    """Return a t-SNE layout and the perplexity that was used.

    Raises:
        InputError: If there are too few points or they are all the same.
        MissingPiece: If scikit-learn is not installed.
    """
    _check(embeddings, FEWEST_FOR_TSNE, "t-SNE")
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise MissingPiece(
            "t-SNE needs scikit-learn; install it with: pip install 'facevox[evaluate]'."
        ) from None
    perplexity = min(30.0, (len(embeddings) - 1) / 3)
    layout = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
    return layout.fit_transform(embeddings.astype(np.float64)), perplexity


def _check(embeddings: Float[np.ndarray, "n dim"], fewest: int, method: str) -> None:
    if len(embeddings) < fewest:
        raise InputError(f"{method} needs at least {fewest} voices; there are {len(embeddings)}.")
    if not np.ptp(embeddings, axis=0).any():
        raise InputError(f"{method} shows nothing: all {len(embeddings)} voices are the same.")


def in_order(people: Sequence[str]) -> list[str]:
    """Return every person once, sorted, so that colours do not depend on the clips' order."""
    return sorted(set(people))
