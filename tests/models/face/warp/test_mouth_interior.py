import numpy as np
import pytest

from facevox.models.face.warp.linear_light import luminance, to_light, to_srgb
from facevox.models.face.warp.mouth_interior import MouthInterior, estimate_yaw
from facevox.models.face.warp.teeth import LOWER, UPPER, draw_teeth

IOD = 100.0
BOX = (190, 250, 310, 350)


def lips(gap=30.0):
    x = np.linspace(205, 295, 11)
    bow = 1 - ((x - 250) / 45) ** 2
    upper = np.stack([x, 290 - 2 * bow], -1).astype(np.float32)
    lower = np.stack([x, 290 + (gap - 2) * bow], -1).astype(np.float32)
    return upper, lower


def draw(interior, gap=30.0, **changes):
    motion = {
        "jaw_drop": 0.1,
        "tongue": 0.0,
        "lip_roll": 0.0,
        "head_shift": (0.0, 0.0),
        "lip_gap": gap / IOD,
    }
    return interior.draw(BOX, *lips(gap), **(motion | changes))


def test_linear_light_round_trip():
    codes = np.arange(256, dtype=np.uint8)
    again = to_srgb(to_light(codes))
    assert np.abs(again.astype(int) - codes).max() <= 1
    assert to_light(codes)[255] == 1.0
    assert float(luminance(np.ones(3, np.float32))) == pytest.approx(1.0)


@pytest.mark.parametrize("row", [UPPER, LOWER])
def test_teeth_are_symmetric_but_for_irregularities(row):
    picture = draw_teeth(row, scale=200.0, yaw=0.0, seed=1)
    middle = round(picture.origin[0])
    left, right = picture.alpha[:, :middle], picture.alpha[:, middle : 2 * middle][:, ::-1]
    assert np.abs(left - right).mean() < 0.03
    again = draw_teeth(row, scale=200.0, yaw=0.0, seed=1)
    np.testing.assert_array_equal(picture.light, again.light)
    other = draw_teeth(row, scale=200.0, yaw=0.0, seed=2)
    assert np.abs(picture.light - other.light).max() > 0.05


def test_interior_is_deterministic_and_bright_only_at_the_teeth(draw_face):
    face = draw_face()
    first = draw(MouthInterior(*face))
    np.testing.assert_array_equal(first, draw(MouthInterior(*face)))
    column = first[:, 60 - 10].astype(int).sum(-1)
    teeth, depth = column[40:46].max(), column[40:66].min()
    assert teeth > 2 * depth
    assert depth > 20


def test_upper_teeth_follow_the_skull_and_the_lower_the_jaw(draw_face):
    interior = MouthInterior(*draw_face())
    still = draw(interior).astype(np.float32)
    moved = draw(interior, head_shift=(4.0, 0.0)).astype(np.float32)
    rows = slice(40, 44)
    same = np.abs(moved[rows, 34:90] - still[rows, 30:86]).mean()
    assert same < np.abs(moved[rows, 34:90] - still[rows, 34:90]).mean()


def test_a_raised_tongue_fills_the_opening(draw_face):
    interior = MouthInterior(*draw_face())
    low, high = (draw(interior, tongue=value)[46:52, 50:70].mean((0, 1)) for value in (0.0, 1.0))
    assert high[0] > low[0] + 4
    assert high[0] > high[2] + 10


def test_teeth_follow_the_light_of_the_photo(draw_face):
    levels = []
    for gain in (1.0, 0.5):
        crop, landmarks, iod = draw_face(gain=gain)
        levels.append(draw(MouthInterior(crop, landmarks, iod))[42:46, 40:80].mean())
    assert levels[1] < 0.8 * levels[0]
    grey = draw_face(grey=True)
    chroma = np.ptp(draw(MouthInterior(*grey)).astype(int), axis=-1)
    assert chroma.max() <= 12


def test_yaw_is_read_from_the_nose(draw_face):
    _, landmarks, _ = draw_face()
    assert abs(estimate_yaw(landmarks)) < 0.5
    turned = landmarks.copy()
    turned[1, 0] += 10
    assert estimate_yaw(turned) > 4


def smile(draw_face):
    crop, landmarks, iod = draw_face(gap=16.0)
    for x in range(212, 288, 13):
        crop[287:296, x : x + 12] = (230, 225, 190)
    return crop, landmarks, iod


def test_own_teeth_are_found_and_kept_when_the_mouth_opens_further(draw_face):
    crop, landmarks, iod = smile(draw_face)
    interior = MouthInterior(crop, landmarks, iod)
    assert interior.has_own_teeth
    assert not MouthInterior(*draw_face()).has_own_teeth
    wide = draw(interior, gap=40.0, jaw_drop=0.2)
    tooth = wide[291 - 250, 66].astype(int)
    assert tooth.min() > 110
    assert wide[304 - 250, 66].astype(int).mean() < 0.6 * tooth.mean()
    assert tooth[1] > tooth[2] + 15, "yellow teeth stay yellow"


def test_the_tongue_comes_between_the_teeth_where_there_is_little_room(draw_face):
    interior = MouthInterior(*draw_face())
    behind, between = (
        draw(interior, gap=10.0, jaw_drop=0.03, tongue=value)[40:47, 56:64].astype(float)
        for value in (0.6, 1.0)
    )
    redness = [(patch[..., 0] - patch[..., 1]).mean() for patch in (behind, between)]
    assert redness[1] > redness[0] + 5
