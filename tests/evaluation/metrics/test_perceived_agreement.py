from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from scipy.stats import spearmanr

from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.resemblyzer import tiny
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.judges.voice_perception import VoicePerception
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Seen
from facevox.evaluation.metrics.perceived_agreement import (
    PerceivedAgreement,
    rank_correlation,
    sex_agrees,
)


@pytest.mark.parametrize(
    ("femininity", "sex", "agrees"),
    [(0.5, "female", True), (0.5, "male", False), (-0.1, "male", True), (0.3, "", None)],
)
def test_sex_agrees(femininity, sex, agrees):
    assert sex_agrees(femininity, sex) is agrees


def test_rank_correlation_is_that_of_scipy():
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 9, 30).astype(float), draw.normal(size=30)
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y)[0])
    assert rank_correlation(y, y**3) == pytest.approx(1)
    assert np.isnan(rank_correlation(y, np.ones(30)))


def seen(name, sex, age, femininity, heard):
    clip = Clip(name=name, video=Path("x.mp4"), identity=name, sex=sex, age=age)
    return Seen(clip, {"femininity": np.array(femininity), "age": np.array(heard)})


def test_perfect_agreement_and_one_voice_for_all():
    metric = PerceivedAgreement()
    assert isinstance(metric, Metric)
    people = [("female", 20.0 + i, 0.5) if i % 2 else ("male", 20.0 + i, -0.5) for i in range(10)]
    fits = metric.summarise([seen(f"p{i}", *p[:2], p[2], p[1] / 50) for i, p in enumerate(people)])
    assert set(fits) == {figure.name for figure in metric.figures}
    assert all(result.value == pytest.approx(1) for result in fits.values())
    assert fits["voice sex agrees"].note == "10 people"
    same = metric.summarise([seen(f"p{i}", *p[:2], -0.5, 0.2) for i, p in enumerate(people)])
    values = [same[f"voice sex agrees{part}"].value for part in ("", ": women", ": men")]
    assert values == [0.5, 0, 1]
    assert "of one age" in same["voice age correlation"].reason


def test_unknown_sex_and_too_few_ages_are_said():
    results = PerceivedAgreement().summarise([seen("a", "", None, 0.1, 0.1)])
    assert all(isinstance(result, NotMeasured) for result in results.values())
    assert "got 0" in results["voice age correlation"].reason
    assert "no sex" in results["voice sex agrees: men"].reason
    woman = PerceivedAgreement().summarise([seen("a", "female", None, 0.1, 0.1)])
    assert woman["voice sex agrees: men"].reason == "no clip shows a man"
    assert woman["voice sex agrees"].note == "1 person"


def test_a_clip_is_heard(tmp_path):
    torch.manual_seed(0)
    judges = Judges(tmp_path)
    judges.put("resemblyzer", tiny().eval())
    perception = VoicePerception(np.ones((2, 12), np.float32), np.zeros(2, np.float32))
    judges.put("voice-perception", perception)
    time = np.arange(16_000) / 16_000
    soundfile.write(tmp_path / "a.wav", 0.2 * np.sign(np.sin(2 * np.pi * 120 * time)), 16_000)
    clip = Clip(name="a", video=tmp_path / "a.wav", identity="a", sex="female", age=30.0)
    heard = PerceivedAgreement().observe(ClipMedia(clip, judges))
    assert heard["femininity"] > 0
    result = PerceivedAgreement().summarise([Seen(clip, heard)])["voice sex agrees"]
    assert isinstance(result, Estimate)
    assert result.value == 1
