"""Trains the tiny recipe in processes of its own: `train_tiny.py FOLDER OVERRIDE...`.

With KILL_AT=n in the environment the process kills itself in step n.  With DEVICES=n it trains
in n processes, one run after the other (overrides of each divided by +), and every process
leaves its weights as FOLDER/RUN-RANK.safetensors.
"""

import os
import signal
import sys
from pathlib import Path

from safetensors.torch import save_file
from tiny_recipe import TinyTask, weights_of

from facevox.training.machine import start_fabric
from facevox.training.run import plan_run, start_run
from facevox.training.trainer import Trainer


class MortalTask(TinyTask):
    def step(self, context, batch):
        if context.step == int(os.environ.get("KILL_AT", "-1")):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(context, batch)


def train_in_processes(folder: Path, runs: list[list[str]]) -> None:
    fabric = None
    for number, overrides in enumerate(runs):
        own = folder / str(number)
        devices = f"run.devices={os.environ['DEVICES']}"
        plan = plan_run(TinyTask, data=folder, folder=own, overrides=[*overrides, devices])
        fabric = fabric or start_fabric(plan.config.run)
        own.mkdir(exist_ok=True)
        trainer = Trainer(fabric, TinyTask(plan.config, folder), own)
        trainer.fit()
        weights = weights_of(trainer)
        save_file(weights, folder / f"{number}-{fabric.global_rank}.safetensors")


def main() -> None:
    folder, words = Path(sys.argv[1]), sys.argv[2:]
    if "DEVICES" in os.environ:
        runs = [run.split() for run in " ".join(words).split("+")]
        train_in_processes(folder, runs)
    else:
        start_run(plan_run(MortalTask, data=folder.parent, folder=folder, overrides=words))


if __name__ == "__main__":
    main()
