import numpy as np
import pytest

from facevox.evaluation.signals.face_track import (
    BOX_ABOVE,
    BOX_HEIGHT,
    EYES,
    GREY,
    MOUTH,
    NOSE,
    cut_face,
    face_boxes,
    longest_track,
)


def landmarks_at(x: float, y: float, size: float) -> np.ndarray:
    """A frontal face: eyes and mouth corners on a square of this side, the nose in its middle."""
    points = np.zeros((478, 3), np.float32)
    half = size / 2
    points[list(EYES[0])] = x - half, y - half, 0
    points[list(EYES[1])] = x + half, y - half, 0
    points[NOSE] = x, y, 0
    points[MOUTH[0]], points[MOUTH[1]] = (x - half, y + half, 0), (x + half, y + half, 0)
    return points


def still(count: int, x=100.0, y=100.0, half=60.0) -> np.ndarray:
    return np.tile([x, y, half], (count, 1))


def test_box_of_a_frontal_face():
    (box,) = face_boxes(landmarks_at(200, 150, 80)[None])
    unit = np.sqrt(4 / 5 * (40**2 + 40**2))
    np.testing.assert_allclose(box, [200, 150 + BOX_ABOVE * unit, BOX_HEIGHT / 2 * unit], rtol=1e-6)
    top, bottom = box[1] - box[2], box[1] + box[2]
    assert top < 110 - 60 < 190 + 60 < bottom + 20


def test_box_moves_and_grows_with_the_face():
    a, b = face_boxes(np.stack([landmarks_at(200, 150, 80), landmarks_at(410, 320, 160)]))
    np.testing.assert_allclose(b - [10, 20, 0], 2 * a, rtol=1e-6)


def test_a_turned_head_has_its_cheek_on_the_other_side():
    points = landmarks_at(200, 150, 80)
    points[NOSE, 0] += 10
    assert face_boxes(points[None])[0, 0] < 200


def test_short_gaps_are_bridged():
    boxes = still(80)
    boxes[:, 0] += np.arange(80)
    boxes[30:54] = np.nan
    first, track = longest_track(boxes)
    assert (first, len(track)) == (0, 80)
    np.testing.assert_allclose(track[10:70, 0], 100 + np.arange(10, 70))


def test_long_gaps_and_jumps_end_a_track():
    gap = still(100)
    gap[30:57] = np.nan
    assert longest_track(gap)[0] == 57
    jump = np.concatenate([still(30), still(50, x=300)])
    first, track = longest_track(jump)
    assert (first, len(track)) == (30, 50)
    assert (track == [300, 100, 60]).all()


def test_one_wrong_box_is_passed_over():
    boxes = still(60)
    boxes[20] = 400, 300, 30
    first, track = longest_track(boxes)
    assert (first, len(track)) == (0, 60)
    assert (track == [100, 100, 60]).all()


def test_no_face_is_no_track():
    first, track = longest_track(np.full((9, 3), np.nan))
    assert (first, track.shape) == (0, (0, 3))


def test_crop_reaches_from_the_top_of_the_box_to_far_below_it():
    pixels = np.zeros((500, 500, 3), np.uint8)
    pixels[150:330, 110:390] = 200  # half a box of 100 above, 1.8 below; 1.4 to each side
    crop = cut_face(pixels, np.array([250.0, 250.0, 100.0]))
    assert crop.shape == (224, 224, 3)
    assert (crop[: int(224 * 179 / 280)] == 200).all()
    assert (crop[int(224 * 181 / 280) + 1 :] == 0).all()


@pytest.mark.parametrize(("x", "side"), [(0.0, "left"), (200.0, "right"), (-900.0, "all")])
def test_beyond_the_edge_is_grey(x, side):
    crop = cut_face(np.zeros((200, 200, 3), np.uint8), np.array([x, 60.0, 50.0]))
    grey = {"left": crop[:, :111], "right": crop[:, 113:], "all": crop}[side]
    inside = {"left": crop[20:, 114:], "right": crop[20:, :110], "all": crop[:0]}[side]
    assert (grey == GREY).all()
    assert (inside == 0).all()
