"""Close-ups: rest changes nothing, whole equals parts, pixels come from where the fields say."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_head import made_head

from facevox.core.checkpoint import save_checkpoint
from facevox.core.errors import CheckpointError
from facevox.core.motion import Motion
from facevox.core.portrait.reader import read_portrait
from facevox.models.face.lia.view import view_of
from facevox.models.face.ttsf.close_up import (
    CloseUp,
    CloseUpFields,
    compose,
    load_close_ups,
    second_share,
    tiny,
)
from facevox.models.face.ttsf.close_up_paste import CloseUps
from facevox.models.face.ttsf.close_up_regions import EYES, REGIONS
from facevox.models.face.ttsf.flow_renderer import FlowRenderer
from facevox.models.face.ttsf.scene_motion import features_of


def made_close_up(region, seed=0):
    torch.manual_seed(seed)
    network = CloseUp(tiny().model_copy(update={"region": region}))
    with torch.no_grad():
        network.out.weight.normal_(std=0.05)
        network.mean.normal_(std=0.05)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def portrait(astronaut):
    return read_portrait(astronaut)


def numbers_of(region, batch):
    columns = REGIONS[region].columns
    return torch.rand(batch, columns.stop - columns.start)


@pytest.mark.parametrize("region", ["mouth", "eyes"])
def test_rest_changes_nothing_whatever_the_network_learned(region):
    network, pictures = made_close_up(region), torch.rand(2, 2, 3, 16, 16) * 2 - 1
    fields = network(*pictures, torch.zeros_like(numbers_of(region, 2)))
    assert not fields.first.any()
    assert not second_share(fields.share).any()
    made = compose(fields, *pictures)
    assert torch.allclose(made, pictures[0], atol=1e-5)
    moved = network(*pictures, numbers_of(region, 2))
    assert moved.first.abs().max() > 0


def test_one_reading_serves_many_pictures():
    network, pictures = made_close_up("mouth"), torch.rand(2, 1, 3, 16, 16)
    numbers = numbers_of("mouth", 3)
    maps = network.read(*pictures)
    together = network.fields(maps, numbers)
    for row in range(3):
        alone = network.fields(maps, numbers[row : row + 1])
        assert torch.allclose(together.first[row], alone.first[0], atol=1e-6)
        assert torch.allclose(together.share[row], alone.share[0], atol=1e-5)


def test_pixels_come_from_where_the_fields_say():
    ramp = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    still = torch.zeros(1, 2, 8, 8)
    away = still.clone()
    away[:, 0] = 4 * 2 / 32  # four pixels to the right
    share, tint = torch.full((1, 1, 8, 8), -100.0), torch.zeros(1, 3, 8, 8)
    first = compose(
        CloseUpFields(first=away, second=still, share=share, tint=tint),
        ramp,
        torch.zeros_like(ramp),
    )
    assert torch.allclose(first[..., :-4], ramp[..., 4:], atol=1e-5)
    second = compose(
        CloseUpFields(first=away, second=still, share=-share, tint=tint + 0.5),
        torch.zeros_like(ramp),
        ramp,
    )
    assert torch.allclose(second, ramp + 0.5, atol=1e-5)


def test_a_left_eye_is_seen_in_a_mirror(astronaut):
    portrait, mirrored = read_portrait(astronaut), read_portrait(astronaut[:, ::-1].copy())
    windows = EYES.windows(portrait.landmarks, view_of(portrait.landmarks))
    others = EYES.windows(mirrored.landmarks, view_of(mirrored.landmarks))
    assert [window.mirrored for window in windows] == [False, True]
    for window, other in zip(windows, reversed(others), strict=True):
        assert np.allclose(window.place * [-1, 1, 1], other.place, atol=0.03)
    controls = torch.rand(1, 17)
    right, left = (EYES.numbers(controls, mirrored) for mirrored in (False, True))
    assert torch.equal(left * torch.tensor([1, -1, 1, 1, 1]), right)


@pytest.fixture(scope="module")
def renderer(portrait):
    networks = {name: made_close_up(name) for name in REGIONS}
    return FlowRenderer(made_head(), portrait, size=192, close_ups=networks)


def test_any_split_of_a_motion_gives_the_same_pictures(renderer):
    pose = np.zeros((5, 3), np.float32)
    pose[:, 0] = np.linspace(-4, 4, 5)
    motion = Motion.rest(5).with_channels(
        head_pose=pose, lip_gap=np.linspace(0, 0.2, 5), eyelids=np.linspace(0, 1, 5)
    )
    whole = list(renderer.frames(motion))
    parts = [*renderer.frames(motion[:2]), *renderer.frames(motion[2:])]
    assert len(whole) == 5
    for one, other in zip(whole, parts, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1


def test_at_rest_the_windows_move_as_the_generator_does(renderer):
    head, source = renderer._head, renderer.source
    features = features_of(head, source.parts.alpha, renderer.place, Motion.rest(1))
    made = next(renderer._animator.syntheses(features.f_m, features.f_lip, features.controls))
    close_ups, paste = renderer._close_up, renderer._paste
    line = np.arange(paste.side, dtype=np.float32)
    own = np.stack(np.meshgrid(line, line), -1)
    moved = ((made.flow[0].numpy() + 1) * paste.side - 1) / 2 - own
    wanted = paste.enlarged(moved @ paste._turn.T)
    for near in close_ups.near(close_ups.frames(made, features.controls)[0]):
        assert not near.share.any()
        assert near.weight.max() == 1
        away = np.abs(near.moved - wanted[near.place]).max(-1)
        assert away[near.weight > 0].max() < 0.05


def test_only_the_windows_change(renderer, portrait):
    plain = FlowRenderer(made_head(), portrait, size=192)
    motion = Motion.rest(1).with_channels(lip_gap=np.full(1, 0.2), eyelids=np.ones(1))
    one, other = (next(each.frames(motion)).astype(int) for each in (renderer, plain))
    changed = np.abs(one - other).max(-1) > 2
    assert 0 < changed.mean() < 0.25


def test_windows_beyond_the_border_of_the_photo_are_left_out(astronaut, portrait):
    corner = int(portrait.landmarks[33, 0])
    half = read_portrait(np.ascontiguousarray(astronaut[:, corner + 4 :]))
    networks = {name: made_close_up(name) for name in REGIONS}
    renderer = FlowRenderer(made_head(), half, close_ups=networks)
    pose = np.array([[0, 0, 0], [25, 8, 6], [-25, -8, -6]], np.float32)
    motion = Motion.rest(3).with_channels(head_pose=pose, lip_gap=np.full(3, 0.2))
    assert len(list(renderer.frames(motion))) == 3


def test_close_ups_are_found_by_their_region(tmp_path):
    assert load_close_ups(tmp_path) == {}
    for name in REGIONS:
        network = made_close_up(name)
        card = {"config": network.config.model_dump(mode="json")}
        save_checkpoint(tmp_path / f"close_up_{name}.safetensors", network.state_dict(), card)
    found = load_close_ups(tmp_path)
    assert list(found) == ["mouth", "eyes"]
    wanted = made_close_up("eyes").state_dict()
    assert all(torch.equal(found["eyes"].state_dict()[n], v) for n, v in wanted.items())
    (tmp_path / "close_up_eyes.json").write_text("{}")
    with pytest.raises(CheckpointError, match="does not fit"):
        load_close_ups(tmp_path)


@pytest.mark.parametrize("yaw", [-20.0, 0.0, 20.0])
def test_windows_are_found_whole_wherever_the_head_turns(renderer, yaw):
    pose = np.array([[yaw, 0, 0]], np.float32)
    motion = Motion.rest(1).with_channels(head_pose=pose)
    head, source = renderer._head, renderer.source
    features = features_of(head, source.parts.alpha, renderer.place, motion)
    made = next(renderer._animator.syntheses(features.f_m, features.f_lip, features.controls))
    close_ups = renderer._close_up
    for near in close_ups.near(close_ups.frames(made, features.controls)[0]):
        assert near.weight.max() == 1
        border = [near.weight[0], near.weight[-1], near.weight[:, 0], near.weight[:, -1]]
        assert np.concatenate(border).max() == 0


def test_close_ups_need_scales_without_lips(renderer, portrait):
    features = features_of(
        renderer._head, renderer.source.parts.alpha, renderer.place, Motion.rest(1)
    )
    made = next(renderer._animator.syntheses(features.f_m, features.f_lip, features.controls))
    with pytest.raises(ValueError, match="coarse scales that no lips reach"):
        CloseUps(
            {},
            {},
            renderer._paste,
            portrait.landmarks,
            view_of(portrait.landmarks),
            replace(made, coarse=None),
        )
