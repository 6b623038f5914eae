import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.signals.face_square import crop_square, face_square


def landmarks(centre, width, height, frames=9):
    points = np.zeros((frames, 478, 3), np.float32)
    rng = np.random.default_rng(0)
    points[..., 0] = centre[0] + rng.uniform(-width / 2, width / 2, 478)
    points[..., 1] = centre[1] + rng.uniform(-height / 2, height / 2, 478)
    corners = [(-1, -1), (1, 1)]
    for k, (x, y) in enumerate(corners):
        points[:, k, :2] = (centre[0] + x * width / 2, centre[1] + y * height / 2)
    return points


def test_the_square_is_half_as_large_again_as_the_face_and_around_it():
    assert face_square(landmarks((100, 80), 40, 60)) == (55, 35, 90)
    assert face_square(landmarks((100, 80), 40, 60), 2.0) == (40, 20, 120)


def test_a_few_odd_frames_and_lost_faces_do_not_move_it():
    points = landmarks((100, 80), 40, 60)
    points[1, :, 1] *= 2
    points[2:4] = np.nan
    assert face_square(points) == (55, 35, 90)


def test_without_a_face_it_is_refused():
    with pytest.raises(InputError, match="no frame shows a face"):
        face_square(np.full((3, 478, 3), np.nan, np.float32))


def test_crops_keep_pixels_and_repeat_the_border():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop_square(pixels, (5, 3, 10)), pixels[3:13, 5:15])
    crop = crop_square(pixels, (-4, 15, 10))
    np.testing.assert_array_equal(crop[:5, 4:], pixels[15:, :6])
    np.testing.assert_array_equal(crop[:5, 0], pixels[15:, 0])
    np.testing.assert_array_equal(crop[9, 4:], pixels[19, :6])
