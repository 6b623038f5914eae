import pytest
import torch
from made_shards import write_shards
from made_talking_shards import write_talking_shards

from facevox.core.errors import DataError
from facevox.models.face.ttsf.sync_expert import tiny
from facevox.recipes.sync import SyncTask, load_sync_expert
from facevox.training.run import plan_run, start_run

QUICK = ["run.validate_steps=4", "run.log_steps=2", "run.threads=1", "run.checkpoint_steps=2"]


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return write_talking_shards(tmp_path_factory.mktemp("shards"))


def train(data, folder, *changes, resume=False):
    overrides = changes if resume else [*QUICK, *changes]
    preset = None if resume else "tiny"
    plan = plan_run(
        SyncTask, data=data, folder=folder, preset=preset, overrides=overrides, resume=resume
    )
    return start_run(plan)


def test_it_trains_goes_on_exactly_and_exports_the_expert(shards, tmp_path):
    end = train(shards, tmp_path / "run")
    assert set(end.results) == {"accuracy", "within_one", "matching"}
    assert 0 <= end.results["accuracy"] <= end.results["within_one"] <= 1
    path = tmp_path / "run" / "export" / "sync.safetensors"
    whole = load_sync_expert(path)
    assert whole.config == tiny()
    assert not any(p.requires_grad for p in whole.parameters())
    last = tmp_path / "run" / "checkpoints" / "step-000000004"
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    train(shards, tmp_path / "run", resume=True)
    again = load_sync_expert(path).state_dict()
    assert all(torch.equal(again[name], value) for name, value in whole.state_dict().items())


def test_shards_without_faces_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"no talking face of 8 pictures.*--faces"):
        train(write_shards(tmp_path / "shards"), tmp_path / "run")
