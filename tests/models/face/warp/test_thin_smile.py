"""Thin lips that show teeth, drawn as stripes across the mouth that the landmarks call closed."""

import numpy as np
import pytest

from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.warp.face_frame import FaceFrame, fit_face_frame
from facevox.models.face.warp.lips import MIDDLE, inner_lines
from facevox.models.face.warp.slit import find_slit

IOD, CENTRE = 100.0, np.array([256.0, 200.0, 0.0])
SKIN, LIP, SEAM = (200, 150, 130), (170, 110, 105), (95, 40, 40)
TEETH, SHADED_TEETH = (165, 155, 135), (95, 82, 70)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return (MouthBasis.load().neutral * IOD + CENTRE).astype(np.float32)


@pytest.fixture(scope="module")
def frame(landmarks: np.ndarray) -> FaceFrame:
    return fit_face_frame(landmarks, MouthBasis.load().neutral)


def _mouth(landmarks: np.ndarray, *, teeth: int, half_width: int, gain: float = 1.0) -> np.ndarray:
    """Draw lips around the landmarks' line; below it teeth of a height [px] in their shadow."""
    line = inner_lines(landmarks).middle
    picture = np.full((500, 512, 3), SKIN, np.uint8)
    for x in range(round(line[0, 0]), round(line[-1, 0])):
        seam = round(float(np.interp(x, line[:, 0], line[:, 1])))
        picture[seam - 8 : seam + 12 + teeth, x] = LIP
        picture[seam - 1 : seam + 2, x] = SEAM
        if abs(x - line[5, 0]) < half_width:
            picture[seam - 1 : seam + 2, x] = SHADED_TEETH
            picture[seam + 2 : seam + 2 + teeth, x] = TEETH
    return np.round(picture * gain).astype(np.uint8)


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_teeth_between_lips_that_the_landmarks_call_closed_part_them(
    landmarks, frame, gain
) -> None:
    assert inner_lines(landmarks).gap(frame).max() < 0.03
    slit = find_slit(_mouth(landmarks, teeth=3, half_width=22, gain=gain), landmarks, frame)
    gap = slit.gap(frame)
    assert 0.05 < gap[MIDDLE] < 0.12
    seam = inner_lines(landmarks).middle[5, 1]
    assert slit.upper[5, 1] < seam - 1
    assert slit.lower[5, 1] > seam + 4  # the whole tooth lies inside
    assert np.allclose((slit.upper - slit.lower)[[0, -1]], 0.0)
    assert (gap >= 0.0).all()


@pytest.mark.parametrize("half_width", [0, 3])
def test_closed_lips_and_a_speck_of_light_keep_the_seam(landmarks, frame, half_width) -> None:
    slit = find_slit(_mouth(landmarks, teeth=3, half_width=half_width), landmarks, frame)
    assert np.array_equal(slit.upper, slit.lower)


def test_a_shine_on_the_lower_lip_is_no_tooth(landmarks, frame) -> None:
    picture = _mouth(landmarks, teeth=0, half_width=0)
    x, y = np.round(inner_lines(landmarks).middle[5]).astype(int)
    picture[y + 4 : y + 7, x - 28 : x + 28] = (250, 240, 240)
    slit = find_slit(picture, landmarks, frame)
    assert np.array_equal(slit.upper, slit.lower)


def test_photos_without_colour_keep_the_seam(landmarks, frame) -> None:
    picture = _mouth(landmarks, teeth=3, half_width=22).mean(-1, keepdims=True)
    grey = np.repeat(picture, 3, -1).astype(np.uint8)
    slit = find_slit(grey, landmarks, frame)
    assert np.array_equal(slit.upper, slit.lower)
