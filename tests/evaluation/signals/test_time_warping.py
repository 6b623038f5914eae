from functools import cache

import numpy as np
import pytest

from facevox.evaluation.signals.time_warping import _path, warp


def cheapest(first, second):
    """The definition, cell by cell."""

    @cache
    def cost(i, j):
        here = float(np.linalg.norm(first[i] - second[j]))
        if i == j == 0:
            return here
        ways = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        return here + min(cost(a, b) for a, b in ways if a >= 0 and b >= 0)

    return cost(len(first) - 1, len(second) - 1)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 5), (5, 1), (4, 4), (7, 3), (3, 9), (12, 11)])
@pytest.mark.parametrize("seed", range(3))
def test_it_costs_as_little_as_the_definition(sizes, seed):
    generator = np.random.default_rng(seed)
    first, second = (generator.standard_normal((size, 2)) for size in sizes)
    path, distances = warp(first, second)
    assert distances.sum() == pytest.approx(cheapest(first, second))
    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (sizes[0] - 1, sizes[1] - 1)
    steps = {tuple(step) for step in np.diff(path, axis=0)}
    assert steps <= {(1, 1), (1, 0), (0, 1)}


def test_equal_sequences_go_straight():
    frames = np.random.default_rng(0).standard_normal((50, 3))
    path, distances = warp(frames, frames)
    assert (path[:, 0] == path[:, 1]).all()
    assert len(path) == 50
    assert distances.sum() == 0


def test_a_constant_goes_straight_as_far_as_it_can():
    path, _ = warp(np.zeros((4, 1)), np.zeros((4, 1)))
    assert len(path) == 4


def test_a_stretched_sequence_costs_nothing():
    frames = np.random.default_rng(0).standard_normal((40, 3))
    path, distances = warp(frames, np.repeat(frames, 3, axis=0))
    assert distances.sum() == 0
    assert len(path) == 120


def test_the_order_of_the_two_does_not_matter():
    generator = np.random.default_rng(4)
    first, second = generator.standard_normal((30, 5)), generator.standard_normal((44, 5))
    assert warp(first, second)[1].sum() == pytest.approx(warp(second, first)[1].sum())


@pytest.mark.parametrize("sizes", [(60, 60), (25, 70), (70, 25), (1, 40)])
def test_blocks_give_the_same_path(sizes):
    generator = np.random.default_rng(5)
    first, second = (generator.standard_normal((size, 3)) for size in sizes)
    assert (_path(first, second, kept=0) == _path(first, second)).all()
