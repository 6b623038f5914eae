"""Measuring the talking face: distances, tables, and a run of each method on the NASA portrait."""

import numpy as np
import pytest
from made_head import made_head

from facevox.core.errors import DataError
from facevox.core.portrait.reader import read_portrait
from facevox.recipes.ttsf_head import table
from facevox.recipes.ttsf_targets import Likeness, Methods, distances, read_pairs, seen


@pytest.fixture(scope="module")
def portrait(astronaut):
    return read_portrait(astronaut)


def test_distances_are_those_of_known_vectors():
    x, y = np.eye(3)[0], np.eye(3)[1]
    rows = np.array([[x, x, y], [y, y, y]])
    smiling, moving, between = distances(rows)
    assert smiling.tolist() == pytest.approx([0.0, 0.0])
    assert moving.tolist() == pytest.approx([1.0, 0.0])
    assert between.tolist() == pytest.approx([1.0, 1.0])


def test_a_photo_is_like_itself(portrait, astronaut):
    other = read_portrait(astronaut[:, ::-1].copy())
    likeness = Likeness([portrait, other])
    assert likeness(portrait, portrait) == pytest.approx(1.0)


def test_every_method_makes_a_view(portrait):
    methods = Methods(made_head())
    wanted = seen(portrait, 32)
    for method in (methods.copy, methods.ttsf, methods.ttsf_without_pixels, methods.lite):
        made = method(portrait, portrait)
        assert made.shape == wanted.shape
        assert 0 <= made.min() <= made.max() <= 1
    assert np.array_equal(methods.copy(portrait, portrait), wanted)


def test_heads_are_compared():
    text = table(np.full((6, 3), 0.4), np.full((6, 3), 0.3))
    assert "drawn over recorded: 0.75" in text
    assert "| recordings | 0.40 [0.40, 0.40] |" in text


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(DataError):
        read_pairs(tmp_path)
