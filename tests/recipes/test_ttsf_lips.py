import json

import numpy as np
import pytest
import torch
from made_spoken import made_utterance, write_spoken

from facevox.core.checkpoint import load_card
from facevox.core.errors import CheckpointError, ConfigError, DataError
from facevox.data.spoken_mouths import FILMED, PLAN, utterance_path
from facevox.models.face.ttsf.audio_mapper import tiny
from facevox.recipes.ttsf_lips import SCALE, LipsTask, compare, load_lips
from facevox.training.run import plan_run, start_run
from facevox.training.settings import resolve

QUICK = ["run.validate_steps=9", "run.log_steps=2", "run.threads=1", "run.checkpoint_steps=2"]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    return write_spoken(tmp_path_factory.mktemp("made") / "spoken")


def train(data, folder, *changes, resume=False):
    plan = plan_run(
        LipsTask,
        data=data,
        folder=folder,
        preset=None if resume else "tiny",
        overrides=[*([] if resume else QUICK), *changes],
        resume=resume,
    )
    return start_run(plan)


def weights_of(run):
    return (run / "export" / "lips.safetensors").read_bytes()


def test_it_trains_goes_on_exactly_and_exports_the_mapper(spoken, tmp_path):
    end = train(spoken, tmp_path / "run")
    assert {"error", "matcha_error", "flite_lip_gap", f"{FILMED}_closed"} <= set(end.results)
    whole = weights_of(tmp_path / "run")
    last = tmp_path / "run" / "checkpoints" / "step-000000004"
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    train(spoken, tmp_path / "run", resume=True)
    assert weights_of(tmp_path / "run") == whole
    network, scale = load_lips(tmp_path / "run" / "export")
    assert scale == SCALE
    assert network.mapper.config == tiny().model_copy(update={"out_dim": 9})
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert network.mouth_of(made_utterance(frames=7)).shape == (7, 9)
    card = load_card(tmp_path / "run" / "export" / "lips.safetensors")
    assert card["data"].startswith("3 sentences by flite (0.0 min); 3 clips of GRID s1, measured")


def test_held_out_utterances_are_never_trained_on(tmp_path):
    folder = write_spoken(tmp_path / "spoken")
    train(folder, tmp_path / "one")
    rows = json.loads((folder / PLAN).read_text())["utterances"]
    for row in rows:
        if row["held"]:
            path = utterance_path(folder, row["name"])
            path.write_bytes(utterance_path(folder, f"{row['kind']}-0").read_bytes())
    train(folder, tmp_path / "two")
    assert weights_of(tmp_path / "one") == weights_of(tmp_path / "two")


def test_it_learns_mouths_that_features_tell(spoken, tmp_path):
    changes = ("run.steps=60", "optim.warm_up=5", "optim.rate=0.01", "run.checkpoint_steps=null")
    start = train(spoken, tmp_path / "start", "run.steps=1").results["error"]
    assert train(spoken, tmp_path / "end", *changes).results["error"] < 0.6 * start


@pytest.mark.parametrize(
    ("changes", "channels"),
    [((), 11), (("energy",), 10), (("energy", "text"), 6)],
)
def test_ablations_take_fewer_features(spoken, changes, channels):
    overrides = [f"model.mapper.{name}=false" for name in changes]
    config = resolve(LipsTask.Config, presets=LipsTask.presets, preset="tiny", overrides=overrides)
    network = LipsTask(config, spoken).networks()["lips"]
    assert network.mapper.project.in_channels == channels
    assert network.mouth_of(made_utterance(frames=5)).shape == (5, 9)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("model.mapper.out_dim=512", "out_dim 9"),
        ("model.mapper.text=false", "set both to false"),
    ],
)
def test_impossible_mappers_are_refused(change, sentence):
    with pytest.raises(ConfigError, match=sentence):
        resolve(LipsTask.Config, presets=LipsTask.presets, preset="tiny", overrides=[change])


def test_wrong_folders_are_explained(spoken, tmp_path):
    with pytest.raises(DataError, match=r"facevox\.recipes\.spoken_mouths"):
        train(tmp_path, tmp_path / "run")
    with pytest.raises(DataError, match="11 channels, the mapper takes 12"):
        train(spoken, tmp_path / "run", "model.mapper.text_dim=5")


def test_weights_that_do_not_fit_their_card_are_refused(spoken, tmp_path):
    train(spoken, tmp_path / "run", "run.steps=1")
    path = tmp_path / "run" / "export" / "lips.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {"config": card["config"] | {"width": 4}}))
    with pytest.raises(CheckpointError, match="does not fit"):
        load_lips(path.parent)
    path.write_text(json.dumps({"config": card["config"]}))
    with pytest.raises(CheckpointError, match="scale"):
        load_lips(path.parent)


def test_validation_leaves_unseen_frames_out():
    wanted = made_utterance(kind=FILMED)
    wanted.known[4:9] = False
    said = wanted.mouth * np.array(SCALE, np.float32)
    said[4:9] = 50
    found = compare(said, wanted)
    assert found["error"] == pytest.approx(0, abs=1e-6)
    assert found["lip_gap"] == pytest.approx(1)
    wanted.known[:] = False
    assert all(np.isnan(value) for value in compare(said, wanted).values())


def test_gradients_reach_every_weight(spoken):
    config = resolve(LipsTask.Config, presets=LipsTask.presets, preset="tiny")
    task = LipsTask(config, spoken)
    torch.manual_seed(0)
    network, batch = task.networks()["lips"], task.batches("train")[0]
    network(batch["features"], batch["mask"], batch["start"], 8).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
