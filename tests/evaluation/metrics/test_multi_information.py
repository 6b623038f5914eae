import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.metrics.multi_information import KernelInformation, MixtureInformation


def signals(correlation, count=2, size=400, seed=0):
    draw = np.random.default_rng(seed).standard_normal
    made = correlation**0.5 * draw(size) + (1 - correlation) ** 0.5 * draw((count, size))
    return (made - made.mean(1, keepdims=True)) / made.std(1, keepdims=True)


def test_kernels_are_the_sum_written_out():
    points = signals(0.5, count=3, size=20)
    width = (4 / (5 * 20)) ** (1 / 7)

    def density(rows, at):
        distance = ((rows - rows[:, [at]]) / width) ** 2
        return np.mean(np.exp(-distance.sum(0) / 2) / (2 * np.pi * width**2) ** (len(rows) / 2))

    written = np.mean(
        [
            np.log(density(points, d)) - sum(np.log(density(row[None], d)) for row in points)
            for d in range(20)
        ]
    )
    (found,) = KernelInformation(points, 3)(np.array([[0, 1, 2]]))
    assert found == pytest.approx(written, rel=1e-10)


@pytest.mark.parametrize("correlation", [0.5, 0.9])
def test_mixture_of_normal_signals_gives_the_formula(correlation):
    points = signals(correlation, size=4000)
    (found,) = MixtureInformation(points, 0)(np.array([[0, 1]]))
    assert found == pytest.approx(-0.5 * np.log(1 - correlation**2), abs=0.04)


def test_more_dependent_signals_have_more_information():
    for kind in (lambda p: KernelInformation(p, 2), lambda p: MixtureInformation(p, 0)):
        values = [float(kind(signals(c))(np.array([[0, 1]]))[0]) for c in (0.0, 0.4, 0.8)]
        assert values == sorted(values)


def test_many_tuples_at_once_are_each_alone():
    points = signals(0.3, count=6, size=50)
    chosen = np.array([[0, 1, 2], [5, 3, 1], [2, 4, 0]])
    measure = KernelInformation(points, 3)
    alone = [float(measure(row[None])[0]) for row in chosen]
    assert measure(chosen).tolist() == pytest.approx(alone, rel=1e-12)


def test_mixture_refuses_signals_that_stand_still():
    with pytest.raises(InputError, match="values are equal"):
        MixtureInformation(np.maximum(signals(0.1), 0), 0)
