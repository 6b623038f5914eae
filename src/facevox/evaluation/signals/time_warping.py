"""Dynamic time warping: which frame of one recording belongs to which of another.

Reference:
    Sakoe and Chiba, Dynamic programming algorithm optimization for spoken word recognition,
    IEEE TASSP 1978, with steps (1, 0), (0, 1) and (1, 1) of equal weight.
"""

import numpy as np
from jaxtyping import Float, Float64, Int64

_DIAGONAL, _DOWN, _RIGHT = 0, 1, 2


def warp(
    first: Float[np.ndarray, "n dims"], second: Float[np.ndarray, "m dims"]
) -> tuple[Int64[np.ndarray, "steps 2"], Float64[np.ndarray, " steps"]]:
    """Return the cheapest path between two sequences, and the distance at each step.

    Anti-diagonals are computed at once; memory is one byte per pair of frames.  Of paths that
    cost the same, the one with diagonal steps is taken.

    Args:
        first: Frames of one sequence; at least one.
        second: Frames of the other; at least one.

    Returns:
        Pairs of indices from (0, 0) to (n - 1, m - 1), and their Euclidean distances.
    """
    first, second = first.astype(np.float64), second.astype(np.float64)
    path = _trace(_steps(first, second), len(first), len(second))
    return path, np.linalg.norm(first[path[:, 0]] - second[path[:, 1]], axis=1)


def _steps(
    first: Float64[np.ndarray, "n dims"], second: Float64[np.ndarray, "m dims"]
) -> np.ndarray:
    """Return the best step into every cell: row i + j, column i."""
    n, m = len(first), len(second)
    steps = np.zeros((n + m - 1, n), np.int8)
    # Costs of the last two anti-diagonals by i + 1, so that index 0 stands before the first.
    previous, last = np.full(n + 1, np.inf), np.full(n + 1, np.inf)
    previous[0] = 0.0  # what the very first cell comes from
    for k in range(n + m - 1):
        low, high = max(0, k - m + 1), min(n - 1, k) + 1
        rows = slice(low, high)
        columns = second[k - high + 1 : k - low + 1][::-1]
        distances = np.sqrt(((first[rows] - columns) ** 2).sum(1))
        came_from = np.stack((previous[low:high], last[low:high], last[low + 1 : high + 1]))
        best = came_from.argmin(0)
        steps[k, rows] = best
        current = np.full(n + 1, np.inf)
        current[low + 1 : high + 1] = distances + came_from[best, np.arange(high - low)]
        previous, last = last, current
    return steps


def _trace(steps: np.ndarray, n: int, m: int) -> Int64[np.ndarray, "steps 2"]:
    """Return the path that the steps describe, from its start."""
    i, j = n - 1, m - 1
    path = [(i, j)]
    while i or j:
        step = steps[i + j, i]
        if step == _DIAGONAL:
            i, j = i - 1, j - 1
        elif step == _DOWN:
            i -= 1
        else:
            j -= 1
        path.append((i, j))
    return np.array(path[::-1], np.int64)
