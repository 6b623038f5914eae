import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facevox.core.portrait.face_crop import FaceCrop

crops = st.builds(
    FaceCrop,
    st.tuples(st.floats(-50, 250), st.floats(-50, 250)),
    st.floats(10, 900),
    st.floats(-3.1, 3.1),
)


@given(crops, st.integers(0, 2**32 - 1))
def test_points_round_trip(crop, seed):
    points = np.random.default_rng(seed).uniform(0, 192, (20, 3)).astype(np.float32)
    photo = crop.to_photo(points, 192)
    matrix = crop.matrix(192)
    back = (photo[:, :2] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    assert np.allclose(back, points[:, :2], atol=0.02)
    assert np.allclose(photo[:, 2] * 192 / crop.size, points[:, 2], rtol=1e-4)


@given(st.floats(-3.1, 3.1), st.floats(-100, 100), st.floats(0.1, 10))
def test_the_square_turns_moves_and_grows_with_the_points(angle, shift, scale):
    points = np.random.default_rng(0).uniform(-50, 50, (30, 2))
    points[0], points[1] = (-20, 0), (20, 0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = points @ turn.T * scale + shift
    one = FaceCrop.around(points, points[0], points[1], 1.5)
    two = FaceCrop.around(moved, moved[0], moved[1], 1.5)
    assert two.size == pytest.approx(one.size * scale)
    assert np.allclose(two.center, turn @ one.center * scale + shift, atol=1e-6)
    assert np.cos(two.angle - one.angle - angle) == pytest.approx(1)


def test_an_upright_crop_of_the_right_size_is_a_slice():
    pixels = np.random.default_rng(0).integers(0, 256, (120, 150, 3), np.uint8)
    cut = FaceCrop((60.0, 50.0), 64.0, 0.0).cut(pixels, 64)
    assert np.allclose(cut, pixels[18:82, 28:92] / 255, atol=1e-6)


@pytest.mark.parametrize("angle", [0.4, -1.2])
@pytest.mark.parametrize("step", [1.9, 2.1, 5.0])
def test_a_crop_shows_the_places_it_says(angle, step):
    rows, columns = np.mgrid[0:600, 0:800]
    pixels = np.stack([rows / 3, columns / 4, rows * 0], axis=-1).round().astype(np.uint8)
    crop = FaceCrop((410.0, 290.0), 64 * step, angle)
    points = np.array([(x, y, 0.0) for x in range(2, 62, 3) for y in range(2, 62, 3)], np.float32)
    x, y = crop.to_photo(points, 64)[:, :2].T
    seen = crop.cut(pixels, 64)[points[:, 1].astype(int), points[:, 0].astype(int)] * 255
    assert np.mean(seen[:, 0] * 3 - y) == pytest.approx(0, abs=0.15)
    assert np.mean(seen[:, 1] * 4 - x) == pytest.approx(0, abs=0.15)


@given(crops)
def test_any_crop_can_be_cut(crop):
    pixels = np.full((90, 110, 3), 77, np.uint8)
    assert np.allclose(crop.cut(pixels, 32), 77 / 255)
