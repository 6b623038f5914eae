from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_media import tell

from facevox.core.errors import InputError, MissingPiece
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges import arcface, curricularface
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, Seen
from facevox.evaluation.metrics.identity_similarity import (
    IdentitySimilarity,
    identity_similarity,
)
from facevox.evaluation.signals.face_alignment import ARCFACE_TEMPLATE


def test_cosines_are_known():
    photo = np.array([2, 0], np.float32)
    frames = np.array([[5, 0], [0, 3], [-1, 0], [1, 1]], np.float32)
    np.testing.assert_allclose(identity_similarity(photo, frames), [1, 0, -1, 0.5**0.5])


def landmarks_on_template() -> np.ndarray:
    landmarks = np.zeros((478, 3), np.float32)
    template = ARCFACE_TEMPLATE + 0.5
    landmarks[[33, 133], :2], landmarks[[362, 263], :2] = template[0], template[1]
    landmarks[[4, 61, 291], :2] = template[2:]
    return landmarks


def media_of(frames: np.ndarray, photo: np.ndarray, judges: Judges, tmp_path) -> ClipMedia:
    media = ClipMedia(Clip(name="a", video=tmp_path / "a.mp4"), judges)
    points = landmarks_on_template()
    return tell(
        media,
        fps=Fraction(25),
        landmarks=np.repeat(points[None], len(frames), 0),
        portrait=SimpleNamespace(pixels=photo, landmarks=points),
        frames=frames,
    )


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (21, 112, 112, 3), np.uint8)


@pytest.mark.parametrize(
    ("judge", "label", "tiny"),
    [
        ("curricularface", "CurricularFace", curricularface.tiny),
        ("arcface-iresnet100", "ArcFace", arcface.tiny),
    ],
)
def test_the_photo_itself_is_wholly_similar(tmp_path, pictures, judge, label, tiny):
    torch.manual_seed(0)
    judges = Judges(tmp_path)
    judges.put(judge, tiny())
    metric = IdentitySimilarity(judge, label)
    assert isinstance(metric, Metric)
    same = media_of(np.repeat(pictures[:1], 21, 0), pictures[0], judges, tmp_path)
    seen = Seen(same.clip, metric.observe(same))
    result = metric.summarise([seen])[f"ID-SIM ({label})"]
    assert isinstance(result, Estimate)
    assert result.value == pytest.approx(1.0, abs=1e-5)
    assert "5 of 5 frames show a face" in result.note
    other = media_of(pictures[1:], pictures[0], judges, tmp_path)
    assert metric.observe(other)["similarity"] < 0.999


def test_frames_without_a_face_are_counted(tmp_path, pictures):
    judges = Judges(tmp_path)
    judges.put("curricularface", curricularface.tiny())
    media = media_of(pictures, pictures[0], judges, tmp_path)
    media.landmarks[5] = np.nan
    metric = IdentitySimilarity()
    seen = Seen(media.clip, metric.observe(media))
    result = metric.summarise([seen])["ID-SIM (CurricularFace)"]
    assert isinstance(result, Estimate)
    assert "4 of 5 frames show a face" in result.note
    media.landmarks[:] = np.nan
    with pytest.raises(InputError, match="face"):
        metric.observe(media)


def test_without_the_judge_it_says_how_to_get_it(tmp_path, pictures):
    media = media_of(pictures, pictures[0], Judges(tmp_path), tmp_path)
    with pytest.raises(MissingPiece, match="curricularface"):
        IdentitySimilarity().observe(media)
