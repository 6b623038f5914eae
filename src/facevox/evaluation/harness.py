"""`evaluate`: suite -> videos -> observations -> numbers -> report."""

import os
import platform
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from facevox import __version__
from facevox.core.errors import InputError
from facevox.core.files import make_folder
from facevox.evaluation.clip import REAL, Clip
from facevox.evaluation.columns import (
    Outcomes,
    Plan,
    describe_judge,
    look_at,
    score_column,
)
from facevox.evaluation.generate import Row, folder_row, generated_row, recorded_row
from facevox.evaluation.judges.landmarks import TRACKERS
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.metric import (
    Observation,
    judges_of,
)
from facevox.evaluation.metrics.catalogue import choose_metrics
from facevox.evaluation.metrics.efficiency import EFFICIENCY, FIGURES, measure_efficiency
from facevox.evaluation.report.files import write_report
from facevox.evaluation.report.illustrations import illustrate
from facevox.evaluation.report.report import Report, SystemScores
from facevox.evaluation.suite import Suite, load_suite
from facevox.evaluation.suites.item import Item, check_file_name
from facevox.systems.registry import load
from facevox.systems.system import System

Progress = Callable[[float, str], None]
"""Called with the part that is done, 0 to 1, and a few words."""

TRACKER = "attention-mesh"


def evaluate(
    suite: str | Path | Suite,
    systems: Sequence[str | System] = ("lite",),
    *,
    output: str | Path,
    data: str | Path | None = None,
    videos: Mapping[str, str | Path] | None = None,
    metrics: Sequence[str] | None = None,
    tracker: str = TRACKER,
    limit: int | None = None,
    jobs: int = 1,
    seed: int = 0,
    judges: Judges | None = None,
    progress: Progress | None = None,
) -> Report:
    """Let systems speak a suite, score the videos, and write and return the report.

    What was made or looked at before is kept: run it again to go on where it stopped.

    Args:
        suite: Name, JSON file, or a `Suite`.
        systems: Names in the registry, or systems.
        output: Folder for videos, observations and the report.
        data: The suite's data folder.
        videos: Folders with videos that others made, `NAME.mp4` for each item, by name.
        metrics: Names of metrics; None takes all.
        tracker: Judge that lays landmarks.
        limit: Only so many items, spread over the suite.
        jobs: Processes that look at clips.
        seed: Of intervals and of random choices in metrics.
        judges: Where networks come from.
        progress: Called after every step.

    Raises:
        InputError: If an argument cannot be used.
        DataError: If the data folder lacks something.
        MissingPiece: If a system needs something that is not installed.
        MediaError: If the output cannot be written.
    """
    chosen_suite = suite if isinstance(suite, Suite) else load_suite(suite)
    groups = choose_metrics(metrics)
    check_tracker(tracker)
    systems = [systems] if isinstance(systems, str) else systems
    loaded = [load(item) if isinstance(item, str) else item for item in systems]
    check_columns([*(system.info().name for system in loaded), *(videos or {})])
    folder, judges = make_folder(Path(output)), judges or Judges()
    items = chosen_suite.items(Path(data) if data else None, folder / "photos", limit=limit)
    plan = Plan(
        groups, judges, tracker, folder / "observations", jobs, seed,
        _steps(len(items), len(loaded), len(videos or {}), items, progress),
    )  # fmt: skip
    rows = _rows(loaded, items, videos or {}, folder / "videos", plan.step)
    looked = [(row, look_at(row, plan)) for row in rows]
    scores = [score_column(row, outcomes, plan) for row, outcomes in looked]
    if with_efficiency := metrics is None or EFFICIENCY in metrics:
        _add_efficiency(scores, loaded, items, folder)
    report = _report(chosen_suite, items, scores, plan, with_efficiency=with_efficiency)
    shown = illustrate([(row.name, _observations(outcomes)) for row, outcomes in looked])
    write_report(report, shown, folder)
    return report


