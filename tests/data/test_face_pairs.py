import numpy as np
import pytest
import torch
from made_faces import write_faces

from facevox.core.errors import DataError
from facevox.data.face_augmentation import mirrored_mouth, mirrored_others, shake
from facevox.data.face_pairs import ActedFaces
from facevox.data.pair_sampler import PairSampler, held_pairs
from facevox.data.portraits import HELD_OUT


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return write_faces(tmp_path_factory.mktemp("faces"))


def test_a_batch_is_as_its_generator_says(faces):
    sampler = PairSampler(faces, side=32)
    one, two, other = (sampler.draw(8, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert all(torch.equal(one[n].nan_to_num(), two[n].nan_to_num()) for n in one)
    assert not torch.equal(one["target"], other["target"])
    assert {name: tuple(value.shape) for name, value in one.items()} == {
        "source": (8, 3, 32, 32),
        "target": (8, 3, 32, 32),
        "driver": (8, 3, 32, 32),
        "mouth": (8, 9),
        "change": (8, 9),
        "known": (8, 9),
        "flow": (8, 16, 16, 2),
        "flow_known": (8,),
        "place": (8, 3),
        "person": (8,),
        "traits": (16, 5),
    }
    assert one["source"].abs().max() <= 1
    # two real rows: of GRID and of the smiles only the head pose is known
    assert one["known"].sum(1).tolist() == [9, 9, 9, 9, 9, 9, 3, 3]
    some = PairSampler(faces, side=32, drivers=3).draw(8, np.random.default_rng(3))
    assert torch.equal(some["driver"], one["driver"][5:])
    assert torch.equal(some["traits"][8:].isnan(), one["traits"][5:8].isnan())
    assert set(one["traits"].isnan().sum(1).tolist()) <= {0, 5}


def test_held_out_people_are_not_drawn(faces):
    held = {name for name in ActedFaces(faces / "acted", held=True).names}
    assert held == {min(HELD_OUT)}
    assert not held & set(ActedFaces(faces / "acted", held=False).names)
    batches = held_pairs(faces, 32)
    assert [len(batch["source"]) for batch in batches] == [3]
    assert torch.equal(batches[0]["source"][0], batches[0]["source"][2])


def test_smiling_and_neutral_are_one_person(faces):
    sampler = PairSampler(faces, side=64, real_share=0.0)
    assert sampler.description == (
        "3 photos of 2 people, moved; GRID s1 and pairs of neutral and smiling photos"
    )
    seen = {int(p) for p in sampler.draw(40, np.random.default_rng(0))["person"]}
    assert len(seen) == 2


def test_acted_people_alone_will_do(tmp_path):
    sampler = PairSampler(write_faces(tmp_path, real=False), side=64)
    assert bool((sampler.draw(4, np.random.default_rng(0))["known"] == 1).all())


def test_what_is_missing_is_said(tmp_path, faces):
    with pytest.raises(DataError, match=r"no acted portraits; make them with python -m"):
        PairSampler(tmp_path, side=32)
    with pytest.raises(DataError, match="64 px; a generator of 48 px needs a divisor"):
        PairSampler(faces, side=48)
    broken = write_faces(tmp_path / "broken")
    (broken / "acted" / "canada-003f.mouth.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match=r"canada-003f\.mouth\.npy cannot be read"):
        PairSampler(broken, side=32)


def test_a_mirror_twice_is_none():
    numbers = np.random.default_rng(0).standard_normal(9).astype(np.float32)
    assert np.allclose(mirrored_others(mirrored_others(numbers)), numbers)
    once = mirrored_mouth(numbers)
    assert np.array_equal(once[6:], numbers[6:])
    # both ways the displacement of the lips is the nearest one in the basis
    assert np.allclose(mirrored_mouth(mirrored_mouth(once)), once, atol=1e-3)


def test_flow_goes_with_the_pictures():
    """A shifted picture, shaken: the shaken flow still says where it came from."""
    from torch.nn import functional

    side = 128
    line = np.linspace(0, 12, side)
    source = np.uint8(127 + 60 * np.sin(line)[:, None, None] * np.ones((1, side, 3)))
    source = np.uint8(source * 0.5 + 60 + 60 * np.cos(1.3 * line)[None, :, None])
    target = np.roll(source, (-6, -4), (0, 1))
    flow = np.broadcast_to(np.array([4, 6], np.float32), (32, 32, 2))
    for seed in range(6):
        shaken = shake((source, target), flow, np.zeros(3, np.float32), np.random.default_rng(seed))
        assert shaken.flow is not None
        pictures = torch.from_numpy(shaken.pictures).permute(0, 3, 1, 2)
        first, second = (functional.avg_pool2d(p[None], 4) for p in pictures)
        centres = (torch.arange(32) + 0.5) / 16 - 1
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        place = torch.stack([x, y], -1) + torch.from_numpy(shaken.flow.copy()).float() * 2 / side
        moved = functional.grid_sample(first, place[None], align_corners=False)
        inside = (slice(None), slice(None), slice(6, -6), slice(6, -6))
        still = (first - second)[inside].abs().mean()
        assert (moved - second)[inside].abs().mean() < 0.2 * still


def test_photos_act_with_known_flow(astronaut_file):
    """Where the flow says, the photo at rest looks like the picture that moved."""
    import cv2

    from facevox.core.portrait.reader import read_portrait
    from facevox.data.acted_portraits import act

    mouths = np.zeros((1, 9), np.float32)
    acted = act(read_portrait(astronaut_file), mouths, 3, 64, np.random.default_rng(0))
    assert acted.flow.shape == (3, 2, 16, 16, 2)
    assert np.median(np.abs(acted.flow[0])) < 0.05
    rest = acted.frames[0, 0].astype(np.float32)
    line = (np.arange(16) + 0.5) * 4 - 0.5
    cells = np.stack(np.meshgrid(line, line), -1).astype(np.float32)

    def at(picture, place):
        small = cv2.blur(picture, (4, 4))
        return cv2.remap(small, place[..., 0], place[..., 1], cv2.INTER_LINEAR)

    for frame, flow in zip(acted.frames[1:, 0], acted.flow[1:, 0], strict=True):
        place = cells + flow.astype(np.float32)
        wanted = at(frame.astype(np.float32), cells)
        still, moved = (np.abs(at(rest, p) - wanted)[3:-3, 3:-3].mean() for p in (cells, place))
        assert moved < 0.7 * still
