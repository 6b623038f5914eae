"""The ablations of "Faces that Speak", trained and measured, as one table.

    python -m facevox.recipes.ttsf_ablations --data SHARDS --out FOLDER --steps 400 \
        --head S0/export --matcha S2/export --sync SYNC/export --faces FACES

Each variant begins with the same earlier stages, learns as many steps on the same batches, and
is measured on the same held-out clips.  A variant that is finished is not trained again.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, tables 2 and 4 (no energy; no energy and text
    feature; with and without motion in the voice).
"""

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from facevox.core.checkpoint import load_module
from facevox.core.files import write_atomically
from facevox.data.shards import Shards
from facevox.data.talking_samples import talking
from facevox.evaluation.judges.store import Judges
from facevox.recipes.sync import load_sync_expert
from facevox.recipes.ttsf import JointTask
from facevox.recipes.ttsf_measures import (
    make_again,
    measure_faces,
    measure_smiles,
    measure_sync,
    measure_voices,
)
from facevox.recipes.ttsf_network import JointNetwork
from facevox.recipes.ttsf_settings import JointSettings
from facevox.training.run import plan_run, start_run

VARIANTS: dict[str, tuple[str, ...]] = {
    "full": (),
    "no energy": ("model.mapper.energy=false",),
    "no energy, no text feature": ("model.mapper.energy=false", "model.mapper.text=false"),
    "voice with motion": ("model.voice=feature",),
}
"""Name -> settings that differ."""

_SHOWN = ("lips", "rec", "l1", "tts", "ae", "prior", "cfm")
"""Validation losses that are shown beside what judges say."""


def run_variant(
    name: str,
    data: Path,
    folder: Path,
    preset: str,
    overrides: Sequence[str],
) -> tuple[JointNetwork, dict[str, float]]:
    """Train a variant, or take the finished one; return it with its validation losses.

    Args:
        name: One of `VARIANTS`.
        data: Shards.
        folder: Where its run is kept.
        preset: Of `facevox train ttsf`.
        overrides: Settings of all variants.

    Raises:
        FacevoxError: If data or earlier stages do not fit.
        KeyboardInterrupt: If it is stopped; the same command goes on.
    """
    plan = plan_run(
        JointTask,
        data=data,
        folder=folder,
        preset=preset,
        overrides=[*overrides, *VARIANTS[name]],
        command=f"python -m facevox.recipes.ttsf_ablations ({name})",
        resume=folder.exists(),
    )
    outcome = start_run(plan)
    if outcome.reason == "signal":
        raise KeyboardInterrupt(f"{name} was stopped at step {outcome.step}; run again to go on.")
    assert isinstance(plan.config, JointSettings)
    network = JointNetwork(plan.config, half=False)
    load_module(network.head, folder / "export" / "talking_head.safetensors")
    load_module(network.matcha, folder / "export" / "matcha.safetensors")
    return network.eval().requires_grad_(False), outcome.results


def measure(
    network: JointNetwork,
    data: Path,
    *,
    clips: int,
    frames: int,
    sync: Path | None,
    faces: Path | None,
) -> dict[str, float]:
    """Return what judges say of a variant.

    Args:
        network: The variant.
        data: Shards; their validation split is used.
        clips: Most clips.
        frames: Most pictures of a clip.
        sync: Export of `facevox train sync`; None leaves its columns out.
        faces: Folder of `facevox.recipes.acted_portraits`; None leaves its columns out.

    Raises:
        DataError: If there are no held-out clips.
    """
    shards = Shards(data, "validation")
    numbers = [n for n in talking(shards, 8) if shards.entries[n]["tokens"] > 0][:clips]
    made = [make_again(network, shards, number, frames) for number in numbers]
    found: dict[str, float] = {"clips": float(len(made))}
    if sync is not None:
        found |= measure_sync(load_sync_expert(sync / "sync.safetensors"), made)
    found |= measure_faces(Judges().load("attention-mesh"), made)
    found |= measure_voices(made)
    if faces is not None:
        found |= measure_smiles(network, faces)
    return found


