from dataclasses import replace

import cv2
import numpy as np
import pytest

from facevox.core.errors import InputError, MissingPiece, NoFaceFound
from facevox.core.portrait import mediapipe_model, reader
from facevox.core.portrait.mediapipe_model import MediapipeModel
from facevox.core.portrait.reader import read_portrait


def enlarged(astronaut: np.ndarray, side: int = 900) -> np.ndarray:
    return cv2.resize(astronaut[:320, 60:380], (side, side), interpolation=cv2.INTER_CUBIC)


def cartoon(side: int = 500) -> np.ndarray:
    """A face drawn with ellipses."""
    middle, unit = side // 2, side / 100
    page = np.full((side, side, 3), 235, np.uint8)

    def draw(x, y, width, height, colour, thickness=-1, start=0, end=360):
        center, axes = (round(middle + x * unit), round(middle + y * unit)), (width, height)
        axes = tuple(round(axis * unit) for axis in axes)
        cv2.ellipse(page, center, axes, 0, start, end, colour, thickness)

    draw(0, 0, 25, 32, (245, 205, 170))
    draw(0, 0, 25, 32, (60, 40, 30), 3)
    draw(0, -17, 26, 20, (90, 50, 20), -1, 180, 360)
    for x in (-10, 10):
        draw(x, -2.5, 4.5, 2.8, (255, 255, 255))
        draw(x, -2.5, 4.5, 2.8, (30, 20, 20), 2)
        draw(x, -2.5, 2, 2, (60, 90, 140))
        draw(x, -2.5, 1, 1, (0, 0, 0))
        draw(x, -7.5, 5.5, 2, (70, 40, 20), 4, 180, 360)
    draw(0, 8, 2.5, 1.4, (170, 110, 90), 3, 0, 180)
    draw(0, 17, 8.3, 2.5, (190, 60, 70), -1, 0, 180)
    draw(0, 17, 8.3, 1.7, (200, 80, 90), -1, 180, 360)
    return page


def test_a_portrait_of_the_astronaut(astronaut, portrait):
    assert np.array_equal(portrait.pixels, astronaut)
    assert portrait.landmarks.shape == (478, 3)
    assert portrait.iod == pytest.approx(43, abs=2)
    assert portrait.head_pose == pytest.approx((0, 5, 3.5), abs=6)
    assert (portrait.face_index, portrait.face_count) == (0, 1)
    assert portrait.warnings == ()
    assert read_portrait(portrait) is portrait


def test_a_blurred_face_is_warned_about(astronaut):
    blurred = cv2.GaussianBlur(enlarged(astronaut), (0, 0), 8)
    assert any("blurred" in warning for warning in read_portrait(blurred).warnings)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_lying_photo_is_put_upright(astronaut, portrait, turns):
    upright = read_portrait(np.ascontiguousarray(np.rot90(astronaut, turns)))
    assert np.array_equal(upright.pixels, astronaut)
    error = np.linalg.norm((upright.landmarks - portrait.landmarks)[:, :2], axis=1)
    assert error.max() < 0.02 * portrait.iod
    assert any("was turned" in warning for warning in upright.warnings)


def test_several_faces(astronaut):
    small = cv2.resize(astronaut, (400, 400), interpolation=cv2.INTER_AREA)
    scene = np.full((512, 1000, 3), 200, np.uint8)
    scene[100:500, 20:420], scene[:, 450:962] = small, astronaut
    largest = read_portrait(scene)
    assert (largest.face_index, largest.face_count) == (0, 2)
    assert largest.face_box[0] > 450
    assert "2 faces" in largest.warnings[0]
    other = read_portrait(scene, face=1)
    assert other.face_box[2] < 420
    assert not any("faces" in warning for warning in other.warnings)
    for face in (2, -1):
        with pytest.raises(InputError, match=r"faces 0 \(the largest\) to 1"):
            read_portrait(scene, face=face)
    boxed = read_portrait(scene, box=(20, 100, 420, 500))
    assert np.allclose(boxed.landmarks, other.landmarks, atol=1.5)
    assert boxed.face_count == 1