def _rows(
    systems: Sequence[System],
    items: tuple[Item, ...],
    videos: Mapping[str, str | Path],
    folder: Path,
    step: Callable[[str], None],
) -> list[Row]:
    given = [folder_row(Path(path), items, name) for name, path in videos.items()]
    rows = [generated_row(system, items, folder / system.info().name, step) for system in systems]
    recorded = recorded_row(items)
    return [*rows, *given, *([recorded] if recorded.clips or recorded.failed else [])]


def check_columns(names: Sequence[str]) -> None:
    """Raise, before any work is done, if systems and folders of videos cannot go by these names.

    Raises:
        InputError: If there is none, one comes twice, is `real`, or cannot be a folder's name.
    """
    if not names:
        raise InputError("There is nothing to measure; give a system or a folder of videos.")
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"The name {name!r} is given twice; every system needs its own.")
        if name == REAL:
            raise InputError(f"The name {REAL!r} is kept for recordings; choose another one.")
        check_file_name(name, "a system")


def check_tracker(name: str) -> None:
    """Raise if a judge does not lay landmarks.

    Raises:
        InputError: If it is none of `TRACKERS`.
    """
    if name not in TRACKERS:
        raise InputError(f"{name!r} does not lay landmarks; choose one of: {', '.join(TRACKERS)}.")


def _add_efficiency(
    scores: Sequence[SystemScores],
    systems: Sequence[System],
    items: tuple[Item, ...],
    folder: Path,
) -> None:
    """Measure speed and memory of the systems; two runs do not meet in one scratch folder."""
    for column, system in zip(scores, systems, strict=False):
        with TemporaryDirectory(prefix=".scratch-", dir=folder) as scratch:
            column.results.update(measure_efficiency(system, items, Path(scratch) / "videos"))


def _observations(outcomes: Outcomes) -> list[tuple[Clip, dict[str, Observation]]]:
    """Return what was seen, without what could not be scored."""
    return [
        (clip, {k: o.observation for k, o in found.items() if o.observation is not None})
        for clip, found in outcomes
    ]


def _steps(
    items: int, systems: int, folders: int, chosen: Sequence[Item], progress: Progress | None
) -> Callable[[str], None]:
    """Return a function that counts steps and tells how far the run is."""
    recorded = len({item.reference for item in chosen if item.reference})
    total = items * (2 * systems + folders) + recorded
    done = 0

    def step(words: str) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(min(1.0, done / max(total, 1)), words)

    return step


def _report(
    suite: Suite, items: tuple[Item, ...], scores: list[SystemScores], plan: Plan,
    *, with_efficiency: bool,
) -> Report:  # fmt: skip
    groups = {
        title: tuple(figure.name for metric in metrics for figure in metric.figures)
        for title, metrics in plan.groups.items()
    }
    figures = [figure for metric in plan.metrics for figure in metric.figures]
    if with_efficiency:
        groups["Efficiency"] = tuple(figure.name for figure in FIGURES)
        figures += FIGURES
    used = {judge for metric in plan.metrics for judge in judges_of(metric, plan.tracker)}
    return Report(
        suite=suite.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        version=__version__,
        machine=describe_machine(),
        facts={
            "summary": suite.summary,
            "digest": suite.digest,
            "items": len(items),
            "people": len({item.identity for item in items}),
            "texts": len({item.text for item in items}),
            "tracker": plan.tracker,
            "seed": plan.seed,
        },
        figures=tuple(figures),
        groups=groups,
        judges={name: describe_judge(name, plan.judges) for name in sorted(used)},
        judged_by={
            f.name: judges_of(metric, plan.tracker)
            for metric in plan.metrics
            for f in metric.figures
        },
        systems=tuple(scores),
    )


def describe_machine() -> str:
    """Return processor, cores and whether it has bf16 matrix units."""
    model, flags = platform.processor() or platform.machine(), ""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        found = dict(line.split(":", 1) for line in lines if ":" in line)
        fields = {key.strip(): value.strip() for key, value in found.items()}
        model, flags = fields.get("model name", model), fields.get("flags", "")
    except (OSError, ValueError):
        pass
    bf16 = ", bf16 matrix units" if "amx_bf16" in flags.split() else ""
    return f"{model}, {os.cpu_count()} cores{bf16}, {platform.system()}"
