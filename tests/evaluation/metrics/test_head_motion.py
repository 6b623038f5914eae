import numpy as np
import pytest
from made_media import tell

from facevox.core.errors import InputError
from facevox.core.portrait.head_pose import estimate_head_pose, estimate_head_poses
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Seen
from facevox.evaluation.metrics.head_motion import HeadMotion, head_motion, log_dimensionless_jerk

SECONDS = np.arange(250) / 25


def swing(degrees: float, hertz: float) -> np.ndarray:
    return degrees * np.sin(2 * np.pi * hertz * SECONDS)


def poses(yaw=0.0, pitch=0.0, roll=0.0) -> np.ndarray:
    return np.stack([np.zeros(250) + part for part in (yaw, pitch, roll)], 1)


def test_all_frames_at_once_as_one_by_one():
    faces = np.random.default_rng(0).normal(0, 30, (4, 478, 3)).astype(np.float32)
    faces[2, 5] = np.nan
    found = estimate_head_poses(faces)
    assert np.isnan(found[2]).all()
    for k in (0, 1, 3):
        np.testing.assert_allclose(found[k], estimate_head_pose(faces[k]), atol=1e-9)


def test_amounts_are_those_of_a_known_swing():
    score = head_motion(poses(swing(4, 0.5), swing(2, 0.5), swing(1, 0.5)), 25)
    wanted = np.array([4, 2, 1]) / np.sqrt(2)
    np.testing.assert_allclose((score.yaw, score.pitch, score.roll), wanted, rtol=0.01)
    assert score.amount == pytest.approx(wanted.mean(), rel=0.01)
    assert score.reach == pytest.approx(2 * 7 / 3, rel=0.01)
    assert score.tremor < 0.01
    assert score.tremor_share < 1e-3


def test_tremor_is_measured_as_known():
    score = head_motion(poses(swing(4, 0.5), swing(0.6, 8.0)), 25)
    assert score.tremor == pytest.approx(np.sqrt(0.6**2 / 2 / 3), rel=0.02)
    speeds = (4 * 0.5) ** 2, (0.6 * 8.0 * np.sinc(8 / 25) / np.sinc(0.5 / 25)) ** 2
    assert score.tremor_share == pytest.approx(speeds[1] / sum(speeds), rel=0.05)


def test_jitter_raises_the_amount_and_is_found_out():
    calm = head_motion(poses(swing(1, 0.4)), 25)
    noise = np.random.default_rng(0).normal(0, 1, (250, 3))
    jittery = head_motion(poses(swing(1, 0.4)) + noise, 25)
    assert jittery.amount > 2 * calm.amount
    assert jittery.tremor_share > 0.5 > 100 * calm.tremor_share
    assert jittery.smoothness < calm.smoothness - 5


def test_jerk_of_the_smoothest_movement():
    """A minimum-jerk movement has 720 A^2 / T^5 of squared jerk and a top speed of 1.875 A / T."""
    x = np.linspace(0, 1, 2001)
    movement = 30 * (10 * x**3 - 15 * x**4 + 6 * x**5)
    wanted = -np.log(720 / 1.875**2)
    for scale in (1.0, 7.0):
        assert log_dimensionless_jerk(scale * movement[:, None], 1000) == pytest.approx(
            wanted, abs=0.01
        )


def test_the_scale_of_a_movement_does_not_count():
    small, large = (head_motion(poses(swing(a, 0.7)), 25).smoothness for a in (0.5, 9.0))
    assert small == pytest.approx(large, abs=1e-6)


def test_a_head_that_stands_still_has_no_smoothness():
    noise = np.random.default_rng(0).normal(0, 0.03, (250, 3))
    for still in (poses(3.0), poses(3.0) + noise):
        score = head_motion(still, 25)
        assert score.amount < 0.1
        assert np.isnan(score.smoothness)
        assert np.isnan(score.tremor_share)


def test_other_frame_rates_give_the_same():
    times = np.arange(500) / 50
    yaw = 4 * np.sin(2 * np.pi * 0.5 * times)
    fast = head_motion(np.stack([yaw, 0 * yaw, 0 * yaw], 1), 50)
    slow = head_motion(poses(swing(4, 0.5)), 25)
    assert fast.yaw == pytest.approx(slow.yaw, rel=0.01)
    assert fast.smoothness == pytest.approx(slow.smoothness, abs=0.05)


def test_a_face_that_is_hardly_seen_is_refused():
    blinking = poses(swing(2, 0.5))
    blinking[::30] = blinking[1::30] = blinking[2::30] = blinking[3::30] = np.nan
    with pytest.raises(InputError, match="3 s"):
        head_motion(blinking, 25)


def test_the_metric_sums_up(tmp_path, astronaut):
    from facevox.core.portrait.reader import read_portrait

    face = read_portrait(astronaut).landmarks
    media = ClipMedia(Clip(name="a", video=tmp_path / "a.mp4"), Judges(tmp_path))
    roll = np.deg2rad(swing(5, 0.5))
    turns = np.stack([np.cos(roll), -np.sin(roll), np.sin(roll), np.cos(roll)], 1).reshape(-1, 2, 2)
    moving = np.repeat(face[None], 250, 0)
    moving[..., :2] = np.einsum("nij,kj->nki", turns, face[:, :2] - 256)
    moving[7] = np.nan
    tell(media, landmarks=moving, fps=25)
    metric = HeadMotion()
    assert isinstance(metric, Metric)
    results = metric.summarise([Seen(media.clip, metric.observe(media))])
    assert set(results) == {figure.name for figure in metric.figures}
    roll_result = results["head roll"]
    assert isinstance(roll_result, Estimate)
    assert roll_result.value == pytest.approx(5 / np.sqrt(2), rel=0.02)
    assert media.notes == ["1 of 250 frames show no face"]


def test_nothing_but_still_heads_have_no_smoothness(tmp_path):
    from dataclasses import asdict

    seen = {key: np.array(value) for key, value in asdict(head_motion(poses(), 25)).items()}
    results = HeadMotion().summarise([Seen(Clip(name="a", video=tmp_path / "a.mp4"), seen)])
    assert isinstance(results["head smoothness (LDLJ)"], NotMeasured)
    assert isinstance(results["head motion"], Estimate)
