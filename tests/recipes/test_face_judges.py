import numpy as np
import pytest

from facevox.recipes.face_judges import (
    area_under_roc,
    calibration_error,
    fit_temperature,
    folds_by_person,
    ridge,
    wilson_interval,
)


@pytest.mark.parametrize("shape", [(200, 5), (20, 50)])
def test_ridge_finds_a_line(shape):
    generator = np.random.default_rng(0)
    x, slope = generator.normal(size=shape), generator.normal(size=shape[1])
    weights = generator.uniform(0.5, 2, shape[0])
    found, bias = ridge(x, x @ slope + 3.0, weights, 1e-9)
    np.testing.assert_allclose(x @ found + bias, x @ slope + 3.0, atol=1e-4)


def test_a_weight_counts_like_so_many_rows():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(30, 4)), generator.normal(size=30)
    counts = np.arange(30) % 3 + 1
    once = ridge(x, y, counts.astype(float), 0.1)
    rows = np.repeat(np.arange(30), counts)
    many = ridge(x[rows], y[rows], np.ones(len(rows)), 0.1)
    np.testing.assert_allclose(once[0], many[0])


def test_nobody_is_in_two_folds():
    people = [f"p{index % 37}" for index in range(200)]
    folds = folds_by_person(people, 5, seed=1)
    for person in set(people):
        assert len({fold for fold, one in zip(folds, people, strict=True) if one == person}) == 1
    assert set(folds) == set(range(5))


def test_temperature_and_calibration():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=20000)
    truth = generator.random(20000) < 1 / (1 + np.exp(-3 * scores))
    factor = fit_temperature(scores, truth, np.ones(20000))
    assert factor == pytest.approx(3, rel=0.1)
    assert calibration_error(1 / (1 + np.exp(-factor * scores)), truth) < 0.02
    assert calibration_error(1 / (1 + np.exp(-9 * scores)), truth) > 0.05


def test_area_under_roc():
    assert area_under_roc(np.array([0.0, 1.0, 2.0]), np.array([False, True, True])) == 1.0
    assert area_under_roc(np.array([1.0, 1.0]), np.array([False, True])) == 0.5


def test_wilson_interval_against_a_known_value():
    low, high = wilson_interval(9, 10)
    assert (low, high) == (pytest.approx(0.596, abs=1e-3), pytest.approx(0.982, abs=1e-3))
    assert wilson_interval(10, 10)[1] == pytest.approx(1.0)
