"""Intervals: they cover what they promise, and the same seed gives the same interval."""

import numpy as np
import pytest

from facevox.evaluation.bootstrap import (
    FEWEST_GROUPS,
    interval_of,
    interval_of_mean,
    interval_of_share,
)

TRIALS = 400
TRUTH = 1.0


def coverage(draw, **options) -> float:
    """How often the interval of a sample holds the true mean."""
    generator = np.random.default_rng(1)
    hits = 0
    for trial in range(TRIALS):
        values, groups = draw(generator)
        low, high = interval_of_mean(values, groups, seed=trial, draws=400, **options)
        hits += low <= TRUTH <= high
    return hits / TRIALS


@pytest.mark.parametrize("count", [3, 5, 8, 20, 60])
def test_independent_values_are_covered(count):
    covered = coverage(lambda generator: (generator.normal(TRUTH, 2.0, count), None))
    assert 0.91 <= covered <= 0.985


def persons(generator, number: int, spread: float):
    """Clips of persons who differ by `spread`, 1 to 9 clips each."""
    who = np.repeat(np.arange(number), generator.integers(1, 10, number))
    return TRUTH + spread * generator.normal(size=number)[who] + generator.normal(
        size=len(who)
    ), who


@pytest.mark.parametrize("number", [6, 12, 40])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_values_of_persons_are_covered(number, spread):
    covered = coverage(lambda generator: persons(generator, number, spread))
    assert 0.90 <= covered <= 0.985


def test_without_persons_the_same_values_would_be_too_sure():
    def ignorant(generator):
        return persons(generator, 20, 2.0)[0], None

    assert coverage(ignorant) < 0.85


def test_a_large_sample_agrees_with_the_formula():
    values = np.random.default_rng(0).normal(5.0, 2.0, 2000)
    low, high = interval_of_mean(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert (low, high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.08 * half
    )


def test_few_values_take_students_interval():
    from scipy.stats import t

    values = np.array([1.0, 2.0, 4.0])
    expected = t.interval(0.95, 2, values.mean(), values.std(ddof=1) / np.sqrt(3))
    assert interval_of_mean(values) == pytest.approx(expected)


def test_same_seed_same_interval():
    values = np.random.default_rng(0).normal(size=30)
    assert interval_of_mean(values, seed=4) == interval_of_mean(values, seed=4)
    assert interval_of_mean(values, seed=4) != interval_of_mean(values, seed=5)
    median = lambda drawn: float(np.median(values[drawn]))  # noqa: E731
    assert interval_of(median, 30, seed=4) == interval_of(median, 30, seed=4)


def test_order_of_persons_does_not_matter():
    values, who = persons(np.random.default_rng(3), 10, 1.0)
    names = np.array([f"person {number}" for number in who])
    assert interval_of_mean(values, who) == interval_of_mean(values, names)


def test_few_persons_are_not_drawn():
    generator = np.random.default_rng(0)
    values = generator.normal(size=40)
    few = np.arange(40) % (FEWEST_GROUPS - 1)
    assert interval_of_mean(values, few) == interval_of_mean(values)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_values_have_no_interval(count):
    assert interval_of_mean(np.zeros(count)) == (None, None)


def test_equal_values_have_an_interval_without_width():
    assert interval_of_mean(np.full(9, 0.5)) == pytest.approx((0.5, 0.5))
    assert interval_of_mean(np.full(2, 0.5)) == pytest.approx((0.5, 0.5))


def test_a_share_stays_between_nothing_and_all():
    low, high = interval_of_mean(np.array([0.0, 0.0, 0.0, 0.0, 1.0]))
    assert low >= 0.0
    assert high <= 1.0


def test_any_statistic_is_covered():
    generator, hits = np.random.default_rng(2), 0
    for trial in range(150):
        values = generator.exponential(1.0, 40)
        low, high = interval_of(
            lambda drawn, v=values: float(np.median(v[drawn])), 40, seed=trial, draws=200
        )
        hits += low <= np.log(2) <= high
    assert 0.90 <= hits / 150 <= 1.0


def test_statistics_that_cannot_be_told_have_no_interval():
    values = np.arange(20.0)
    assert interval_of(lambda drawn: float(values[drawn].mean()), 4) == (None, None)
    assert interval_of(lambda drawn: float("nan"), 20) == (None, None)
    seldom = interval_of(lambda drawn: float("inf") if len(set(drawn)) > 16 else 1.0, 20)
    assert seldom == (1.0, 1.0)


@pytest.mark.parametrize(("share", "ends"), [(1.0, (0.757, 1.0)), (0.0, (0.0, 0.243))])
def test_a_share_of_all_or_none_has_wilsons_interval_of_persons(share, ends):
    values, persons = np.full(36, share), np.repeat(np.arange(12), 3)
    assert interval_of_share(values, persons) == pytest.approx(ends, abs=1e-3)
    assert interval_of_share(values[:12]) == pytest.approx(ends, abs=1e-3)


def test_other_shares_are_drawn_as_means():
    values = np.array([0.0, 1, 1, 0, 1, 0.5, 1])
    assert interval_of_share(values, seed=3) == interval_of_mean(values, seed=3)
    assert interval_of_share(np.full(7, 0.5)) == interval_of_mean(np.full(7, 0.5))
    assert interval_of_share(np.zeros(0)) == (None, None)