def to_markdown(rows: Mapping[str, Mapping[str, float]], steps: int) -> str:
    """Return the table.

    Args:
        rows: Numbers by variant.
        steps: Steps of each.
    """
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    head = f"| variant | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}\n"
    lines = [
        f"| {variant} | {' | '.join(_shown(row.get(name, math.nan)) for name in names)} |\n"
        for variant, row in rows.items()
    ]
    told = (
        f"\nEach variant learnt {steps} steps from the same earlier stages. Sync is judged by the "
        "expert that also teaches it, so it compares variants, not systems; lips and head by the "
        "landmarks judge (DIV: deviation of yaw, pitch and roll [deg]); voices by 1 - cosine of "
        "what the acoustic model is given. A dash: not measured, or no face was seen.\n"
    )
    return head + "".join(lines) + told


def run_ablations(
    data: Path,
    out: Path,
    *,
    preset: str = "small",
    overrides: Sequence[str] = (),
    variants: Sequence[str] = tuple(VARIANTS),
    clips: int = 8,
    frames: int = 50,
    sync: Path | None = None,
    faces: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train and measure variants; return the table `ablations.md`, beside `ablations.json`.

    Args:
        data: Shards with faces and texts.
        out: Folder of runs and table.
        preset: Of `facevox train ttsf`.
        overrides: Settings of all variants.
        variants: Names in `VARIANTS`.
        clips: Most held-out clips.
        frames: Most pictures of a clip.
        sync: Export of `facevox train sync`.
        faces: Folder of `facevox.recipes.acted_portraits`.
        say: Told what is done.

    Raises:
        FacevoxError: If data or earlier stages do not fit.
    """
    rows: dict[str, dict[str, float]] = {}
    steps = 0
    for name in variants:
        say(f"{name}: training")
        folder = out / name.replace(", ", "-").replace(" ", "-")
        network, losses = run_variant(name, data, folder, preset, overrides)
        say(f"{name}: measuring")
        measured = measure(network, data, clips=clips, frames=frames, sync=sync, faces=faces)
        rows[name] = {**measured, **{k: losses[k] for k in _SHOWN if k in losses}}
        steps = json.loads((folder / "run.json").read_text("utf-8"))["config"]["run"]["steps"]
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / "ablations.json", (json.dumps(rows, indent=2) + "\n").encode())
    path = out / "ablations.md"
    write_atomically(path, to_markdown(rows, steps).encode())
    return path


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description="Train and measure the ablations of ttsf.")
    parser.add_argument("--data", type=Path, required=True, help="shards with faces and texts")
    parser.add_argument("--out", type=Path, required=True, help="folder of runs and table")
    parser.add_argument("--preset", default="small", help="of facevox train ttsf")
    parser.add_argument("--steps", type=int, default=400, help="steps of each variant")
    parser.add_argument("--clips", type=int, default=8, help="held-out clips")
    parser.add_argument("--frames", type=int, default=50, help="pictures of a clip")
    parser.add_argument("--head", type=Path, default=None, help="export of ttsf-warmup")
    parser.add_argument("--matcha", type=Path, default=None, help="export of matcha")
    parser.add_argument("--sync", type=Path, default=None, help="export of sync")
    parser.add_argument("--faces", type=Path, default=None, help="folder of acted portraits")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    arguments = parser.parse_args()
    stages = {"head": arguments.head, "matcha": arguments.matcha, "sync": arguments.sync}
    overrides = [f"run.steps={arguments.steps}", *arguments.set]
    overrides += [f"model.{name}_from={path}" for name, path in stages.items() if path is not None]
    path = run_ablations(
        arguments.data,
        arguments.out,
        preset=arguments.preset,
        overrides=overrides,
        clips=arguments.clips,
        frames=arguments.frames,
        sync=arguments.sync,
        faces=arguments.faces,
        say=print,
    )
    print(path.read_text("utf-8"))


def _shown(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    main()
