"""Dynamic time warping: which frame of one recording belongs to which of another.

Reference:
    Sakoe and Chiba, Dynamic programming algorithm optimization for spoken word recognition,
    IEEE TASSP 1978, with steps (1, 0), (0, 1) and (1, 1) of equal weight.
"""

import math

import numpy as np
from jaxtyping import Float, Float64, Int64

_DIAGONAL, _DOWN, _RIGHT = 0, 1, 2

_KEPT = 1 << 26
"""Steps that are kept at once; for longer sequences they are worked out twice."""

Front = tuple[Float64[np.ndarray, " n1"], Float64[np.ndarray, " n1"]]
"""Costs of two anti-diagonals by i + 1, so that index 0 stands before the first row."""


def warp(
    first: Float[np.ndarray, "n dims"], second: Float[np.ndarray, "m dims"]
) -> tuple[Int64[np.ndarray, "steps 2"], Float64[np.ndarray, " steps"]]:
    """Return the cheapest path between two sequences, and the distance at each step.

    Anti-diagonals are computed at once.  The path is followed backwards through blocks of them,
    whose steps are worked out anew, so that memory stays small for sequences of minutes.  Of
    paths that cost the same, the one with diagonal steps is taken.

    Args:
        first: Frames of one sequence; at least one.
        second: Frames of the other; at least one.

    Returns:
        Pairs of indices from (0, 0) to (n - 1, m - 1), and their Euclidean distances.
    """
    first, second = first.astype(np.float64), second.astype(np.float64)
    path = _path(first, second)
    return path, np.linalg.norm(first[path[:, 0]] - second[path[:, 1]], axis=1)


def _path(
    first: Float64[np.ndarray, "n dims"], second: Float64[np.ndarray, "m dims"], kept: int = _KEPT
) -> Int64[np.ndarray, "steps 2"]:
    n, m = len(first), len(second)
    diagonals = n + m - 1
    size = diagonals if diagonals * n <= kept else math.isqrt(diagonals) + 1
    before, last = np.full(n + 1, np.inf), np.full(n + 1, np.inf)
    before[0] = 0.0  # what the very first cell comes from
    fronts: list[Front] = [(before, last)]
    blocks = [range(k, min(k + size, diagonals)) for k in range(0, diagonals, size)]
    for block in blocks[:-1]:
        fronts.append(_swept(first, second, block, fronts[-1])[1])
    i, j, path = n - 1, m - 1, [(n - 1, m - 1)]
    for block, front in zip(reversed(blocks), reversed(fronts), strict=True):
        steps, _ = _swept(first, second, block, front)
        while (i or j) and i + j >= block.start:
            step = steps[i + j - block.start, i]
            i, j = i - (step != _RIGHT), j - (step != _DOWN)
            path.append((i, j))
    return np.array(path[::-1], np.int64)


def _swept(
    first: Float64[np.ndarray, "n dims"],
    second: Float64[np.ndarray, "m dims"],
    block: range,
    front: Front,
) -> tuple[np.ndarray, Front]:
    """Return the best step into every cell of some anti-diagonals, and the costs of the last two.

    Args:
        first: Frames of one sequence.
        second: Frames of the other.
        block: Numbers of the anti-diagonals, i + j.
        front: Costs of the two before them.
    """
    n, m = len(first), len(second)
    steps = np.zeros((len(block), n), np.int8)
    before, last = front
    for k in block:
        low, high = max(0, k - m + 1), min(n - 1, k) + 1
        rows = slice(low, high)
        columns = second[k - high + 1 : k - low + 1][::-1]
        distances = np.sqrt(((first[rows] - columns) ** 2).sum(1))
        came_from = np.stack((before[low:high], last[low:high], last[low + 1 : high + 1]))
        best = came_from.argmin(0)
        steps[k - block.start, rows] = best
        current = np.full(n + 1, np.inf)
        current[low + 1 : high + 1] = distances + came_from[best, np.arange(high - low)]
        before, last = last, current
    return steps, (before, last)
