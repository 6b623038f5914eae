"""A run folder from first command to exported weights.

RUN/run.json          recipe, data, command, resolved settings
RUN/losses.csv  validation.csv  curves.png  tensorboard/  samples/
RUN/checkpoints/      see checkpoints.py
RUN/export/           what the product needs: NAME.safetensors, NAME.json
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from facevox import __version__
from facevox.core.errors import ConfigError, InputError
from facevox.core.files import make_folder, write_atomically
from facevox.training.checkpoints import CHECKPOINTS, Checkpoints
from facevox.training.curves import draw_curves
from facevox.training.machine import choose_precision, describe_machine, start_fabric
from facevox.training.monitor import Progress
from facevox.training.settings import (
    FREE_TO_CHANGE,
    TaskSettings,
    check,
    differences,
    resolve,
)
from facevox.training.task import Task
from facevox.training.trainer import Outcome, Trainer

RUN_FILE, EXPORT = "run.json", "export"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A resolved run.

    Attributes:
        kind: Class of the task.
        config: Its settings, precision resolved.
        data: Folder of the data.
        folder: Folder of the run.
        command: What the user typed.
        resumed: Whether the folder holds a run to go on with.
        earlier: Commands by which it began and was resumed, each with its time.
    """

    kind: type[Task]
    config: TaskSettings
    data: Path
    folder: Path
    command: str
    resumed: bool
    earlier: tuple[dict[str, str], ...] = ()

    @property
    def first_command(self) -> str:
        """The command by which the run began."""
        return self.earlier[0]["command"] if self.earlier else self.command


def plan_run(
    kind: type[Task],
    *,
    data: Path | None,
    folder: Path | None,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    command: str = "",
    resume: bool = False,
    accept_changes: bool = False,
) -> Plan:
    """Resolve the settings of a new run, or of one to go on with; writes nothing.

    Args:
        kind: Class of the task.
        data: Folder of the data; a resumed run knows its own.
        folder: Folder of the run; None if nothing shall be written.
        preset: Name of a preset.
        overrides: Texts `a.b=c`.
        command: What the user typed, for the card.
        resume: Go on with the run in `folder`, if there is one.
        accept_changes: Resume with settings that differ from the run's own.

    Raises:
        InputError: If there is no data, or the folder holds something and `resume` is not
            asked for.
        ConfigError: If a setting is wrong, or differs from that of the run to resume.
    """
    saved = _read_saved(folder, kind, resume) if folder is not None else None
    base = saved["config"] if saved and preset is None else None
    config = resolve(
        kind.Config, presets=kind.presets, preset=preset, base=base, overrides=overrides
    )
    config = config.model_copy(update={"run": choose_precision(config.run)})
    if saved and not accept_changes:
        _refuse_changes(saved["config"], config.model_dump(mode="json"))
    if data is None:
        if not saved:
            raise InputError("Give the folder of the training data with --data.")
        data = Path(saved["data"])
    if not data.exists():
        raise InputError(f"There is no data {data}; {kind.data_hint}.")
    return Plan(
        kind=kind,
        config=config,
        data=data,
        folder=folder or Path(),
        command=command,
        resumed=bool(saved),
        earlier=tuple(saved["commands"]) if saved else (),
    )


def start_run(
    plan: Plan,
    *,
    say: Callable[[str], None] = lambda _: None,
    report: Callable[[Progress], None] = lambda _: None,
) -> Outcome:
    """Train, and export when steps or minutes are over.

    Raises:
        FacevoxError: If the run cannot start or go on; the message says why.
    """
    task = plan.kind(plan.config, plan.data)
    task.batches("train")  # fails before any process or file is made
    fabric = start_fabric(task.run, unused_parameters=task.unused_parameters)
    fabric.barrier()
    if fabric.is_global_zero:
        _save_plan(plan)
    trainer = Trainer(fabric, task, plan.folder, say=say, report=report)
    if plan.resumed and not trainer.resume() and fabric.is_global_zero:
        say("There is no checkpoint yet; starting from the beginning.")
    outcome = trainer.fit()
    if fabric.is_global_zero and outcome.reason != "signal":
        export(trainer, plan, outcome)
    if fabric.is_global_zero:
        draw_curves(plan.folder)
    fabric.barrier()
    return outcome


def export(trainer: Trainer, plan: Plan, outcome: Outcome) -> list[Path]:
    """Write the averaged networks with their card to `RUN/export`."""
    task, folder = trainer.task, make_folder(plan.folder / EXPORT)
    if task.run.export == "best":
        trainer.use_best()
    card = {
        "config": plan.config.model_dump(mode="json"),
        **task.describe_data(),
        "licence": task.licence,
        "command": plan.first_command,
        "date": date.today().isoformat(),
        "facevox": __version__,
        "steps": trainer.context.step,
        "hours": round(outcome.seconds / 3600, 3),
        "hardware": describe_machine(trainer.fabric),
        "results": trainer.monitor.results,
    }
    with trainer.context.evaluating(task.run.seed):
        return task.export(trainer.context.plain, folder, card)


def _read_saved(folder: Path, kind: type[Task], resume: bool) -> dict[str, Any] | None:
    """Return the saved plan of a folder to resume; None for a new run."""
    path = folder / RUN_FILE
    if not resume:
        started = Checkpoints(folder / CHECKPOINTS, 1).steps()
        # a run that ended before its first checkpoint is no loss
        unused = not started and (folder / RUN_FILE).exists()
        if folder.exists() and not unused and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                f"{folder} is not an empty folder; choose another, or go on with --resume."
            )
        return None
    if not path.exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError(
                f"{folder} holds other files and no {RUN_FILE}; choose another folder."
            )
        return None
    try:
        saved = json.loads(path.read_text("utf-8"))
        recipe, config = saved["recipe"], saved["config"]
        saved["commands"][0]["command"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{path} cannot be read ({error}); start anew elsewhere.") from error
    if recipe != kind.name:
        raise InputError(f"{folder} is a run of {recipe!r}, not of {kind.name!r}.")
    # fields that are newer than the run take their defaults
    saved["config"] = check(kind.Config, config).model_dump(mode="json")
    return saved


def _refuse_changes(old: dict[str, Any], new: dict[str, Any]) -> None:
    changed = {
        name: change
        for name, change in differences(old, new).items()
        if name.removeprefix("run.") not in FREE_TO_CHANGE or not name.startswith("run.")
    }
    if changed:
        listed = "; ".join(f"{name}: {change}" for name, change in list(changed.items())[:5])
        raise ConfigError(
            f"The run was started with other settings ({listed}); leave them as they "
            "were, start a new run, or say --accept-changes."
        )


def _save_plan(plan: Plan) -> None:
    content = {
        "recipe": plan.kind.name,
        "facevox": __version__,
        "data": str(plan.data),
        "config": plan.config.model_dump(mode="json"),
        "commands": [*plan.earlier, {"command": plan.command, "time": _now()}],
    }
    make_folder(plan.folder)
    text = json.dumps(content, indent=2) + "\n"
    write_atomically(plan.folder / RUN_FILE, text.encode())


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
