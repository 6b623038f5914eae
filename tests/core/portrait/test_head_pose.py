import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from facevox.core.portrait.head_pose import _FRONTAL, _ORDER, estimate_head_pose


def head(yaw: float, pitch: float, roll: float, scale=1.0, shift=0.0) -> np.ndarray:
    """Landmarks of the mean head, turned; points that do not matter are far off."""
    turn = Rotation.from_euler("ZYX", [roll, -yaw, pitch], degrees=True).as_matrix()
    landmarks = np.full((478, 3), 1e3)
    landmarks[_ORDER] = _FRONTAL @ turn.T * scale + shift
    return landmarks


@given(
    st.floats(-80, 80),
    st.floats(-80, 80),
    st.floats(-170, 170),
    st.floats(0.1, 500),
    st.floats(-1e3, 1e3),
)
def test_the_pose_comes_back(yaw, pitch, roll, scale, shift):
    pose = estimate_head_pose(head(yaw, pitch, roll, scale, shift))
    assert pose == pytest.approx((yaw, pitch, roll), abs=1e-3)


@pytest.mark.parametrize(
    ("angles", "nose", "crown"),
    [
        ((30, 0, 0), (1, 0), (0, -1)),  # towards the picture's right
        ((0, 20, 0), (0, 1), (0, -1)),  # down
        ((0, 0, 30), (0, 0), (0.5, -1)),  # clockwise
    ],
)
def test_signs(angles, nose, crown):
    points = head(*angles)
    tip = (points[4] - points[[33, 263]].mean(0))[:2] - (head(0, 0, 0)[4])[:2]
    top = (points[10] - points[[33, 263]].mean(0))[:2]
    for axis in (0, 1):
        if nose[axis]:
            assert np.sign(tip[axis]) == np.sign(nose[axis])
        if crown[axis]:
            assert np.sign(top[axis]) == np.sign(crown[axis])


def test_turning_the_photo_changes_the_roll_only(astronaut, portrait):
    from facevox.core.portrait.reader import read_portrait

    yaw, pitch, roll = portrait.head_pose
    mirrored = read_portrait(np.ascontiguousarray(astronaut[:, ::-1])).head_pose
    assert mirrored == pytest.approx((-yaw, pitch, -roll), abs=2.5)
    points = portrait.landmarks.copy()
    points[:, 0], points[:, 1] = -portrait.landmarks[:, 1], portrait.landmarks[:, 0]
    assert estimate_head_pose(points) == pytest.approx((yaw, pitch, roll + 90), abs=1e-3)
