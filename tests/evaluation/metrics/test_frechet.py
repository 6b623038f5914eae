import numpy as np
import pytest
from scipy.linalg import sqrtm

from facevox.core.errors import InputError
from facevox.evaluation.metrics.frechet import (
    distance_of_gaussians,
    frechet_distance,
    gaussian_of,
    rank_problem,
    samples_needed,
)


def draw(count, dim, seed=0, scale=1.0):
    return np.random.default_rng(seed).standard_normal((count, dim)) * scale


@pytest.mark.parametrize("count", [200, 5])
def test_a_set_is_at_no_distance_from_itself(count):
    features = draw(count, 32) * np.logspace(-4, 2, 32)
    scale = np.trace(np.cov(features.T))
    assert 0 <= frechet_distance(features, features.copy()) <= 1e-6 * scale
    assert frechet_distance(features, features[::-1]) <= 1e-6 * scale


def test_a_shift_counts_its_square():
    features = draw(100, 16)
    shift = np.linspace(-1, 2, 16)
    assert frechet_distance(features, features + shift) == pytest.approx(shift @ shift, rel=1e-9)


def test_stretched_axes_have_a_closed_form():
    """For covariances that commute: the sum of squared differences of the spreads."""
    features = draw(100, 6)
    features = (features - features.mean(0)) @ np.linalg.inv(
        np.linalg.cholesky(np.cov(features.T))
    ).T
    first, second = np.array([1, 2, 3, 4, 5, 0.1]), np.array([2, 2, 1, 0.5, 5, 7])
    expected = np.square(first - second).sum()
    assert frechet_distance(features * first, features * second) == pytest.approx(
        expected, rel=1e-9
    )


def test_it_agrees_with_the_matrix_square_root_and_is_symmetric():
    a, b = draw(300, 20, 1) @ draw(20, 20, 2), draw(250, 20, 3) @ draw(20, 20, 4) + 0.5
    sa, sb = np.cov(a.T), np.cov(b.T)
    shift = a.mean(0) - b.mean(0)
    known = shift @ shift + np.trace(sa + sb - 2 * sqrtm(sa @ sb).real)
    assert frechet_distance(a, b) == pytest.approx(known, rel=1e-7)
    assert frechet_distance(b, a) == pytest.approx(frechet_distance(a, b), rel=1e-12)


def test_it_is_real_and_not_negative_where_covariances_are_singular():
    a, b = draw(5, 64, 1), draw(7, 64, 2)
    sa, sb = np.cov(a.T), np.cov(b.T)
    crossed = np.sqrt(np.maximum(np.linalg.eigvals(sa @ sb).real, 0)).sum()
    shift = a.mean(0) - b.mean(0)
    known = shift @ shift + np.trace(sa + sb) - 2 * crossed
    assert frechet_distance(a, b) == pytest.approx(known, rel=1e-6)


def test_parts_give_what_the_whole_gives():
    features = draw(5000, 8, scale=3.0) + 1e3
    whole = gaussian_of([features])
    parts = gaussian_of(np.array_split(features.astype(np.float64), [1, 7, 2500, 2500, 4999]))
    assert parts.count == whole.count == 5000
    np.testing.assert_allclose(parts.mean, features.mean(0), rtol=1e-12)
    np.testing.assert_allclose(parts.covariance, np.cov(features.T), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(whole.covariance, np.cov(features.T), rtol=1e-9, atol=1e-9)


def test_half_precision_is_read_in_double():
    features = (draw(200, 8) * 100).astype(np.float16)
    known = frechet_distance(features.astype(np.float64), features.astype(np.float64) * 2)
    assert frechet_distance(features, features * np.float16(2)) == pytest.approx(known, rel=1e-12)


def test_few_samples_look_far_apart_though_both_sets_are_drawn_alike():
    """The trap that `rank_problem` guards."""
    dim = 64
    far = frechet_distance(draw(20, dim, 1), draw(20, dim, 2))
    near = frechet_distance(draw(2000, dim, 1), draw(2000, dim, 2))
    assert near < 2.5 < 40 < far


def test_bad_sets_are_refused():
    good = draw(10, 4)
    bad = good.copy()
    bad[3, 2] = np.nan
    with pytest.raises(InputError, match="not numbers"):
        frechet_distance(good, bad)
    with pytest.raises(InputError, match=r"length 4 .* length 5"):
        frechet_distance(good, draw(10, 5))
    with pytest.raises(InputError, match="at least 2 samples, got 1"):
        frechet_distance(good, good[:1])
    with pytest.raises(InputError, match="at least 2 samples, got 0"):
        gaussian_of([])
    with pytest.raises(InputError, match="one length, got 4 and 5"):
        gaussian_of([good, draw(10, 5)])
    with pytest.raises(InputError):
        distance_of_gaussians(gaussian_of([good]), gaussian_of([good[:, :3]]))


def test_what_the_covariance_needs_is_said():
    assert samples_needed(2048) == 2049
    assert rank_problem([2049, 3000], 2048, of="frames") == ""
    sentence = rank_problem([2048, 3000], 2048, of="frames")
    assert "2049 frames" in sentence
    assert "2048 and 3000" in sentence
