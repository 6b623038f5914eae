"""The bundle: what was learnt in numbers does the same in features."""

import numpy as np
import pytest
import torch

from facevox.core.checkpoint import load_card, save_checkpoint
from facevox.core.errors import CheckpointError, InputError
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.ttsf.audio_mapper import AudioMapper
from facevox.models.face.ttsf.codes import MotionCode, MouthCode
from facevox.models.face.ttsf.motion_sampler import MotionSampler
from facevox.models.face.ttsf.talking_head import NUM_SEEN, TalkingHead, tiny
from facevox.recipes.head_parts import PARTS, copy_parts
from facevox.recipes.ttsf_bundle import bundle, write_bundle

MOUTH_SCALE = torch.tensor([1.0] * 6 + [10.0, 0.6, 0.6])
MOTION_SCALE = torch.tensor([4.0, 4, 4, 1, 1, 2, 2, 2, 1])


def write_numbered(folder, name, network, **card):
    folder.mkdir(exist_ok=True)
    card = {"config": network.config.model_dump(mode="json"), "licence": "Apache-2.0", **card}
    save_checkpoint(folder / f"{name}.safetensors", network.state_dict(), card)
    return folder


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Random parts on disk, and the two networks of numbers."""
    torch.manual_seed(0)
    folder, config = tmp_path_factory.mktemp("parts"), tiny()
    sizes = config.generator
    modules = (
        FaceGenerator(sizes),
        MouthCode(sizes.style_dim),
        MotionCode(sizes.motion_dim),
        torch.nn.Linear(sizes.style_dim, NUM_SEEN),
    )
    head = folder / "head"
    head.mkdir()
    for name, module in zip(PARTS, modules, strict=True):
        card = {"config": sizes.model_dump(mode="json"), "data": "noise", "hours": 1.5}
        save_checkpoint(head / f"{name}.safetensors", module.state_dict(), card)
    mapper = AudioMapper(config.mapper.model_copy(update={"out_dim": 9})).eval()
    numbers = {"style_dim": 9, "motion_dim": 9}
    sampler = MotionSampler(config.sampler.model_copy(update=numbers)).eval()
    with torch.no_grad():
        for network in (mapper, sampler):
            for parameter in network.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        sampler.normaliser.mean += 0.3
    write_numbered(
        folder / "lips", "lips", mapper, scale=MOUTH_SCALE.tolist(), data="sound", hours=0.25
    )
    scales = {"scale": MOTION_SCALE.tolist(), "lips_scale": MOUTH_SCALE.tolist()}
    write_numbered(folder / "motion", "motion_sampler", sampler, **scales, data="sound")
    return folder, mapper, sampler


@pytest.fixture(scope="module")
def whole(parts):
    return bundle(*(parts[0] / name for name in ("head", "lips", "motion")))


def spoken(mapper, frames=7):
    torch.manual_seed(1)
    return torch.randn(1, 4 * frames, mapper.config.in_channels)


def test_lips_read_as_the_numbers_they_were_learnt_in(parts, whole):
    _, mapper, _ = parts
    inputs = spoken(mapper)
    mask = torch.ones(inputs.shape[:2], dtype=torch.bool)
    numbers = mapper(inputs, mask) / MOUTH_SCALE
    assert torch.allclose(whole.mouth.read(whole.mapper(inputs, mask)), numbers, atol=1e-4)


def test_the_same_motion_is_drawn(parts, whole):
    _, _, sampler = parts
    torch.manual_seed(2)
    mouth = torch.randn(2, 40, 9) * whole.mouth.units
    first = torch.randn(2, 9) * whole.motion.units
    wanted = sampler.sample(
        first / whole.motion.units * MOTION_SCALE, mouth * MOUTH_SCALE, [3, 4], torch.eye(9)
    )
    directions = whole.generator.extractor.dictionary.directions()
    drawn = whole.sampler.sample(
        whole.motion(first) @ directions.T, whole.mouth(mouth), [3, 4], directions
    )
    read = whole.motion.read(drawn @ directions) / whole.motion.units * MOTION_SCALE
    assert torch.allclose(read, wanted, atol=1e-3)
    assert wanted.std() > 0.05


def test_what_is_written_loads_and_tells_where_it_is_from(parts, whole, tmp_path):
    folder, said = parts[0], []
    path = write_bundle(folder / "head", folder / "lips", folder / "motion", tmp_path, said.append)
    found = TalkingHead.load(path).state_dict()
    for name, value in whole.state_dict().items():
        assert torch.allclose(found[name].float(), value.float(), rtol=1e-3, atol=1e-3), name
    card = load_card(path)
    assert card["data"] == "noise; sound"
    assert card["licence"] == "Apache-2.0"
    assert card["hours"] == 1.75
    assert set(card["parts"]) == {"generator", "lips", "motion_sampler"}
    assert len(said) == 1


def test_leftover_is_taken_if_it_is_there(parts, whole, tmp_path):
    folder = parts[0]
    assert not whole.leftover.any()
    head = tmp_path / "head"
    copy_parts(folder / "head", head, new=())
    leftover = np.full(tuple(whole.leftover.shape), 0.5, np.float32)
    save_checkpoint(head / "leftover.safetensors", {"leftover": leftover}, {})
    assert bool((bundle(head, folder / "lips", folder / "motion").leftover == 0.5).all())


def test_bad_parts_are_refused(parts, tmp_path):
    folder, mapper, _ = parts
    head, motion = folder / "head", folder / "motion"
    with pytest.raises(CheckpointError, match=r"Cannot read the card .*lips\.json"):
        bundle(head, tmp_path, motion)
    wide = AudioMapper(tiny().mapper)
    write_numbered(tmp_path, "lips", wide, scale=MOUTH_SCALE.tolist())
    with pytest.raises(CheckpointError, match=r"must speak in numbers, \{'out_dim': 9\}; its card"):
        bundle(head, tmp_path, motion)
    write_numbered(tmp_path, "lips", mapper)
    with pytest.raises(CheckpointError, match="has no list 'scale'"):
        bundle(head, tmp_path, motion)
    write_numbered(tmp_path, "lips", mapper, scale=[1.0, 0.0])
    with pytest.raises(CheckpointError, match="must be 9 factors that are not 0"):
        bundle(head, tmp_path, motion)


def test_parts_are_copied_to_another_folder_only(parts, tmp_path):
    head = parts[0] / "head"
    copy_parts(head, tmp_path / "out", new=("seen",))
    names = {path.stem for path in (tmp_path / "out").glob("*.safetensors")}
    assert names == {"generator", "mouth", "motion"}
    assert (tmp_path / "out" / "mouth.json").read_bytes() == (head / "mouth.json").read_bytes()
    with pytest.raises(InputError, match="is the folder of the head itself"):
        copy_parts(head, head, new=())
    with pytest.raises(CheckpointError, match=r"holds no generator\.safetensors"):
        copy_parts(tmp_path, tmp_path / "other", new=())
