"""What `facevox train` tells its user: one line that stays, or a line now and then."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facevox.training.cost import Cost
    from facevox.training.monitor import Progress
    from facevox.training.run import Plan

_EVERY_SECONDS = 10.0
_SHOWN = 5
_MINUTE, _HOUR = 60, 3600


class TrainingReport:
    """Progress on stderr: rewritten in place on a terminal, else every ten seconds.

    Args:
        quiet: Whether to show sentences only.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._status: Any = None
        self._shown_at = -_EVERY_SECONDS

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the line on the terminal while training runs."""
        if self._quiet or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console

        self._status = Console(file=sys.stderr).status("starting")
        with self._status:
            yield

    def say(self, sentence: str) -> None:
        """Print a sentence of the run."""
        sys.stderr.write(f"facevox: {sentence}\n")

    def show(self, progress: "Progress") -> None:
        """Show how far the run is."""
        line = describe_progress(progress)
        now, last = time.monotonic(), progress.step == progress.steps
        if self._status is not None:
            self._status.update(line)
        elif not self._quiet and (last or now - self._shown_at >= _EVERY_SECONDS):
            self._shown_at = now
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


def describe_progress(progress: "Progress") -> str:
    """Return one line: step, losses, speed, time left."""
    losses = [f"{name} {value:.4g}" for name, value in progress.losses.items()][:_SHOWN]
    return "  ".join(
        [
            f"step {progress.step}/{progress.steps}",
            *losses,
            f"{progress.steps_per_second:.3g} steps/s",
            f"{in_words(progress.seconds_left)} left",
        ]
    )


def in_words(seconds: float) -> str:
    """Return a duration as people read it: 42 s, 7 min, 3.5 h."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"


def describe_dry_run(plan: "Plan", cost: "Cost", *, as_json: bool) -> str:
    """Return the resolved run and its cost."""
    config = plan.config.model_dump(mode="json")
    if as_json:
        resolved = {"recipe": plan.kind.name, "data": str(plan.data), "config": config}
        return json.dumps({**resolved, "cost": cost.as_dict()}) + "\n"
    parameters = ", ".join(f"{name} {count:,}" for name, count in cost.parameters.items())
    rows = {
        "recipe": plan.kind.name,
        "data": f"{plan.data} ({cost.data_bytes / 1e6:,.1f} MB)",
        "parameters": parameters,
        "multiply-adds": f"{cost.multiply_adds / 1e9:,.3f} G a step and process",
        "step": f"{cost.seconds_per_step:.3f} s, measured on {cost.machine['device']}",
        "memory": f"{cost.memory_bytes / 1e6:,.0f} MB",
        "epoch": f"{cost.batches_per_epoch:,} batches; {cost.epochs:,.2f} epochs in all",
        "run": f"{plan.config.run.steps:,} steps, about {in_words(cost.hours * _HOUR)}",
    }
    lines = [f"{name:14} {value}" for name, value in rows.items()]
    return "\n".join([json.dumps(config, indent=2), *lines]) + "\n"
