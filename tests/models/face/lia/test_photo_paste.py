"""Views go back into their photo: nothing moves where nothing should."""

import numpy as np
import pytest

from facevox.core.portrait.face_crop import FaceCrop
from facevox.models.face.lia.photo_paste import PhotoPaste

SIDE = 64


def still(side=SIDE):
    # the flow for which pixel k comes from pixel k
    line = ((2 * np.arange(side) + 1) / side - 1).astype(np.float32)
    return np.stack(np.meshgrid(line, line), -1)


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 255, (120, 100, 3), np.uint8)


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_a_still_view_gives_the_photo(photo, angle):
    paste = PhotoPaste(photo, FaceCrop((50.0, 60.0), 70.0, angle), SIDE)
    frame = paste(still(), np.ones((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE, 3), np.float32))
    assert np.abs(frame.astype(int) - photo).max() <= 1


def test_paint_shows_in_the_middle_and_not_outside(photo):
    paste = PhotoPaste(photo, FaceCrop((50.0, 60.0), 60.0, 0.0), SIDE)
    red = np.tile(np.array([1.0, -1.0, -1.0], np.float32), (SIDE, SIDE, 1))
    frame = paste(still(), np.zeros((SIDE, SIDE), np.float32), red)
    assert (frame[60, 50] == [255, 0, 0]).all()
    assert (frame[:29] == photo[:29]).all()
    assert (frame[:, :19] == photo[:, :19]).all()


def test_a_view_beyond_the_border_is_cut(photo):
    paste = PhotoPaste(photo, FaceCrop((5.0, 5.0), 80.0, 0.1), SIDE)
    frame = paste(still(), np.ones((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE, 3), np.float32))
    assert np.abs(frame.astype(int) - photo).max() <= 1


def test_movement_moves_the_photos_pixels(photo):
    paste = PhotoPaste(photo, FaceCrop((50.0, 60.0), 64.0, 0.0), SIDE)
    flow = still()
    flow[..., 0] += 2 * 3 / SIDE  # three pixels from the right
    frame = paste(flow, np.ones((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE, 3), np.float32))
    inner = slice(50, 70), slice(40, 60)
    moved = np.roll(photo, -3, 1)
    assert np.abs(frame[inner].astype(int) - moved[inner]).max() <= 1
