"""Watches a run: means of losses, validations, and which of them was the best."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from facevox.training.context import Context
from facevox.training.logs import LOSSES, VALIDATION, RunLog
from facevox.training.task import Task


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a run tells while it works.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        losses: Means since the last report.
        steps_per_second: Since the last report.
        seconds_left: Until the end, by steps or by time limit.
    """

    step: int
    steps: int
    losses: dict[str, float]
    steps_per_second: float
    seconds_left: float


class Monitor:
    """Keeps the record of a run; there is one, in the first process.

    Args:
        task: What is learnt.
        context: Its networks.
        report: Takes progress, at every line of the log.

    Attributes:
        results: Numbers of the last validation.
        best: Step and number of the best validation.
        validated: Step of the last validation.
    """

    def __init__(
        self, task: Task, context: Context, report: Callable[[Progress], None] = lambda _: None
    ) -> None:
        self._task, self._context, self._report = task, context, report
        self._log: RunLog | None = None
        self._sums: dict[str, Any] = {}
        self._logged_at, self._logged_step = time.monotonic(), context.step
        self.results: dict[str, float] = {}
        self.best: tuple[int, float] | None = None
        self.validated = -1

    def open(self, folder: Path) -> None:
        """Start writing into the folder of a run, after the step of the context."""
        self._log = RunLog(folder, self._context.step)
        self._logged_at, self._logged_step = time.monotonic(), self._context.step

    def add(self, losses: Mapping[str, float | Tensor]) -> None:
        """Take the losses of a step; tensors are not read yet."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def write_losses(self, seconds: float) -> None:
        """Write a row of means since the last one, and report.

        Args:
            seconds: Time trained, all calls together [s].
        """
        assert self._log is not None
        now, step, run = time.monotonic(), self._context.step, self._task.run
        number = max(1, step - self._logged_step)
        speed = number / max(now - self._logged_at, 1e-9)
        losses = {name: float(value) / number for name, value in self._sums.items()}
        norms = {f"norm_{name}": value for name, value in self._context.norms.items()}
        rates = {
            f"rate_{name}": float(optimizer.param_groups[0]["lr"])
            for name, optimizer in self._context.optimizers.items()
        }
        row = {**losses, **norms, **rates, "steps_per_second": speed}
        self._log.write(LOSSES, step, seconds, row)
        self._sums, self._logged_at, self._logged_step = {}, now, step
        left = (run.steps - step) / speed
        if run.minutes is not None:
            left = min(left, run.minutes * 60 - seconds)
        self._report(
            Progress(
                step=step,
                steps=run.steps,
                losses=losses,
                steps_per_second=speed,
                seconds_left=max(0.0, left),
            )
        )

    def validate(self, seconds: float) -> bool:
        """Measure on held-out data and keep samples; return whether it is the best so far."""
        assert self._log is not None
        step = self.validated = self._context.step
        with self._context.evaluating(self._task.run.seed):
            measured = self._task.validate(self._context)
            samples = self._task.samples(self._context)
        self.results = {name: float(value) for name, value in measured.items()}
        if self.results:
            self._log.write(VALIDATION, step, seconds, self.results)
        self._log.write_samples(step, samples)
        return self._is_best()

    def close(self) -> None:
        """Write what is still in memory."""
        if self._log is not None:
            self._log.close()

    def _is_best(self) -> bool:
        if self._task.best is None:
            return False
        value = self.results.get(self._task.best, math.nan)
        sign = 1 if self._task.lower_is_better else -1
        if not math.isfinite(value) or (self.best and sign * value >= sign * self.best[1]):
            return False
        self.best = (self._context.step, value)
        return True
