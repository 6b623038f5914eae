import numpy as np
import pytest

from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS, Portrait
from facevox.data.degrade import FRAME, IOD_RANGE, degrade


@pytest.fixture
def spotted():
    """A grey picture with a bright spot at each iris."""
    pixels = np.full((300, 300, 3), 60, np.uint8)
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:, :2] = np.random.default_rng(0).uniform(110, 190, (478, 2))
    for index, x in ((RIGHT_IRIS, 120), (LEFT_IRIS, 180)):
        landmarks[index, :2] = x, 150
        pixels[142:159, x - 8 : x + 9] = 250
    box = (100.0, 100.0, 200.0, 200.0)
    return Portrait(pixels=pixels, face_box=box, landmarks=landmarks, head_pose=(0.0, 0.0, 0.0))


def test_the_same_seed_gives_the_same_picture(spotted):
    first, again = (degrade(spotted, np.random.default_rng(4))[0] for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("seed", range(12))
def test_landmarks_go_where_the_picture_goes(spotted, seed):
    picture, landmarks = degrade(spotted, np.random.default_rng(seed))
    iod = np.linalg.norm(landmarks[LEFT_IRIS] - landmarks[RIGHT_IRIS])
    assert IOD_RANGE[0] * 0.85 < iod < IOD_RANGE[1] * 1.15
    assert picture.shape[0] == pytest.approx(FRAME * iod, rel=0.2)
    grey = picture.mean(2)
    for x, y in landmarks[[RIGHT_IRIS, LEFT_IRIS], :2].round().astype(int):
        assert grey[y, x] > np.median(grey) + 20


def test_the_portrait_is_not_changed(spotted):
    before = spotted.landmarks.copy(), spotted.pixels.copy()
    degrade(spotted, np.random.default_rng(0))
    assert np.array_equal(before[0], spotted.landmarks)
    assert np.array_equal(before[1], spotted.pixels)
