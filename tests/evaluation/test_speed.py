import pytest

from facevox.core.errors import FacevoxError
from facevox.evaluation.speed import Measure, measure_frame, run_speak


def test_a_ratio_of_one_meets_the_target():
    assert Measure(name="x", value=15.0, unit="ms", target=15.0).ratio == 1.0
    assert Measure(name="x", value=30.0, unit="ms", target=15.0).to_dict()["ratio"] == 2.0


def test_the_frame_is_measured(lite, astronaut_file):
    frame, setup = measure_frame(astronaut_file, frames=3)
    assert 0 < frame.value < 10_000
    assert 0 < setup.value < 60


def test_a_job_that_fails_says_why(tmp_path):
    with pytest.raises(FacevoxError, match=r"absent\.png"):
        run_speak(tmp_path / "absent.png", "Hi.", tmp_path, system="lite")


def test_a_job_tells_its_facts(lite, astronaut_file, tmp_path):
    facts = run_speak(astronaut_file, "Hi.", tmp_path, system="lite")
    assert facts["width"] == 512
    assert facts["frames"] == round(facts["seconds"] * facts["fps"])
