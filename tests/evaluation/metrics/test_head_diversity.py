from fractions import Fraction

import numpy as np
import pytest
import torch
from made_media import tell

from facevox.core.errors import InputError
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.hopenet import tiny
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, Seen
from facevox.evaluation.metrics.head_diversity import HeadDiversity, head_diversity


def test_diversity_of_known_features():
    features = np.zeros((4, 3), np.float32)
    features[:, 0] = (1, -1, 1, -1)
    features[:, 1] = (7, 7, 7, 7)
    features[:, 2] = (2, 2, -2, -2)
    assert head_diversity(features) == pytest.approx((1 + 0 + 2) / 3)


def media_of(frames: np.ndarray, tmp_path) -> ClipMedia:
    torch.manual_seed(0)
    judges = Judges(tmp_path)
    judges.put("hopenet", tiny())
    media = ClipMedia(Clip(name="a", video=tmp_path / "a.mp4"), judges)
    points = np.full((478, 3), 40, np.float32)
    points[234, 0], points[454, 0], points[152, 1], points[105, 1] = 30, 50, 50, 30
    landmarks = np.repeat(points[None], len(frames), 0)
    return tell(media, fps=Fraction(25), landmarks=landmarks, frames=frames)


def test_a_still_picture_has_none_and_a_changing_one_has_some(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (90, 80, 80, 3), np.uint8)
    metric = HeadDiversity()
    assert isinstance(metric, Metric)
    still = media_of(np.repeat(frames[:1], 90, 0), tmp_path)
    assert metric.observe(still)["div"] == pytest.approx(0, abs=1e-6)
    media = media_of(frames, tmp_path)
    media.landmarks[3] = np.nan
    results = metric.summarise([Seen(media.clip, metric.observe(media))])
    assert set(results) == {figure.name for figure in metric.figures}
    div = results["DIV (Hopenet)"]
    assert isinstance(div, Estimate)
    assert div.value > 0
    assert media.notes == ["1 of 90 frames show no face"]


def test_too_few_faces_are_refused(tmp_path):
    media = media_of(np.zeros((75, 80, 80, 3), np.uint8), tmp_path)
    media.landmarks[:18] = np.nan
    with pytest.raises(InputError, match="got 19"):
        HeadDiversity().observe(media)
