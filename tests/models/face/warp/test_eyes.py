import cv2
import numpy as np
import pytest

from facevox.models.face.warp.eyes import Eyes
from facevox.models.face.warp.glasses import find_glasses
from facevox.models.face.warp.linear_light import to_light, to_srgb

REST = (0.0, (0.0, 0.0), 0.0)


def retouch(eyes, crop, eyelids, gaze, brows):
    """The crop with lids, gaze and brows moved: flows added up, then the lids' shading."""
    height, width = crop.shape[:2]
    flow = np.zeros((height, width, 2), np.float32)
    fields = eyes.flow(eyelids, gaze, brows)
    for (x0, y0, x1, y1), field in fields:
        flow[y0:y1, x0:x1] += field
    places = flow + np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
    moved = cv2.remap(crop, places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if eyelids > 0:
        for index, ((x0, y0, x1, y1), _) in enumerate(fields[:2]):
            gain, offset = eyes.veil(index, eyelids)
            light = to_light(moved[y0:y1, x0:x1]) * gain[..., None] + offset
            moved[y0:y1, x0:x1] = to_srgb(light)
    return moved


def test_at_rest_nothing_changes(draw_face):
    crop, landmarks, iod = draw_face()
    eyes = Eyes(crop, landmarks, iod)
    assert eyes.flow(*REST) == []
    np.testing.assert_array_equal(retouch(eyes, crop, *REST), crop)


def test_a_blink_covers_iris_and_sclera_and_nothing_else(draw_face):
    crop, landmarks, iod = draw_face()
    shut = retouch(Eyes(crop, landmarks, iod), crop, 1.0, (0.0, 0.0), 0.0)
    iris, sclera = shut[184:189, 198:203], shut[188:190, 185:190]
    assert iris.mean() > 120
    assert np.abs(sclera.astype(int).mean((0, 1)) - (205, 160, 140)).max() < 45
    outside = np.ones(crop.shape[:2], bool)
    for x0, y0, x1, y1 in Eyes(crop, landmarks, iod).boxes[:2]:
        outside[y0:y1, x0:x1] = False
    np.testing.assert_array_equal(shut[outside], crop[outside])
    np.testing.assert_array_equal(shut[155:165, 180:220], crop[155:165, 180:220])


def test_closure_is_monotonic(draw_face):
    crop, landmarks, iod = draw_face()
    eyes = Eyes(crop, landmarks, iod)
    dark = []
    for amount in (0.0, 0.3, 0.6, 1.0):
        photo = retouch(eyes, crop, amount, (0.0, 0.0), 0.0)
        dark.append(int((photo[178:200, 190:210].sum(-1) < 200).sum()))
    assert dark == sorted(dark, reverse=True)


@pytest.mark.parametrize("eyelids", [0.3, 0.6, 1.0])
def test_lid_flow_does_not_fold(draw_face, eyelids):
    eyes = Eyes(*draw_face())
    for _, field in eyes.flow(eyelids, (0.0, 0.0), 0.0):
        column = field[:, field.shape[1] // 2, 1]
        lid = column[: int(np.argmin(column)) + 1]
        assert (np.diff(lid) > -1.0).all()


@pytest.mark.parametrize("angle", [-5.0, 5.0])
def test_gaze_moves_the_iris_sideways(draw_face, angle):
    crop, landmarks, iod = draw_face()
    photo = retouch(Eyes(crop, landmarks, iod), crop, 0.0, (angle, 0.0), 0.0)

    def iris(picture):
        return np.nonzero(picture[190, 187:214].sum(-1) < 300)[0].mean()

    assert np.sign(iris(photo) - iris(crop)) == np.sign(angle)
    assert abs(iris(photo) - iris(crop)) > 1.0


@pytest.mark.parametrize("angle", [-5.0, 5.0])
def test_gaze_moves_iris_and_lid_up_and_down(draw_face, angle):
    crop, landmarks, iod = draw_face()
    photo = retouch(Eyes(crop, landmarks, iod), crop, 0.0, (0.0, angle), 0.0)

    def lid(picture):
        return np.nonzero(picture[170:190, 190].sum(-1) < 300)[0].mean()

    assert np.sign(lid(photo) - lid(crop)) == np.sign(angle)


@pytest.mark.parametrize("brows", [-1.0, 1.0])
def test_brows_move_and_hair_does_not(draw_face, brows):
    crop, landmarks, iod = draw_face()
    photo = retouch(Eyes(crop, landmarks, iod), crop, 0.0, (0.0, 0.0), brows)

    def height(picture):
        return np.nonzero(picture[140:175, 200].sum(-1) < 300)[0].mean()

    assert np.sign(height(crop) - height(photo)) == brows
    np.testing.assert_array_equal(photo[:82], crop[:82])
    np.testing.assert_array_equal(photo[186:], crop[186:])


def test_closed_eyes_are_left_alone(draw_face):
    crop, landmarks, iod = draw_face(openness=1.0)
    photo = retouch(Eyes(crop, landmarks, iod), crop, 1.0, (0.0, 0.0), 0.0)
    np.testing.assert_array_equal(photo, crop)


def test_glasses_stay_where_they_are(draw_face):
    crop, landmarks, iod = draw_face()
    for x in (200, 300):
        cv2.ellipse(crop, (x, 195), (40, 27), 0, 0, 360, (25, 25, 30), 4)
    cv2.line(crop, (240, 186), (260, 186), (25, 25, 30), 4)
    assert find_glasses(crop, landmarks, iod) is not None
    assert find_glasses(*draw_face()) is None
    photo = retouch(Eyes(crop, landmarks, iod), crop, 1.0, (0.0, 0.0), 1.0)
    frame = (crop.max(-1) < 35) & (np.abs(np.arange(crop.shape[0])[:, None] - 195) > 18)
    moved = np.abs(photo.astype(int) - crop).max(-1)
    assert moved[frame].max() <= 30
    assert photo[184:189, 198:203].mean() > 120, "still blinks"
