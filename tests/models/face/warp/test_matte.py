import numpy as np
import pytest
from skimage.data import astronaut

from facevox.core.portrait.reader import read_portrait
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.warp.face_frame import OVAL, fit_face_frame
from facevox.models.face.warp.matte import Matte, cut_out


@pytest.fixture(scope="module")
def portrait():
    return read_portrait(astronaut())


def take_apart(portrait, pixels: np.ndarray) -> Matte | None:
    frame = fit_face_frame(portrait.landmarks, MouthBasis.load().neutral)
    return cut_out(pixels, portrait.landmarks, frame)


def test_layers_put_together_are_the_picture(portrait) -> None:
    matte = take_apart(portrait, portrait.pixels)
    assert matte is not None
    again = matte.lay_over(matte.person, (0, 0, 512, 512))
    assert np.abs(again.astype(int) - portrait.pixels).max() <= 1


def test_the_face_moves_and_the_corners_stay(portrait) -> None:
    matte = take_apart(portrait, portrait.pixels)
    assert matte is not None
    columns, rows = portrait.landmarks[list(OVAL), :2].astype(int).T
    assert np.mean(matte.person[rows, columns, 3] > 200) > 0.9
    assert matte.person[:20, :20, 3].max() < 30


def test_a_picture_without_a_person_is_not_taken_apart(portrait) -> None:
    plain = np.full_like(portrait.pixels, 128)
    assert take_apart(portrait, plain) is None
