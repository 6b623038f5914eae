import sys

import numpy as np
import pytest

from facevox.core.errors import InputError, MissingPiece
from facevox.evaluation.report.voice_map import MOST_POINTS, chosen_points, in_order, pca, tsne


def voices(people: int = 4, each: int = 5, spread: float = 0.1) -> np.ndarray:
    generator = np.random.default_rng(0)
    centres = np.repeat(generator.normal(size=(people, 32)), each, axis=0)
    return (centres + spread * generator.normal(size=centres.shape)).astype(np.float32)


def test_pca_finds_the_directions_of_most_variance():
    generator = np.random.default_rng(1)
    points = generator.normal(size=(200, 5)) * [3.0, 2.0, 0.1, 0.1, 0.1]
    plane, shares = pca(points)
    assert shares[0] == pytest.approx(9 / 13, abs=0.1)
    assert shares[0] > shares[1]
    assert np.abs(np.corrcoef(plane[:, 0], points[:, 0])[0, 1]) > 0.99
    np.testing.assert_allclose(plane.mean(0), 0, atol=1e-9)


def test_pca_does_not_flip():
    points = voices()
    one, _ = pca(points)
    two, _ = pca(points[::-1].copy())
    np.testing.assert_allclose(one, two[::-1], atol=1e-4)


def test_one_dimension_is_enough():
    plane, shares = pca(np.arange(4.0)[:, None])
    assert shares == (1.0, 0.0)
    assert (plane[:, 1] == 0).all()


def test_tsne_keeps_persons_together_and_repeats_itself():
    points = voices()
    plane, perplexity = tsne(points)
    assert perplexity == pytest.approx(19 / 3)
    assert np.isfinite(plane).all()
    np.testing.assert_array_equal(plane, tsne(points)[0])
    distances = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(1) // 5 == np.arange(20) // 5).all()


def test_too_few_or_equal_voices_are_said():
    with pytest.raises(InputError, match="PCA needs at least 3 voices; there are 2"):
        pca(voices()[:2])
    with pytest.raises(InputError, match="t-SNE needs at least 10 voices; there are 9"):
        tsne(voices()[:9])
    with pytest.raises(InputError, match="all 12 voices are the same"):
        tsne(np.ones((12, 4), np.float32))


def test_without_scikit_learn_the_page_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(MissingPiece, match=r"facevox\[evaluate\]"):
        tsne(voices())


def test_points_without_numbers_are_left_out_and_many_are_thinned():
    points = np.ones((5, 3), np.float32)
    points[2, 1] = np.nan
    assert chosen_points(points).tolist() == [0, 1, 3, 4]
    many = chosen_points(np.ones((3 * MOST_POINTS, 2)))
    assert len(many) == MOST_POINTS
    assert (many[0], many[-1]) == (0, 3 * MOST_POINTS - 1)
    assert in_order(["b", "a", "b"]) == ["a", "b"]
