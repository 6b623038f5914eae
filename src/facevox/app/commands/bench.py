"""`facevox bench`: how fast it is on this machine, as ratios to the targets."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from facevox.app import options


def bench(
    portrait: Annotated[
        Path | None, typer.Argument(help="Photo; scikit-image's NASA portrait if left out.")
    ] = None,
    system: options.SystemOption = "lite",
    runs: Annotated[int, typer.Option(min=1, help="Runs of the ten-second job.")] = 3,
    memory: Annotated[
        bool, typer.Option(help="Also a one-minute and a ten-minute text (some minutes).")
    ] = True,
    as_json: options.JsonOption = False,
) -> None:
    """Measure speed and memory of the main job; a ratio of at most 1 meets the target."""
    from PIL import Image

    from facevox.app.demo_portrait import demo_portrait
    from facevox.app.report import progress_bar
    from facevox.evaluation.speed import measure_frame, measure_job, measure_memory

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if portrait is None:
            portrait = folder / "portrait.png"
            Image.fromarray(demo_portrait()).save(portrait)
        stages = [
            lambda: measure_job(portrait, folder, system=system, runs=runs),
            lambda: measure_frame(portrait, frames=100),
        ]
        if memory:
            stages.append(lambda: measure_memory(portrait, folder, system=system))
        measures = []
        with progress_bar("Measuring", quiet=as_json) as show:
            for number, stage in enumerate(stages, start=1):
                measures += stage()
                show(number / len(stages))
    if as_json:
        sys.stdout.write(json.dumps([measure.to_dict() for measure in measures]) + "\n")
        return
    sys.stdout.write("| measured | value | target | ratio |\n|---|---:|---:|---:|\n")
    for measure in measures:
        unit = f" {measure.unit}" if measure.unit else ""
        sys.stdout.write(
            f"| {measure.name} | {measure.value:.3g}{unit} | <= {measure.target:g}{unit} "
            f"| {measure.ratio:.2f} |\n"
        )