def test_a_loose_and_a_tight_box_find_the_same_face(astronaut, portrait):
    x0, y0, x1, y1 = portrait.face_box
    for grow in (-0.15, 0, 0.3, 1):
        margin = grow * (x1 - x0)
        box = (x0 - margin, y0 - margin, x1 + margin, y1 + margin)
        error = (read_portrait(astronaut, box=box).landmarks - portrait.landmarks)[:, :2]
        assert np.linalg.norm(error, axis=1).mean() < 0.03 * portrait.iod


@pytest.mark.parametrize(
    "box",
    [
        (100.0, 100.0, 50.0, 150.0),
        (600.0, 0.0, 700.0, 90.0),
        (-50.0, -50.0, -1.0, -1.0),
        (0.0, 0.0, 10.0, 10.0),
        (float("nan"), 0.0, 100.0, 100.0),
    ],
)
def test_impossible_boxes(astronaut, box):
    with pytest.raises(InputError, match="box"):
        read_portrait(astronaut, box=box)


def test_a_box_without_a_face(astronaut):
    with pytest.raises(NoFaceFound, match="box"):
        read_portrait(astronaut, box=(380, 10, 500, 200))


@pytest.mark.parametrize("side", [160, 640])
def test_no_face_in_black_or_noise(side):
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    soft = cv2.resize(noise[: side // 20, : side // 20], (side, side))
    for pixels in (noise, soft, np.zeros_like(noise)):
        with pytest.raises(NoFaceFound, match="whole face is visible"):
            read_portrait(pixels)


def test_a_small_face_in_a_large_picture(astronaut, portrait):
    scene = np.full((1080, 1920, 3), 90, np.uint8)
    scale = 22 / portrait.iod
    small = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scene[500 : 500 + small.shape[0], 1200 : 1200 + small.shape[1]] = small
    found = read_portrait(scene)
    error = found.landmarks[:, :2] - (portrait.landmarks[:, :2] * scale + [1200, 500])
    assert np.linalg.norm(error, axis=1).mean() < 0.08 * found.iod
    assert any("small" in warning for warning in found.warnings)


def test_a_drawn_face(astronaut):
    drawn = read_portrait(cartoon())
    assert drawn.landmarks[468, :2] == pytest.approx((200, 238), abs=8)
    assert drawn.landmarks[473, :2] == pytest.approx((300, 238), abs=8)
    assert drawn.landmarks[13, 1] == pytest.approx(335, abs=10)


def test_grey_and_framed_photos(astronaut, portrait):
    grey = read_portrait(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY))
    assert np.allclose(grey.landmarks[:, :2], portrait.landmarks[:, :2], atol=3)
    cut = astronaut[60:190, 165:285]  # the face fills the picture
    error = read_portrait(cut.copy()).landmarks[:, :2] + [165, 60] - portrait.landmarks[:, :2]
    assert np.linalg.norm(error, axis=1).mean() < 0.06 * portrait.iod


@pytest.mark.parametrize(("yaw", "refused"), [(61, True), (-75, True), (59, False)])
def test_side_faces_are_refused(astronaut, monkeypatch, yaw, refused):
    monkeypatch.setattr(reader, "estimate_head_pose", lambda landmarks: (float(yaw), 0.0, 0.0))
    if refused:
        with pytest.raises(InputError, match="to the side"):
            read_portrait(astronaut)
    else:
        assert any("to the side" in warning for warning in read_portrait(astronaut).warnings)


def test_a_missing_and_a_damaged_model(monkeypatch, tmp_path):
    monkeypatch.setattr(mediapipe_model, "FOLDER", tmp_path)
    with pytest.raises(MissingPiece, match="pip install"):
        MediapipeModel("face_detection_short_range")(np.zeros((128, 128, 3), np.float32))
    (tmp_path / "broken.tflite").write_bytes(b"\0" * 1000)
    with pytest.raises(MissingPiece, match="damaged"):
        MediapipeModel("broken")(np.zeros((128, 128, 3), np.float32))


def test_portraits_are_values(portrait):
    assert replace(portrait, face_count=3).iod == portrait.iod
