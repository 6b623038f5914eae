"""The loop: batches in, steps, validations, checkpoints, and an exact way back.

The trainer owns nothing that learns: a `Task` says how, a `Context` does it, a `Monitor`
writes it down, this file says when.  Killed at any moment, a run resumed from its last
checkpoint makes the same weights, bit for bit, as one that was left alone (same machine, same
number of processes).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor

from facevox.core.errors import DataError
from facevox.training.batches import read_batches
from facevox.training.checkpoints import CHECKPOINTS, Checkpoint, Checkpoints, start_from
from facevox.training.context import Context
from facevox.training.monitor import Monitor, Progress
from facevox.training.random_state import random_state, seed_everything, set_random_state
from facevox.training.stop_signal import StopSignal
from facevox.training.task import Task


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes:
        reason: "steps", "minutes" or "signal".
        step: Steps done.
        seconds: Time trained, all calls together [s].
        results: Numbers of the last validation.
        skipped: Updates left out because their gradient was not finite.
    """

    reason: str
    step: int
    seconds: float
    results: dict[str, float] = field(default_factory=dict)
    skipped: int = 0


class Trainer:
    """One run in one process.

    Args:
        fabric: Launched.
        task: What to learn.
        folder: The run's folder.
        say: Takes sentences for the user.
        report: Takes progress, at every line of the log.
    """

    def __init__(
        self,
        fabric: Fabric,
        task: Task,
        folder: Path,
        *,
        say: Callable[[str], None] = lambda _: None,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.fabric, self.task, self.settings = fabric, task, task.run
        self.first = fabric.is_global_zero
        self.checkpoints = Checkpoints(folder / CHECKPOINTS, self.settings.keep)
        self._folder = folder
        self._say = say if self.first else _be_silent
        self.context = _make_context(fabric, task)
        self.monitor = Monitor(task, self.context, report)
        seed_everything(self.settings.seed, fabric.global_rank)
        self.position = 0
        self._seconds_before = 0.0
        self._started = self._saved_at = time.monotonic()
        self._saved_step = -1
        self._stop = StopSignal(
            lambda: self._say("Stopping after this step; once more stops at once.")
        )

    @property
    def seconds(self) -> float:
        """Time trained, all calls together [s]."""
        return self._seconds_before + time.monotonic() - self._started

    def fit(self) -> Outcome:
        """Train until steps or minutes are over, or a signal asks to stop; save at the end.

        Raises:
            TrainingError: If gradients stay not finite.
            DataError: If the data cannot be read; a process alone saves before.
        """
        before = random_state()
        if self.first:
            self.monitor.open(self._folder)
        stream = self._open_stream()
        set_random_state(before)  # libraries that draw when they start are not part of the run
        self._started = self._saved_at = time.monotonic()
        with self._stop:
            reason = self._train(stream)
        self.context.share_buffers()
        if self.first and reason != "signal" and self.monitor.validated != self.context.step:
            self.monitor.validate(self.seconds)
        if self._saved_step != self.context.step:
            self.save()
        self.monitor.close()
        return Outcome(
            reason=reason,
            step=self.context.step,
            seconds=self.seconds,
            results=self.monitor.results,
            skipped=self.context.skipped,
        )

    def make_step(self, stream: Iterator[Any]) -> tuple[bool, str | None]:
        """Make one step, unless it is time to stop.

        Returns:
            Whether to save after it, and why it was not made (None: it was).
        """
        batches = [self.fabric.to_device(next(stream)) for _ in range(self.settings.accumulate)]
        weights = [float(self.task.weight(batch)) for batch in batches]
        total, save, late, signalled = self._agree(sum(weights))
        if signalled or late:
            return False, "signal" if signalled else "minutes"
        losses: dict[str, Any] = {}
        for index, (batch, weight) in enumerate(zip(batches, weights, strict=True)):
            scale = weight / total * self.fabric.world_size
            with self.context.batch(scale, last=index == len(batches) - 1):
                made = self.task.step(self.context, batch)
            for name, value in made.items():
                value = value.detach() if isinstance(value, Tensor) else value
                losses[name] = losses.get(name, 0.0) + value * (weight / sum(weights))
        self.monitor.add(losses)
        self.context.step += 1
        self.position += self.fabric.world_size * len(batches)
        return save, None

    def save(self) -> None:
        """Write a checkpoint; all processes take part.

        Raises:
            MediaError: If it cannot be written.
        """
        step = self.context.step
        if self.first:
            self.checkpoints.clear(step)
        self.fabric.barrier()
        self.checkpoints.write_random(step, self.fabric.global_rank, random_state())
        self.fabric.barrier()
        if self.first:
            best = self.monitor.best[0] if self.monitor.best else None
            self.checkpoints.finish(step, self.context.states(), self._numbers(), best)
        self.fabric.barrier()
        self._saved_step, self._saved_at = step, time.monotonic()

    def resume(self) -> bool:
        """Go back to the newest whole checkpoint; False if there is none.

        Raises:
            CheckpointError: If all are damaged or the newest does not fit the networks.
        """
        found = self.checkpoints.load_newest(self.fabric.global_rank, self._say)
        if found is None:
            return False
        self._restore(found)
        return True

    def use_best(self) -> None:
        """Take networks and averages of the best checkpoint, if there is one.

        Raises:
            CheckpointError: If it is damaged.
        """
        best = self.monitor.best
        if best is not None and best[0] != self.context.step:
            self._restore(self.checkpoints.load(best[0]))

    def _train(self, stream: Iterator[Any]) -> str:
        """Make all steps; return why they ended."""
        while self.context.step < self.settings.steps:
            try:
                save, reason = self.make_step(stream)
            except DataError:
                # with other processes waiting in the middle of a step nothing can be saved
                if self.fabric.world_size == 1 and self._saved_step != self.context.step:
                    self.save()
                raise
            if reason is not None:
                return reason
            self._look(save)
        return "steps"

    def _look(self, save: bool) -> None:
        """Log, validate and save where it is time."""
        step, settings = self.context.step, self.settings
        last = step == settings.steps
        if self.first and (last or step % settings.log_steps == 0):
            self.monitor.write_losses(self.seconds)
        if last or step % settings.validate_steps == 0:
            save |= bool(self.fabric.broadcast(self.first and self.monitor.validate(self.seconds)))
        every = settings.checkpoint_steps
        if save or (every is not None and step % every == 0):
            self.save()

    def _agree(self, weight: float) -> tuple[float, bool, bool, bool]:
        """Sum the weights of all processes and share the first one's decisions, at once.

        Returns:
            The sum; whether to save; whether the time is over; whether a signal came.
        """
        limits, waited = self.settings, time.monotonic() - self._saved_at
        save = limits.checkpoint_minutes is not None and waited > limits.checkpoint_minutes * 60
        late = limits.minutes is not None and self.seconds > limits.minutes * 60
        flags = [float(self.first and save), float(self.first and late), float(self._stop.asked)]
        if self.fabric.world_size == 1:
            return weight, flags[0] > 0, flags[1] > 0, flags[2] > 0
        message = torch.tensor([weight, *flags], dtype=torch.float64, device=self.fabric.device)
        summed = self.fabric.all_reduce(message, reduce_op="sum")
        assert isinstance(summed, Tensor)
        total, *flags = summed.tolist()
        return total, flags[0] > 0, flags[1] > 0, flags[2] > 0

    def _open_stream(self) -> Iterator[Any]:
        return read_batches(
            self.task.batches("train"),
            start=self.position,
            rank=self.fabric.global_rank,
            world=self.fabric.world_size,
            workers=self.settings.workers,
            pin=self.context.device.type == "cuda",
        )

    def _numbers(self) -> dict[str, Any]:
        return {
            "step": self.context.step,
            "position": self.position,
            "seconds": self.seconds,
            "skipped": self.context.skipped,
            "best": self.monitor.best,
            "results": self.monitor.results,
            "world": self.fabric.world_size,
            "updates": {name: one.updates for name, one in self.context.averages.items()},
        }

    def _restore(self, found: Checkpoint) -> None:
        numbers = found.numbers
        self.context.load_states(found.trees, numbers["updates"])
        self.context.step = self._saved_step = numbers["step"]
        self.context.skipped = numbers["skipped"]
        self.position, self._seconds_before = numbers["position"], numbers["seconds"]
        self.monitor.results = numbers["results"]
        self.monitor.best = tuple(numbers["best"]) if numbers["best"] else None
        if found.random is not None:
            set_random_state(found.random)
        else:  # this process did not exist then
            seed_everything(self.settings.seed + self.context.step, self.fabric.global_rank)


def _make_context(fabric: Fabric, task: Task) -> Context:
    """Make the networks, the same in all processes, and give them to Fabric."""
    seed_everything(task.run.seed)
    networks = task.networks()
    if task.run.start_from is not None:
        start_from(networks, Path(task.run.start_from))
    optimizers = task.optimizers(networks)
    return Context(
        fabric,
        networks,
        optimizers,
        task.schedules(optimizers),
        task.run,
        averaged=task.averaged,
        forward_methods=task.forward_methods,
    )


def _be_silent(_: str) -> None:
    return None
