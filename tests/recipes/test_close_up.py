"""The close-up: pictures of the NASA portrait, one run, and what it refuses."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut as nasa

from facevox.core.errors import DataError
from facevox.core.portrait.reader import read_portrait
from facevox.data.close_ups import CloseUpSampler, film_close_ups, write_close_up
from facevox.models.face.ttsf.close_up import CloseUpFields, compose, load_close_ups
from facevox.models.face.ttsf.close_up_regions import REGIONS
from facevox.models.face.ttsf.codes import MOUTH_NUMBERS, OTHER_NUMBERS
from facevox.recipes.close_up import CloseUpTask
from facevox.recipes.close_up_pictures import draw_mouths
from facevox.training.run import plan_run, start_run

HELD = "london-021"  # one of the people kept from training


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder, portrait = tmp_path_factory.mktemp("windows"), read_portrait(nasa())
    generator = np.random.default_rng(0)
    mouth = np.zeros((3, MOUTH_NUMBERS), np.float32)
    mouth[:, 0], mouth[:, 6] = generator.random(3), (0.05, 0.15, 0.25)
    others = np.zeros((3, OTHER_NUMBERS), np.float32)
    others[:, 4], others[:, 5], others[:, 7] = (0.1, 0.2, 0.3), (5, -5, 0), (1, 1, -1)
    for region in REGIONS.values():
        moved = (mouth, 0 * others) if region.name == "mouth" else (0 * mouth, others)
        for number, window in enumerate(film_close_ups(region, portrait, *moved)):
            for name in ("nasa", HELD):
                write_close_up(folder / f"{name}.{region.name}{number}.npz", window)
    return folder


def train(folder, out, *changes):
    quick = ["run.validate_steps=2", "run.log_steps=2", "run.threads=1", *changes]
    plan = plan_run(CloseUpTask, data=folder, folder=out, preset="tiny", overrides=quick)
    return start_run(plan)


def test_the_known_flow_explains_what_the_photo_shows(folder):
    batch = CloseUpSampler(folder, "eyes", side=64).of_each(3)
    still = torch.zeros_like(batch["flow"])
    share, tint = torch.full_like(still[:, :1], -100.0), torch.zeros(len(still), 3, 48, 48)
    fields = CloseUpFields(first=batch["flow"], second=still, share=share, tint=tint)
    moved = compose(fields, batch["first"], batch["second"])
    # what opens or shuts is not in the photo, so some pixels stay wrong
    wrong, left = (
        ((picture - batch["target"]).abs().mean(1) > 0.1).float().mean()
        for picture in (moved, batch["first"])
    )
    assert wrong < 0.75 * left


def test_batches_are_a_function_of_the_seed(folder):
    sampler = CloseUpSampler(folder, "mouth", side=32)
    one, again, other = (sampler.draw(4, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(value, again[name]) for name, value in one.items())
    assert not torch.equal(one["target"], other["target"])


@pytest.mark.parametrize("region", ["mouth", "eyes"])
def test_it_trains_and_the_export_is_found(folder, tmp_path, region):
    end = train(folder, tmp_path / "run", f"model.region={region}")
    assert end.step == 4
    assert set(end.results) == {"picture", "copied", "flow"}
    found = load_close_ups(tmp_path / "run" / "export")
    assert list(found) == [region]


def test_half_of_the_mouths_are_open():
    pool = np.zeros((50, MOUTH_NUMBERS), np.float32)
    pool[:5, 6] = 0.2
    drawn = draw_mouths(pool, 10, np.random.default_rng(0))
    assert (drawn[1::2, 6] > 0.12).all()


def test_bad_folders_are_refused(folder, tmp_path):
    with pytest.raises(DataError, match="holds no close-ups of eyes; make them"):
        CloseUpSampler(tmp_path, "eyes", side=16)
    (tmp_path / "a.eyes0.npz").write_bytes((folder / "nasa.mouth0.npz").read_bytes())
    with pytest.raises(DataError, match="9 numbers, expected 5"):
        CloseUpSampler(tmp_path, "eyes", side=16)
    (tmp_path / "a.eyes0.npz").write_bytes(b"no")
    with pytest.raises(DataError, match="cannot be read"):
        CloseUpSampler(tmp_path, "eyes", side=16)
