import numpy as np
import pytest
import torch

from facevox.core.errors import DataError
from facevox.data.pair_sampler import PairSampler
from facevox.data.portraits import HELD_OUT, LabelledPortrait
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.lia.mean_flow import EYES, MOUTH
from facevox.models.face.ttsf.talking_head import tiny
from facevox.recipes.acted_portraits import render_portraits
from facevox.recipes.mean_flow import fit_mean_flow
from facevox.recipes.warm_up_network import fill_mean_flow

LIP_GAP = 6


@pytest.fixture(scope="module")
def mouths():
    pool = np.zeros((8, 9), np.float32)
    pool[:, LIP_GAP] = np.linspace(0, 0.3, 8)
    return pool


def photo(path, person="canada-001"):
    return LabelledPortrait(path=path, person=person, source="canada", female=True, age=30.0)


def test_photos_are_moved_once_and_can_be_learnt_from(astronaut_file, mouths, tmp_path):
    said = []
    rows = [photo(astronaut_file), photo(tmp_path / "nothing.jpg", "canada-002")]
    folder = tmp_path / "acted"
    folder.mkdir()
    for _ in range(2):
        render_portraits(rows, mouths, folder, 2, said.append)
    assert said[0] == "canada-001 (1 of 2)"
    assert [line.partition(":")[0] for line in said[1:]] == ["canada-002 is left out"] * 2
    batch = PairSampler(tmp_path, side=64).draw(2, np.random.default_rng(0))
    assert batch["target"].shape == (2, 3, 64, 64)


def test_the_mean_flow_moves_the_mouth_and_nothing_far_from_it(astronaut_file, mouths):
    held = photo(astronaut_file, min(HELD_OUT))
    fields = fit_mean_flow([held, photo(astronaut_file)], mouths, lambda _: None)
    assert fields.shape == (MOUTH + EYES, 2, 64, 64)
    gap = np.abs(fields[LIP_GAP]).sum(0)
    row, column = np.unravel_index(int(gap.argmax()), gap.shape)
    assert 36 <= row <= 60
    assert 22 <= column <= 42
    assert gap[:8].max() < 0.1 * gap.max()


def test_fields_that_do_not_fit_are_refused(tmp_path):
    torch.manual_seed(0)
    generator = FaceGenerator(tiny().generator)
    path = tmp_path / "mean_flow.npy"
    np.save(path, np.ones((MOUTH + EYES, 2, 64, 64), np.float32))
    fill_mean_flow(generator, path)
    fields = generator.synthesis.mean_flow.fields
    assert bool((fields[:, :2] == 1).all())
    assert bool((fields[:, 2:] == 0).all())
    np.save(path, np.ones((3, 2, 64, 64), np.float32))
    with pytest.raises(DataError, match=r"has the shape \[3, 2, 64, 64\], expected \[14, "):
        fill_mean_flow(generator, path)
    path.write_bytes(b"no array")
    with pytest.raises(DataError, match="cannot be read"):
        fill_mean_flow(generator, path)
