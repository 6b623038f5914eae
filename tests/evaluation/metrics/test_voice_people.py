"""Voices beside people: known angles give known numbers."""

import numpy as np
import pytest

from facevox.evaluation.metrics.voice_people import clone_similarity, nearest_people, variety


def at(*degrees):
    angles = np.radians(np.array(degrees, float))
    return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


def test_clones_at_known_angles():
    originals = {"a": at(0, 0), "b": at(90, 90), "c": at(45)}
    found = clone_similarity({"a": at(10), "b": at(80), "x": at(0)}, originals)
    assert found.names == ("a", "b")
    assert found.same == pytest.approx(np.cos(np.radians([10, 10])))
    assert found.different == pytest.approx(np.cos(np.radians([80, 80])))
    assert found.two_people == pytest.approx([0, 0], abs=1e-6)
    assert found.margin == pytest.approx(found.same)


def test_nearest_people_at_known_angles():
    people = {"a": at(0, 0, 20, 20), "b": at(90, 90), "c": at(180)}
    found = nearest_people({"v": at(60), "w": at(10, 10)}, people, most=3)
    assert found.nearest == ("b", "a")
    assert found.voices == pytest.approx(np.cos(np.radians([30, 0])), abs=1e-6)
    assert found.one_person == pytest.approx(np.cos(np.radians([20, 20, 0])), abs=1e-6)
    # recordings of a at 0 are nearest to b at 90, those of b to a at 10, those of c to b
    assert found.nearest_other == pytest.approx(np.cos(np.radians([90, 80, 90])), abs=1e-6)
    assert found.recognisable == ("w",)
    assert found.people_passing.tolist() == [0, 0, 0]


def test_the_same_voice_has_no_variety():
    value, (low, high) = variety({f"v{k}": at(30, 30) for k in range(6)})
    assert (value, low, high) == pytest.approx((1, 1, 1))


def test_variety_interval_holds_the_truth():
    """Of 20 sets of 8 random directions in 16 dimensions about 95 % hold the true mean, 0."""
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(20):
        voices = {f"v{k}": rng.normal(size=(1, 16)).astype(np.float32) for k in range(8)}
        _, (low, high) = variety(voices, seed=seed)
        held += low <= 0 <= high
    assert held >= 16


def test_one_person_alone_has_no_other():
    found = nearest_people({"v": at(0)}, {"a": at(0)})
    assert len(found.nearest_other) == 0
    assert len(found.one_person) == 0
