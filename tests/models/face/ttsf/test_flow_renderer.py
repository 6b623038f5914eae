"""Rendering by the flow generator: any split, any size, paint without a cast."""

import numpy as np
import pytest
from made_head import made_head

from facevox.core.errors import InputError
from facevox.core.motion import Motion
from facevox.core.portrait.reader import read_portrait
from facevox.models.face.ttsf.flow_renderer import FlowRenderer, in_the_photos_colours


@pytest.fixture(scope="module")
def portrait(astronaut):
    return read_portrait(astronaut)


def nodding(frames):
    pose = np.zeros((frames, 3), np.float32)
    pose[:, 1] = np.linspace(-3, 3, frames)
    return Motion.rest(frames).with_channels(head_pose=pose, lip_gap=np.linspace(0, 0.2, frames))


def test_any_split_of_a_motion_gives_the_same_pictures(portrait):
    renderer, motion = FlowRenderer(made_head(), portrait, size=128), nodding(5)
    whole = list(renderer.frames(motion))
    parts = [*renderer.frames(motion[:2]), *renderer.frames(motion[2:])]
    assert len(whole) == 5
    for one, other in zip(whole, parts, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
    assert not np.array_equal(whole[0], whole[-1])


def test_the_size_is_kept_and_impossible_ones_are_refused(portrait):
    frame = next(FlowRenderer(made_head(), portrait, size=96).frames(Motion.rest(1)))
    assert frame.shape == (96, 96, 3)
    with pytest.raises(InputError, match="size must be"):
        FlowRenderer(made_head(), portrait, size=10)


def test_a_cast_of_the_paint_is_taken_away_and_its_detail_kept():
    generator = np.random.default_rng(0)
    photo = np.full((64, 64, 3), 0.2, np.float32)
    detail = 0.1 * generator.standard_normal((64, 64, 1)).astype(np.float32)
    painted = photo + detail + np.array([0.3, -0.2, 0.1], np.float32)
    mask = np.ones((64, 64), np.float32)
    mask[28:34, 28:34] = 0.0
    picture = photo * mask[..., None] + painted * (1 - mask[..., None])
    hole = in_the_photos_colours(painted, picture, mask)[28:34, 28:34]
    wanted = (photo + detail)[28:34, 28:34]
    assert np.abs(hole.mean((0, 1)) - wanted.mean((0, 1))).max() < 0.06
    assert np.corrcoef(hole[..., 0].ravel(), detail[28:34, 28:34, 0].ravel())[0, 1] > 0.95
