import dataclasses
import itertools

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from facevox.core.errors import InputError
from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.core.portrait.reader import read_portrait
from facevox.models.face.warp.renderer import WarpRenderer
from facevox.models.face.warp.stage import output_size


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return read_portrait(astronaut())


@pytest.fixture(scope="module")
def renderer(portrait: Portrait) -> WarpRenderer:
    return WarpRenderer(portrait, size=256)


def speaking(frames: int = 6) -> Motion:
    rng = np.random.default_rng(1)
    still = Motion.rest(frames)
    return still.with_channels(
        mouth=0.5 * rng.normal(size=(frames, 6)),
        lip_gap=np.abs(0.1 * rng.normal(size=frames)),
        head_pose=3 * rng.normal(size=(frames, 3)),
        eyelids=np.linspace(0, 1, frames),
        gaze=4 * rng.normal(size=(frames, 2)),
        brows=0.4 * rng.normal(size=frames),
        breath=np.linspace(0, 1, frames),
        smile=0.4 * rng.normal(size=frames),
        lip_roll=np.linspace(0, 1, frames),
        tongue=np.linspace(0, 1, frames),
    )


def pose(**channels: object) -> Motion:
    return Motion.rest(1).with_channels(
        **{name: np.array([value]) for name, value in channels.items()}
    )


@pytest.mark.parametrize(
    ("width", "height", "size", "expected"),
    [
        (512, 512, None, (512, 512)),
        (513, 701, None, (512, 700)),
        (1000, 500, 300, (300, 150)),
        (200, 100, 1000, (400, 200)),
        (9000, 6000, None, (4096, 2730)),
        (3000, 1, 512, (512, 2)),
    ],
)
def test_output_size_is_even_and_bounded(width, height, size, expected) -> None:
    assert output_size(width, height, size) == expected


@pytest.mark.parametrize("size", [0, 63, 5000, -1])
def test_a_silly_size_is_refused(portrait: Portrait, size: int) -> None:
    with pytest.raises(InputError, match="size must be between"):
        WarpRenderer(portrait, size=size)


def test_frames_have_the_promised_shape_and_do_not_depend_on_how_motion_is_split(
    renderer: WarpRenderer,
) -> None:
    motion = speaking()
    whole = list(renderer.frames(motion))
    pieces = itertools.chain(*(renderer.frames(motion[i : i + 2]) for i in range(0, 6, 2)))
    assert len(whole) == 6
    for frame, piece in zip(whole, pieces, strict=True):
        assert frame.shape == (renderer.height, renderer.width, 3)
        assert frame.dtype == np.uint8
        assert np.array_equal(frame, piece)
    backwards = [next(iter(renderer.frames(motion[i : i + 1]))) for i in reversed(range(6))]
    assert all(np.array_equal(a, b) for a, b in zip(whole, reversed(backwards), strict=True))


def test_frames_are_fresh_arrays(renderer: WarpRenderer) -> None:
    first, second = renderer.frames(Motion.rest(2))
    first[:] = 0
    assert second.any()


def test_only_the_lower_face_changes_while_only_the_mouth_speaks(
    portrait: Portrait, renderer: WarpRenderer
) -> None:
    rest = next(renderer.frames(Motion.rest(1)))
    motion = pose(lip_gap=0.2).with_channels(mouth=np.array([[1.5, 0, 0, 0, 0, 0]]))
    moved = np.abs(next(renderer.frames(motion)).astype(int) - rest).sum(-1)
    scale = 256 / max(portrait.pixels.shape[:2])
    eyes = int(portrait.landmarks[[468, 473], 1].mean() * scale)
    assert moved[:eyes].max() == 0
    assert moved.max() > 60


def test_every_channel_shows(renderer: WarpRenderer) -> None:
    rest = next(renderer.frames(Motion.rest(1))).astype(int)
    for motion in (
        pose(lip_gap=0.15),
        pose(smile=1.0),
        pose(smile=-1.0),
        pose(head_pose=(5, 0, 0)),
        pose(head_pose=(0, 5, 0)),
        pose(head_pose=(0, 0, 5)),
        pose(breath=1.0),
        pose(eyelids=1.0),
        pose(gaze=(8, 0)),
        pose(brows=1.0),
    ):
        assert np.abs(next(renderer.frames(motion)) - rest).max() > 15


def test_turns_go_the_promised_way(portrait: Portrait) -> None:
    renderer = WarpRenderer(portrait, size=512)
    rest = read_portrait(next(renderer.frames(Motion.rest(1)))).landmarks
    for angles, axis in (((6, 0, 0), 0), ((0, 6, 0), 1)):
        face = read_portrait(next(renderer.frames(pose(head_pose=angles)))).landmarks
        assert face[1, axis] - rest[1, axis] > 3
    tilted = read_portrait(next(renderer.frames(pose(head_pose=(0, 0, 5))))).landmarks
    assert tilted[10, 0] - rest[10, 0] > 5


def test_a_face_cut_by_the_border_and_a_tiny_one_are_rendered(portrait: Portrait) -> None:
    x0, y0, x1, y1 = (int(value) for value in portrait.face_box)
    close = np.ascontiguousarray(astronaut()[y0 : y1 - 6, x0 + 8 : x1])
    landmarks = portrait.landmarks - np.array([x0 + 8, y0, 0], np.float32)
    cut = Portrait(
        pixels=close,
        face_box=(0.0, 0.0, 9.0, 9.0),
        landmarks=landmarks,
        head_pose=portrait.head_pose,
    )
    tiny = cv2.resize(astronaut(), (128, 128), interpolation=cv2.INTER_AREA)
    small = Portrait(
        pixels=tiny,
        face_box=portrait.face_box,
        landmarks=portrait.landmarks / 4,
        head_pose=portrait.head_pose,
    )
    for case in (cut, small):
        frames = list(WarpRenderer(case).frames(speaking(3)))
        assert len(frames) == 3
        assert all(frame.std() > 5 for frame in frames)


@pytest.mark.parametrize("shift", [(-400, 0), (0, -420), (300, 0), (0, 300)])
def test_a_face_beyond_the_border_does_no_harm(portrait: Portrait, shift) -> None:
    moved = dataclasses.replace(
        portrait, landmarks=portrait.landmarks + np.array([*shift, 0], np.float32)
    )
    frame = next(WarpRenderer(moved).frames(speaking(1)))
    assert frame.shape == portrait.pixels.shape
