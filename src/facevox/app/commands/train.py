"""`facevox train`: a recipe, a folder of data, a run folder."""

import json
import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from facevox.app import options
from facevox.app.training_report import TrainingReport, describe_dry_run

STOPPED = 130


def train(
    recipe: Annotated[str | None, typer.Argument(help="What to train; --list shows them.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of shards, made by `facevox prepare`.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the run; new, or --resume.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Named settings, e.g. tiny.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD.FIELD=VALUE; may be given several times."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps in all.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes in all.")] = None,
    devices: Annotated[int | None, typer.Option(min=1, help="Processes on this machine.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run.")] = False,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Resume with other settings.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the resolved run and its cost; write nothing.")
    ] = False,
    list_recipes: Annotated[bool, typer.Option("--list", help="Show the recipes.")] = False,
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Train a network; Ctrl-C saves, and --resume goes on exactly where it stopped."""
    from facevox.recipes.registry import RECIPES, load_task

    if list_recipes:
        for name, (_, purpose) in RECIPES.items():
            sys.stdout.write(f"{name}: {purpose}\n")
        return
    _require(recipe, output, dry_run)
    kind = load_task(recipe or "")
    from facevox.training.run import plan_run, start_run

    given = {"run.steps": steps, "run.minutes": minutes, "run.devices": devices}
    overrides = [*(settings or []), *(f"{k}={v}" for k, v in given.items() if v is not None)]
    plan = plan_run(
        kind,
        data=data,
        folder=output,
        preset=preset,
        overrides=overrides,
        command=shlex.join(["facevox", *sys.argv[1:]]),
        resume=resume,
        accept_changes=accept_changes,
    )
    if dry_run:
        from facevox.training.cost import measure_cost

        sys.stdout.write(describe_dry_run(plan, measure_cost(plan), as_json=as_json))
        return
    first = is_first_process()
    report = TrainingReport(quiet=quiet or as_json or not first)
    with report.shown():
        outcome = start_run(plan, say=report.say, report=report.show)
    if as_json and first:
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
    if outcome.reason == "signal":
        if first:
            report.say(f"Stopped and saved at step {outcome.step}; go on with --resume.")
        raise typer.Exit(STOPPED)


def is_first_process() -> bool:
    """Tell whether this is the process that the user started, not one of its copies."""
    names = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK")
    return all(int(os.environ.get(name, "0")) == 0 for name in names)


def _require(recipe: str | None, output: Path | None, dry_run: bool) -> None:
    from facevox.core.errors import InputError

    if recipe is None:
        raise InputError("Say which recipe to train; `facevox train --list` shows them.")
    if output is None and not dry_run:
        raise InputError("Give the folder of the run with -o.")
