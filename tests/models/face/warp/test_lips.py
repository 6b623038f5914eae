import numpy as np
import pytest

from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.warp.face_frame import FaceFrame, fit_face_frame
from facevox.models.face.warp.lips import (
    LOWER_ROWS,
    MIDDLE,
    UPPER_ROWS,
    LipLine,
    inner_lines,
    smooth_line,
    wanted_gap,
)
from facevox.models.face.warp.slit import find_slit

IOD, CENTRE = 100.0, np.array([256.0, 200.0, 0.0])


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return (MouthBasis.load().neutral * IOD + CENTRE).astype(np.float32)


@pytest.fixture(scope="module")
def frame(landmarks: np.ndarray) -> FaceFrame:
    return fit_face_frame(landmarks, MouthBasis.load().neutral)


def test_frame_of_a_frontal_face(frame: FaceFrame) -> None:
    assert frame.iod == pytest.approx(IOD, rel=0.01)
    assert np.allclose(frame.right, [1, 0], atol=0.02)
    assert np.allclose(frame.down, [0, 1], atol=0.02)
    move = frame.to_picture(np.array([[0.1, 0.2, 0.0]]))
    assert np.allclose(move, [[10, 20]], atol=0.5)


@pytest.mark.parametrize("rows", [UPPER_ROWS, LOWER_ROWS])
def test_columns_run_from_left_to_right_and_rows_outwards(rows, landmarks) -> None:
    points = landmarks[np.array(rows), :2]
    assert (np.diff(points[..., 0], axis=1) > 0).all()
    away = np.abs(points[:, MIDDLE, 1] - points[0, MIDDLE, 1])
    assert (np.diff(away) > 0).all()


@pytest.mark.parametrize("gap", [0.0, 0.01, 0.2])
@pytest.mark.parametrize("opening", [-0.05, 0.0, 0.1])
def test_the_wanted_gap_is_met_in_the_middle_and_closes_everywhere(gap, opening) -> None:
    natural = opening * np.sin(np.linspace(0.1, 0.9, 9) * np.pi)
    wanted = wanted_gap(natural, gap)
    assert wanted[MIDDLE] == pytest.approx(gap)
    assert (wanted >= 0).all()
    assert wanted.max() <= max(gap, 1e-9) * 1.3


def test_a_smooth_line_keeps_its_ends_and_passes_the_points(landmarks, frame) -> None:
    line = inner_lines(landmarks).upper
    smooth = smooth_line(line, 101)
    assert np.allclose(smooth[[0, -1]], line[[0, -1]], atol=1e-3)
    distance = np.linalg.norm(smooth[None] - line[:, None], axis=-1).min(1)
    assert distance.max() < 0.01 * frame.iod


def test_the_slit_of_closed_lips_follows_the_dark_seam(landmarks, frame) -> None:
    picture = np.full((500, 512, 3), (190, 120, 110), np.uint8)
    middle = inner_lines(landmarks).middle
    seam = middle.mean(0)[1] + 2.0
    picture[round(seam) - 1 : round(seam) + 2] = (90, 40, 40)
    slit = find_slit(picture, landmarks, frame)
    assert np.array_equal(slit.upper, slit.lower)
    assert np.abs(slit.upper[3:-3, 1] - round(seam)).max() < 1.0


def test_open_lips_keep_two_edges(landmarks, frame) -> None:
    opened = landmarks.copy()
    opened[list(LOWER_ROWS[0]), 1] += 12
    slit = find_slit(np.full((500, 512, 3), 128, np.uint8), opened, frame)
    assert slit.gap(frame)[MIDDLE] > 0.12


def test_gap_is_measured_along_the_face() -> None:
    tilt = np.deg2rad(30)
    down = np.array([-np.sin(tilt), np.cos(tilt)], np.float32)
    frame = FaceFrame(
        iod=50.0,
        rotation=np.eye(3, dtype=np.float32),
        right=np.array([np.cos(tilt), np.sin(tilt)], np.float32),
        down=down,
        eyes=np.zeros(2, np.float32),
    )
    upper = np.zeros((11, 2), np.float32)
    lips = LipLine(upper=upper, lower=upper + 10 * down)
    assert np.allclose(lips.gap(frame), 0.2, atol=1e-5)
