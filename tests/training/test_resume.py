"""A killed run goes on as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_recipe import TinyTask

from facevox.core.errors import ConfigError, DataError, InputError
from facevox.training.checkpoints import CHECKPOINTS, Checkpoints
from facevox.training.logs import LOSSES, read_table
from facevox.training.run import RUN_FILE, plan_run, start_run

SCRIPT = Path(__file__).parents[1] / "support" / "train_tiny.py"
SHORT = ["run.steps=6", "run.checkpoint_steps=3", "run.keep=5"]


def train(folder, *overrides, resume=False, **options):
    place = {"data": folder.parent, "folder": folder}
    plan = plan_run(TinyTask, **place, overrides=overrides, resume=resume, **options)
    said = []
    return start_run(plan, say=said.append), said


def run_apart(folder, *overrides, **environment):
    return subprocess.run(
        [sys.executable, SCRIPT, folder, *overrides],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def trees_at(folder, step):
    return Checkpoints(folder / CHECKPOINTS, 9).load(step)


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert one == other


def test_a_killed_run_ends_with_the_same_bits(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(whole, *SHORT)
    done = run_apart(killed, *SHORT, KILL_AT="5")
    assert done.returncode == -9, done.stderr
    assert Checkpoints(killed / CHECKPOINTS, 9).steps() == [3]
    assert [row["step"] for row in read_table(killed / LOSSES)][-1] == "5"
    outcome, _ = train(killed, resume=True)
    assert (outcome.reason, outcome.step) == ("steps", 6)
    one, other = trees_at(whole, 6), trees_at(killed, 6)
    assert_same(one.trees, other.trees)
    for name in ("torch", "numpy"):  # beartype, active in this process only, draws Python's
        assert one.random[name] == other.random[name]
    assert one.numbers["position"] == other.numbers["position"]
    losses = [
        [(row["step"], row["critic"], row["distance"]) for row in read_table(run / LOSSES)]
        for run in (whole, killed)
    ]
    assert losses[0] == losses[1]


def test_a_polite_kill_saves_and_says_so(tmp_path, monkeypatch):
    def step(self, context, batch):
        if context.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return made(self, context, batch)

    made = TinyTask.step
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(TinyTask, "step", step)
    outcome, said = train(tmp_path, *SHORT)
    assert (outcome.reason, outcome.step) == ("signal", 5)
    assert said == ["Stopping after this step; once more stops at once."]
    assert Checkpoints(tmp_path / CHECKPOINTS, 9).steps() == [3, 5]
    assert not (tmp_path / "export").exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_bad_data_ends_the_run_and_loses_nothing(tmp_path, monkeypatch):
    def batches(self, split):
        made = good(self, split)

        class Torn:
            def __len__(self):
                return len(made)

            def __getitem__(self, number):
                if number == 4:
                    raise DataError("The shard is damaged.")
                return made[number]

        return Torn()

    good = TinyTask.batches
    with monkeypatch.context() as patch:
        patch.setattr(TinyTask, "batches", batches)
        with pytest.raises(DataError, match=r"^The shard is damaged\.$"):
            train(tmp_path, "run.steps=6", "run.validate_steps=9")
    assert Checkpoints(tmp_path / CHECKPOINTS, 9).steps() == [4]
    outcome, _ = train(tmp_path, resume=True)
    assert outcome.step == 6
    assert len(json.loads((tmp_path / RUN_FILE).read_text())["commands"]) == 2


def test_a_damaged_checkpoint_is_passed_over(tmp_path):
    train(tmp_path, *SHORT)
    damaged = tmp_path / CHECKPOINTS / "step-000000006" / "networks.safetensors"
    content = bytearray(damaged.read_bytes())
    content[-3] ^= 1
    damaged.write_bytes(content)
    outcome, said = train(tmp_path, resume=True)
    assert outcome.step == 6
    assert "step-000000006 is damaged (networks.safetensors); the one before is taken." in said[0]


def test_more_steps_go_on_and_other_settings_are_refused(tmp_path):
    train(tmp_path, *SHORT)
    outcome, _ = train(tmp_path, "run.steps=8", resume=True)
    assert outcome.step == 8
    with pytest.raises(ConfigError, match=r"data.budget: 64 -> 32.*--accept-changes"):
        train(tmp_path, "data.budget=32", resume=True)
    outcome, _ = train(tmp_path, "data.budget=32", "run.steps=9", resume=True, accept_changes=True)
    assert outcome.step == 9


def test_resume_with_nothing_there_begins(tmp_path):
    outcome, said = train(tmp_path / "new", "run.steps=2", resume=True)
    assert outcome.step == 2
    assert said == []


def test_missing_data_is_told(tmp_path):
    with pytest.raises(InputError, match=r"There is no data .*nowhere; `facevox prepare`"):
        plan_run(TinyTask, data=tmp_path / "nowhere", folder=None)


def test_a_used_folder_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    for resume in (False, True):
        with pytest.raises(InputError, match=r"not an empty folder|other files"):
            train(tmp_path, resume=resume)
