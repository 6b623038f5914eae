"""The loop: batches in, steps, validations, checkpoints, and an exact way back.

The trainer owns nothing that learns: a `Task` says how, a `Context` does it, this file says
when.  Killed at any moment, a run resumed from its last checkpoint makes the same weights,
bit for bit, as one that was left alone (same machine, same number of processes).
"""

import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor

from facevox.core.errors import CheckpointError
from facevox.training.batches import read_batches
from facevox.training.checkpoints import CHECKPOINTS, Checkpoint, Checkpoints, start_from
from facevox.training.context import Context
from facevox.training.logs import LOSSES, VALIDATION, RunLog
from facevox.training.random_state import random_state, seed_everything, set_random_state
from facevox.training.task import Task


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a run tells while it works.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        losses: Means since the last report.
        steps_per_second: Of this call.
        seconds_left: Until the end, by steps or by time limit.
    """

    step: int
    steps: int
    losses: dict[str, float]
    steps_per_second: float
    seconds_left: float


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
        self._folder, self._say, self._report = folder, say, report
        seed_everything(self.settings.seed)
        networks = task.networks()
        if self.settings.start_from is not None:
            start_from(networks, Path(self.settings.start_from))
        optimizers = task.optimizers(networks)
        schedules = task.schedules(optimizers)
        self.context = Context(
            fabric,
            networks,
            optimizers,
            schedules,
            self.settings,
            averaged=task.averaged,
            forward_methods=task.forward_methods,
        )
        seed_everything(self.settings.seed, fabric.global_rank)
        self.position = 0
        self.results: dict[str, float] = {}
        self._best: tuple[int, float] | None = None
        self._seconds_before = 0.0
        self._sums: dict[str, Any] = {}
        self._signal = False
        self._log: RunLog | None = None
        self._saved_step = self._validated_step = -1
        self._start_clocks()

    def fit(self) -> Outcome:
        """Train until steps or minutes are over, or a signal asks to stop; save at the end.

        Raises:
            TrainingError: If gradients stay not finite.
            DataError: If the data cannot be read.
        """
        before = random_state()
        self._log = RunLog(self._folder, self.context.step) if self.first else None
        stream = self._open_stream()
        set_random_state(before)  # libraries that draw when they start are not part of the run
        self._start_clocks()
        reason = "steps"
        with self._listening():
            while self.context.step < self.settings.steps:
                save, stop = self.make_step(stream)
                if stop is not None:
                    reason = stop
                    break
                self._look(save)
        self._share_buffers()
        if reason != "signal" and self._validated_step != self.context.step:
            self._validate()
        if self._saved_step != self.context.step:
            self.save()
        if self._log is not None:
            self._log.close()
        return Outcome(
            reason=reason,
            step=self.context.step,
            seconds=self.seconds,
            results=self.results,
            skipped=self.context.skipped,
        )

    @property
    def seconds(self) -> float:
        """Time trained, all calls together [s]."""
        return self._seconds_before + time.monotonic() - self._started

    def resume(self) -> bool:
        """Go back to the newest whole checkpoint; False if there is none.

        Raises:
            CheckpointError: If all are damaged or the newest does not fit the networks.
        """
        warn = self._say if self.first else (lambda _: None)
        found = self.checkpoints.load_newest(self.fabric.global_rank, warn)
        if found is None:
            return False
        self._restore(found)
        return True

    def save(self) -> None:
        """Write a checkpoint; all processes take part."""
        step = self.context.step
        if self.first:
            self.checkpoints.clear(step)
        self.fabric.barrier()
        self.checkpoints.write_random(step, self.fabric.global_rank, random_state())
        self.fabric.barrier()
        if self.first:
            best = self._best[0] if self._best else None
            self.checkpoints.finish(step, self._trees(), self._numbers(), best)
        self.fabric.barrier()
        self._saved_step, self._saved_at = step, time.monotonic()

    def use_best(self) -> None:
        """Take networks and averages of the best checkpoint, if there is one.

        Raises:
            CheckpointError: If it is damaged.
        """
        if self._best is not None and self._best[0] != self.context.step:
            self._restore(self.checkpoints.load(self._best[0]))

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
            share = weight / total
            with self.context.batch(share * self.fabric.world_size, last=index == len(batches) - 1):
                made = self.task.step(self.context, batch)
            for name, value in made.items():
                value = value.detach() if isinstance(value, Tensor) else value
                losses[name] = losses.get(name, 0.0) + value * (weight / sum(weights))
        self.context.step += 1
        self.position += self.fabric.world_size * len(batches)
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        return save, None

    def _open_stream(self) -> Iterator[Any]:
        return read_batches(
            self.task.batches("train"),
            start=self.position,
            rank=self.fabric.global_rank,
            world=self.fabric.world_size,
            workers=self.settings.workers,
            pin=self.context.device.type == "cuda",
        )

    def _start_clocks(self) -> None:
        self._started = self._saved_at = self._logged_at = time.monotonic()
        self._logged_step = self.context.step

    def _agree(self, weight: float) -> tuple[float, bool, bool, bool]:
        """Sum the weights of all processes and share the first one's decisions, at once."""
        now, limits = time.monotonic(), self.settings
        waited = now - self._saved_at
        save = limits.checkpoint_minutes is not None and waited > limits.checkpoint_minutes * 60
        late = limits.minutes is not None and self.seconds > limits.minutes * 60
        flags = [float(self.first and save), float(self.first and late), float(self._signal)]
        if self.fabric.world_size == 1:
            total = weight
        else:
            message = torch.tensor([weight, *flags], device=self.fabric.device)
            summed = self.fabric.all_reduce(message, reduce_op="sum")
            assert isinstance(summed, Tensor)
            total, *flags = summed.tolist()
        return total, flags[0] > 0, flags[1] > 0, flags[2] > 0

    def _look(self, save: bool) -> None:
        """Log, validate and save where it is time."""
        step, settings = self.context.step, self.settings
        if step % settings.log_steps == 0 or step == settings.steps:
            self._write_losses()
        if step % settings.validate_steps == 0 or step == settings.steps:
            save |= self._validate()
        every = settings.checkpoint_steps
        if save or (every is not None and step % every == 0):
            self.save()

    def _write_losses(self) -> None:
        now, step = time.monotonic(), self.context.step
        number = max(1, step - self._logged_step)
        losses = {name: float(value) / number for name, value in self._sums.items()}
        self._sums = {}
        if self._log is None:
            self._logged_step, self._logged_at = step, now
            return
        rate = number / max(now - self._logged_at, 1e-9)
        norms = {f"norm_{name}": value for name, value in self.context.norms.items()}
        rates = {
            f"rate_{name}": float(optimizer.param_groups[0]["lr"])
            for name, optimizer in self.context.optimizers.items()
        }
        row = {**losses, **norms, **rates, "steps_per_second": rate}
        self._log.write(LOSSES, step, self.seconds, row)
        self._logged_step, self._logged_at = step, now
        left = (self.settings.steps - step) / rate
        if self.settings.minutes is not None:
            left = min(left, self.settings.minutes * 60 - self.seconds)
        self._report(
            Progress(
                step=step,
                steps=self.settings.steps,
                losses=losses,
                steps_per_second=rate,
                seconds_left=max(0.0, left),
            )
        )

    def _validate(self) -> bool:
        """Validate in the first process; return whether this is the best so far (to all)."""
        self._validated_step = self.context.step
        improved = False
        if self.first:
            assert self._log is not None
            with self.context.evaluating(self.settings.seed):
                measured = self.task.validate(self.context)
                samples = self.task.samples(self.context)
            self.results = {name: float(value) for name, value in measured.items()}
            if self.results:
                self._log.write(VALIDATION, self.context.step, self.seconds, self.results)
            self._log.write_samples(self.context.step, samples)
            improved = self._is_best()
        return bool(self.fabric.broadcast(improved))

    def _is_best(self) -> bool:
        if self.task.best is None:
            return False
        value = self.results.get(self.task.best, math.nan)
        sign = 1 if self.task.lower_is_better else -1
        if not math.isfinite(value) or (self._best and sign * value >= sign * self._best[1]):
            return False
        self._best = (self.context.step, value)
        return True

    def _share_buffers(self) -> None:
        """Give all processes the first one's buffers (means of batch normalisation)."""
        if self.fabric.world_size == 1:
            return
        for network in self.context.plain.values():
            for buffer in network.buffers():
                buffer.copy_(self.fabric.broadcast(buffer))

    def _trees(self) -> dict[str, Any]:
        context = self.context
        return {
            "networks": {name: net.state_dict() for name, net in context.plain.items()},
            "averages": {name: one.state_dict() for name, one in context.averages.items()},
            "optimizers": {name: one.state_dict() for name, one in context.optimizers.items()},
            "schedules": {name: one.state_dict() for name, one in context.schedules.items()},
        }

    def _numbers(self) -> dict[str, Any]:
        return {
            "step": self.context.step,
            "position": self.position,
            "seconds": self.seconds,
            "skipped": self.context.skipped,
            "best": self._best,
            "results": self.results,
            "world": self.fabric.world_size,
            "updates": {name: one.updates for name, one in self.context.averages.items()},
        }

    def _restore(self, found: Checkpoint) -> None:
        context, trees, numbers = self.context, found.trees, found.numbers
        try:
            for name, net in context.plain.items():
                net.load_state_dict(trees["networks"][name])
            for name, average in context.averages.items():
                average.load(trees["averages"][name], numbers["updates"][name])
            for name, optimizer in context.optimizers.items():
                optimizer.load_state_dict(trees["optimizers"][name])
            for name, schedule in context.schedules.items():
                schedule.load_state_dict(trees["schedules"][name])
        except (KeyError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0].rstrip(":.")
            raise CheckpointError(f"{found.path} does not fit these networks: {reason}.") from error
        context.step, self.position = numbers["step"], numbers["position"]
        self._saved_step = context.step
        context.skipped, self.results = numbers["skipped"], numbers["results"]
        self._best = tuple(numbers["best"]) if numbers["best"] else None
        self._seconds_before = numbers["seconds"]
        if found.random is not None:
            set_random_state(found.random)
        else:
            seed_everything(self.settings.seed + context.step, self.fabric.global_rank)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Turn the first Ctrl-C or SIGTERM into a wish to stop; the second one ends at once."""
        before: Mapping[int, Any] = {}

        def ask(number: int, _: Any) -> None:
            self._signal = True
            for one, handler in before.items():
                signal.signal(one, handler)
            if self.first:
                self._say("Stopping after this step; once more stops at once.")

        before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
