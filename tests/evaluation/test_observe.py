"""Kept observations that are damaged are made anew; a killed process is told in words."""

import os
from pathlib import Path

import numpy as np
import pytest

from facevox.core.errors import FacevoxError
from facevox.evaluation import observe
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.metric import Figure


def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(size=500)


class Count:
    """Counts how often it looked."""

    name, version, judges, uses_landmarks = "count", 1, (), False
    figures = (Figure(name="count", unit="", better="neither", protocol="looks"),)
    looks = 0

    def observe(self, media):
        self.looks += 1
        return {"noise": noise()}

    def summarise(self, seen, *, seed=0):
        raise NotImplementedError


def clip(name: str) -> Clip:
    return Clip(name=name, video=Path("absent.mp4"), system="s")


@pytest.mark.parametrize("place", [4, 45, 60, 300, -30])
def test_a_damaged_observation_is_never_believed(tmp_path, place):
    metric, judges = Count(), Judges(tmp_path)
    for _ in range(2):
        observe.observe_clip(clip("a"), [metric], judges, "attention-mesh", tmp_path)
    assert metric.looks == 1
    (path,) = tmp_path.rglob("*.npz")
    content = bytearray(path.read_bytes())
    content[place : place + 20] = bytes(byte ^ 0x55 for byte in content[place : place + 20])
    path.write_bytes(content)
    outcome = observe.observe_clip(clip("a"), [metric], judges, "attention-mesh", tmp_path)
    assert outcome["count"].observation is not None
    np.testing.assert_array_equal(outcome["count"].observation["noise"], noise())


def test_a_killed_process_is_told_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(observe, "_start_worker", os.abort)
    clips, judges = [clip("a"), clip("b")], Judges(tmp_path)
    with pytest.raises(FacevoxError, match="was killed, as happens when memory runs out"):
        list(observe.observe_all(clips, [], judges, "attention-mesh", tmp_path, jobs=2))
