import io
import json

import numpy as np
import pytest
import soundfile
import torch
from made_voice import vowels

from facevox.core.checkpoint import load_card, load_module
from facevox.core.errors import DataError
from facevox.data.shards import MANIFEST, write_index, write_shard
from facevox.models.speech.campplus import Campplus, tiny
from facevox.recipes.campplus import CampplusTask
from facevox.training.run import plan_run, start_run
from facevox.training.settings import resolve

PITCH = {"low": 100, "middle": 150, "high": 220}


def samples(speakers):
    for speaker in speakers:
        for number in range(3):
            sound = vowels(PITCH[speaker] + 4 * number, 3)
            file = io.BytesIO()
            soundfile.write(file, sound, 16_000, format="FLAC")
            entry = {"speaker": speaker, "frames": len(sound) // 160}
            yield f"{speaker}-{number}", {"flac": file.getvalue()}, entry


def write(folder, speakers):
    splits = {}
    for split in ("train", "validation"):
        shard = write_shard(folder / f"{split}-000000.tar", samples(speakers), 1e9)
        write_index(folder, shard)
        splits[split] = {"shards": [shard.name]}
    (folder / MANIFEST).write_text(json.dumps({"format": 1, "splits": splits}))
    return folder


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return write(tmp_path_factory.mktemp("shards"), PITCH)


def task(folder):
    return CampplusTask(
        resolve(CampplusTask.Config, presets=CampplusTask.presets, preset="tiny"), folder
    )


def test_it_trains_and_the_export_loads(shards, tmp_path):
    quick = ["run.threads=1", "run.validate_steps=4", "run.precision=32-true"]
    plan = plan_run(
        CampplusTask, data=shards, folder=tmp_path / "run", preset="tiny", overrides=quick
    )
    outcome = start_run(plan)
    assert outcome.step == 4
    assert 0 <= outcome.results["equal_error_rate"] <= 1
    path = tmp_path / "run" / "export" / "campplus.safetensors"
    load_module(Campplus(tiny()), path)
    assert "9 recordings of 3 speakers" in load_card(path)["data"]


def test_crops_of_a_class_stand_side_by_side_and_depend_on_the_number_alone(shards):
    one, other = task(shards).batches("train"), task(shards).batches("train")
    batch = one[5]
    assert batch["bands"].shape == (6, 30, 80)
    assert torch.equal(batch["classes"][0::2], batch["classes"][1::2])
    assert len(set(batch["classes"].tolist())) == 3
    for name, value in other[5].items():
        assert torch.equal(value, batch[name])
    assert not torch.equal(one[6]["bands"], batch["bands"])


def test_every_speaker_at_every_speed_has_a_center(shards):
    networks = task(shards).networks()
    assert networks["loss"].centers.shape == (3 * 3, tiny().dim)


def test_validation_takes_every_recording(shards):
    made = task(shards)
    found = [made.batches("validation")[k]["speaker"] for k in range(9)]
    assert sorted(found) == sorted([*PITCH] * 3)
    assert np.isfinite(made.batches("validation")[0]["bands"].numpy()).all()


def test_one_speaker_is_too_few(tmp_path):
    with pytest.raises(DataError, match="one speaker only"):
        task(write(tmp_path, ["low"])).networks()
