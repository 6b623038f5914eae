"""`facevox compare`: systems of several reports side by side."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from facevox.app import options


def compare(
    reports: Annotated[
        list[Path], typer.Argument(help="Folders of `facevox evaluate` or their report.json.")
    ],
    baseline: Annotated[
        str | None,
        typer.Option(help="System that differences are taken from; the first if left out."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    as_json: options.JsonOption = False,
) -> None:
    """Compare systems; numbers of different protocols never share a row."""
    from facevox.core.files import check_writable, write_atomically
    from facevox.evaluation.comparison import compare as put_side_by_side
    from facevox.evaluation.report.comparison_markdown import comparison_markdown
    from facevox.evaluation.report.store import load_report

    if output:
        check_writable(output)
    loaded = [load_report(path) for path in reports]
    comparison = put_side_by_side(
        loaded, labels=report_labels(reports), baseline=baseline, seed=seed
    )
    if as_json:
        text = json.dumps(comparison.to_dict(), allow_nan=False) + "\n"
    else:
        text = comparison_markdown(comparison)
    if output:
        write_atomically(output, text.encode("utf-8", "replace"))
        return
    sys.stdout.write(text)


def report_labels(paths: list[Path]) -> list[str]:
    """Return the name of each report's folder; the whole path where names repeat.

    Raises:
        InputError: If one report is given twice.
    """
    from facevox.core.errors import InputError

    folders = [path.resolve() if path.is_dir() else path.resolve().parent for path in paths]
    files = [path.resolve() / "report.json" if path.is_dir() else path.resolve() for path in paths]
    for index, file in enumerate(files):
        if file in files[:index]:
            raise InputError(f"{paths[index]} is given twice; give different reports.")
    names = [folder.name for folder in folders]
    return [
        name if names.count(name) == 1 else str(path)
        for name, path in zip(names, paths, strict=True)
    ]
