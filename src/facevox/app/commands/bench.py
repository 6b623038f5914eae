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
    network: Annotated[
        str | None,
        typer.Option(help="Only the face generator, random weights: paper, paper512 or small."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of --network; all cores if left out.")
    ] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Measure speed and memory of the main job; a ratio of at most 1 meets the target."""
    if network is not None:
        _bench_network(network, threads=threads, rounds=runs, as_json=as_json)
        return
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


def _bench_network(name: str, *, threads: int | None, rounds: int, as_json: bool) -> None:
    """Measure the face generator beside a straightforward run of the same network."""
    import torch

    from facevox.core.errors import InputError
    from facevox.evaluation.generator_speed import measure_generator
    from facevox.models.face.lia.config import paper, small

    networks = {"paper": paper, "paper512": lambda: paper(512), "small": small}
    if name not in networks:
        raise InputError(f"There is no network {name!r}; choose one of: {', '.join(networks)}.")
    if threads is not None:
        torch.set_num_threads(threads)
    speed = measure_generator(networks[name](), rounds=rounds)
    if as_json:
        sys.stdout.write(json.dumps({"network": name, **speed.to_dict()}) + "\n")
        return
    facts = speed.to_dict()
    sys.stdout.write(
        f"{name}, {speed.threads} threads, one frame:\n"
        f"  straightforward, float32, with driving picture   {speed.plain_ms:8.1f} ms\n"
        f"  straightforward, float32, motion known           {speed.undriven_ms:8.1f} ms\n"
        f"  person held, motion known                        {speed.fast_ms:8.1f} ms"
        f" ({facts['fps']:.1f} frames a second)\n"
        f"  times faster: {speed.times_faster:.1f}, without driving picture"
        f" {facts['times_faster_undriven']:.1f}\n"
        f"  holding the person, once: {speed.setup_ms:.0f} ms; the two differ by"
        f" {100 * speed.error:.2f} % of the pictures' deviation\n"
    )
