"""Two processes learn what one does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_recipe import TinyTask, weights_of

from facevox.training.machine import start_fabric
from facevox.training.run import plan_run
from facevox.training.trainer import Trainer

SCRIPT = Path(__file__).parents[1] / "support" / "train_tiny.py"
PLAIN = ["model.dropout=0", "model.norm=false", "run.validate_steps=100"]
"""Neither depends on how a batch is divided."""

TOLERANCE = 2e-6
"""Sums of float32 in another order; weights are about 1."""


def train_here(folder, *overrides):
    plan = plan_run(TinyTask, data=folder.parent, folder=folder, overrides=[*PLAIN, *overrides])
    folder.mkdir()
    trainer = Trainer(start_fabric(plan.config.run), TinyTask(plan.config, folder), folder)
    trainer.fit()
    return weights_of(trainer)


def train_in_two(folder, *runs):
    """Return the weights of both processes, for each run."""
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, *" + ".join(" ".join(run) for run in runs).split()],
        env={**os.environ, "DEVICES": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [
        [load_file(folder / f"{run}-{rank}.safetensors") for rank in (0, 1)]
        for run in range(len(runs))
    ]


def largest_difference(one, other):
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def test_two_processes_learn_what_one_does(tmp_path):
    """A GAN with two optimisers: six updates of each, by SGD so that weights show gradients."""
    rule = ["optim.momentum_only=true", "optim.learning_rate=0.1"]
    runs = train_in_two(tmp_path, [*PLAIN, *rule], [])
    for first, second in runs:  # the other run has dropout, batch normalisation and AdamW
        for name, value in first.items():
            assert torch.equal(value, second[name]), name
    whole = train_here(tmp_path / "one", *rule, "data.merged=2")
    start = train_here(tmp_path / "start", *rule, "optim.learning_rate=0", "run.steps=1")
    assert largest_difference(start, whole) > 0.1
    assert largest_difference(runs[0][0], whole) < TOLERANCE


@pytest.mark.parametrize("accumulate", [1, 3])
def test_accumulation_is_one_large_batch(tmp_path, accumulate):
    """One update each, by batches that differ in size: the mean is over all items."""
    rule = ["optim.momentum_only=true", "optim.learning_rate=0.1", "run.steps=1"]
    divided = train_here(tmp_path / "a", *rule, f"run.accumulate={accumulate}")
    whole = train_here(tmp_path / "b", *rule, f"data.merged={accumulate}")
    critics = [{k: v for k, v in w.items() if k.startswith("critic")} for w in (divided, whole)]
    assert largest_difference(*critics) < TOLERANCE
