import numpy as np
import pytest

from facevox.core.errors import DataError
from facevox.core.portrait.reader import read_portrait
from facevox.data.grid import FaceTrack
from facevox.data.grid_head import measure_others

FRAMES = 30
YAW, ROLL, LIDS, GAZE, BROWS = 0, 2, 4, slice(5, 7), 7
UPPER, LOWER = [159, 158, 160, 386, 385, 387], [145, 153, 144, 374, 380, 373]


@pytest.fixture(scope="module")
def face(astronaut_file):
    return read_portrait(astronaut_file).landmarks.astype(np.float32)


def track(points, lost=()):
    found = np.ones(len(points), bool)
    found[list(lost)] = False
    return FaceTrack(landmarks=points.astype(np.float32), found=found)


def still(face):
    return np.repeat(face[None], FRAMES, 0)


def test_a_still_face_does_nothing(face):
    assert np.abs(measure_others(track(still(face)))).max() < 1e-3


def test_place_and_size_of_the_picture_do_not_matter(face):
    generator = np.random.default_rng(0)
    points = still(face) + generator.normal(0, 0.3, (FRAMES, 478, 3))
    here, there = (measure_others(track(one)) for one in (points, 1.7 * points + 40))
    assert np.abs(here).max() > 0.01
    assert np.abs(here - there).max() < 0.02


def test_blinks_are_seen_and_slight_closures_are_none(face):
    points = still(face)
    half = (points[10:13, UPPER, 1] + points[10:13, LOWER, 1]) / 2
    points[10:13, UPPER, 1] = points[10:13, LOWER, 1] = half
    points[20:25, UPPER, 1] += 0.1 * (points[20:25, LOWER, 1] - points[20:25, UPPER, 1])
    lids = measure_others(track(points))[:, LIDS]
    assert (lids[10:13] == 1).all()
    assert not lids[[*range(9), *range(14, FRAMES)]].any()


def test_irises_to_the_right_and_down_are_a_gaze_to_the_right_and_down(face):
    points = still(face)
    iod = np.linalg.norm(face[473, :2] - face[468, :2])
    points[10:20, [468, 473], :2] += 0.01 * iod
    gaze = measure_others(track(points))[:, GAZE]
    assert np.abs(gaze[:5]).max() < 0.1
    assert gaze[15] == pytest.approx([3.0, 3.0], abs=0.4)


def test_brows_rise(face):
    points = still(face)
    points[15:, [105, 66, 107, 334, 296, 336], 1] -= 5
    brows = measure_others(track(points))[:, BROWS]
    assert brows[20:].min() > brows[:10].max()


def test_a_head_that_leans_rolls(face):
    points = still(face)
    angle = np.radians(6.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points[20:, :, :2] = points[20:, :, :2] @ turn.T
    roll = measure_others(track(points))[:, ROLL]
    assert roll[28] - roll[2] == pytest.approx(6.0, abs=0.3)


def test_lost_frames_take_the_nearest_seen(face):
    points = still(face)
    points[5:8] = 0
    assert np.abs(measure_others(track(points, lost=range(5, 8)))).max() < 1e-3
    with pytest.raises(DataError, match="no face was found"):
        measure_others(track(points, lost=range(FRAMES)))
