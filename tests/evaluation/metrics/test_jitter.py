import numpy as np
import pytest
from made_media import tell

from facevox.core.errors import InputError
from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, Seen
from facevox.evaluation.metrics.jitter import Jitter, jitter

IOD = 60.0


def still_face(frames: int = 150) -> np.ndarray:
    face = np.random.default_rng(0).normal(0, 50, (478, 3)).astype(np.float32)
    face[RIGHT_IRIS, :2], face[LEFT_IRIS, :2] = (100, 100), (100 + IOD, 100)
    return np.repeat(face[None], frames, 0)


def shaken(hertz: float, amplitude: float, fps: float = 25) -> np.ndarray:
    """The whole face goes left and right by `amplitude` [IOD], and up and down as much."""
    faces = still_face(round(6 * fps))
    times = np.arange(len(faces)) / fps
    faces[..., :2] += (amplitude * IOD * np.sin(2 * np.pi * hertz * times))[:, None, None]
    return faces


def test_ten_hertz_of_a_hundredth_iod_is_measured_as_known():
    score = jitter(shaken(10, 0.01), 25)
    assert score.jitter == pytest.approx(10 / np.sqrt(2), rel=0.02)
    bend = 4 * np.sin(np.pi * 10 / 25) ** 2
    assert score.acceleration == pytest.approx(bend * 10 / np.sqrt(2), rel=0.02)
    assert score.swimming < 0.01  # the face as a whole shook


def test_slow_motion_is_no_jitter():
    score = jitter(shaken(0.5, 0.3), 25)
    assert score.jitter < 1.0
    assert score.swimming < 0.01


def test_noise_of_single_landmarks_is_swimming():
    faces = still_face()
    noise = np.random.default_rng(1).normal(0, 0.004 * IOD, faces.shape).astype(np.float32)
    score = jitter(faces + noise, 25)
    share = (12.5 - 5) / 12.5
    assert score.jitter == pytest.approx(4 * np.sqrt(share), rel=0.1)
    assert 0.9 * score.jitter < score.swimming < score.jitter


def test_a_still_face_has_none():
    score = jitter(still_face(), 25)
    assert max(score.jitter, score.acceleration, score.swimming) < 1e-6


def test_the_size_of_the_face_does_not_count():
    large = shaken(8, 0.01) * np.float32(3)
    assert jitter(large, 25).jitter == pytest.approx(jitter(shaken(8, 0.01), 25).jitter, rel=1e-3)


def test_fifty_frames_a_second_see_the_same_eight_hertz():
    assert jitter(shaken(8, 0.01, 50), 50).jitter == pytest.approx(10 / np.sqrt(2), rel=0.02)


def test_a_lost_face_is_no_jump():
    faces = shaken(0.2, 0.1)
    calm = jitter(faces, 25).acceleration
    faces[60:80] = np.nan
    assert jitter(faces, 25).acceleration == pytest.approx(calm, rel=0.2)


def test_a_face_that_is_never_seen_is_refused():
    with pytest.raises(InputError):
        jitter(np.full((100, 478, 3), np.nan, np.float32), 25)
    with pytest.raises(InputError, match="1 s"):
        jitter(still_face(20), 25)


def test_the_metric_sums_up(tmp_path):
    media = ClipMedia(Clip(name="a", video=tmp_path / "a.mp4"), Judges(tmp_path))
    tell(media, fps=25, landmarks=shaken(10, 0.01))
    metric = Jitter()
    assert isinstance(metric, Metric)
    results = metric.summarise([Seen(media.clip, metric.observe(media))])
    assert set(results) == {figure.name for figure in metric.figures}
    assert isinstance(results["jitter"], Estimate)
