import numpy as np
import pytest

from facevox.core import checkpoint
from facevox.core.errors import CheckpointError
from facevox.models.bridge import perception
from facevox.models.bridge.perception import AGES, AgeModel, FacePerception, traits

MODEL = AgeModel(slope=0.5, offset=1.6, sigma=0.1, iris=float(np.log(0.19)), iris_sigma=0.06)


def mean_age(estimate, iris=0.19):
    return float(MODEL.posterior(estimate, iris) @ AGES)


def test_the_age_grows_with_the_estimate():
    ages = [mean_age(1.6 + 0.5 * np.log(age)) for age in (15, 25, 40, 60)]
    assert ages == sorted(ages)
    assert MODEL.posterior(3.0, 0.19).sum() == pytest.approx(1)


def test_large_irises_are_those_of_children():
    young = 1.6 + 0.5 * np.log(12)
    assert mean_age(young, 0.23) < mean_age(young, 0.19)
    assert mean_age(young, 0.25) < 16


def test_strange_numbers_stay_finite():
    for estimate in (-50.0, 50.0):
        assert np.isfinite(MODEL.posterior(estimate, 0.19)).all()


def test_the_astronaut_is_a_grown_woman(bridge, portrait):
    seen = bridge.perceive(portrait)
    assert seen.female > 0.7
    assert 28 < seen.age < 48
    assert 2 < seen.age_sigma < 20


def test_scale_and_tilt_change_little(bridge, portrait, moved):
    seen = bridge.perceive(portrait)
    for other in (bridge.perceive(moved(scale=0.8)), bridge.perceive(moved(degrees=10))):
        assert abs(other.female - seen.female) < 0.2
        assert abs(other.age - seen.age) < 6


def test_traits_do_not_know_the_scale(portrait, moved):
    np.testing.assert_allclose(
        traits(moved(scale=1.7).landmarks), traits(portrait.landmarks), rtol=1e-4
    )


def test_missing_weights_are_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(perception, "WEIGHTS", tmp_path)
    with pytest.raises(CheckpointError):
        FacePerception.load()


def test_a_card_that_does_not_fit_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(perception, "WEIGHTS", tmp_path)
    path = tmp_path / "face_to_voice.safetensors"
    checkpoint.save_checkpoint(path, {"shape": np.zeros(3, np.float32)}, {"config": {}})
    with pytest.raises(CheckpointError, match="num_features"):
        FacePerception.load()
    checkpoint.save_checkpoint(
        path, {"shape": np.zeros(3, np.float32)}, {"config": {"num_features": 9}}
    )
    with pytest.raises(CheckpointError, match="missing biases"):
        FacePerception.load()
