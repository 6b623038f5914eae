"""`facevox batch`: many videos from a list, resumable."""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facevox.app import options

if TYPE_CHECKING:
    from facevox.core.video import SavedVideo
    from facevox.systems.system import System

SLIDERS = ("pitch", "rate", "pitch_range", "vocal_tract", "energy", "brightness")
STRENGTHS = ("mouth", "head", "blink", "gaze", "brows", "breath", "expression")
KEYS = {"id", "portrait", "text", "text_file", "voice", "seed", "fps", "size", "face", "box"}


@dataclass(frozen=True)
class Job:
    """One row of the list: `values` as given, or `problem` if it cannot be used."""

    name: str
    values: dict[str, Any]
    problem: str = ""

    def digest(self, folder: Path) -> str:
        """Return a hash of everything the result depends on, to know when to make it anew."""
        from facevox import __version__

        stamp = hashlib.sha256(f"{__version__}\n{json.dumps(self.values, sort_keys=True)}".encode())
        for key in ("portrait", "text_file", "voice"):
            path = folder / str(self.values.get(key) or "")
            if path.is_file():
                stamp.update(path.read_bytes())
        return stamp.hexdigest()[:16]


def batch(
    jobs: Annotated[Path, typer.Argument(help="One JSON object a line: portrait, text, ...")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")] = Path(
        "batch"
    ),
    system: options.SystemOption = "lite",
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Make a video for every line of a JSONL file; run it again to go on where it stopped.

    Keys of a line: portrait, text or text_file, and optionally id (name of the video), seed,
    voice, fps, size, face, box, and the sliders of `facevox speak` (pitch, head, ...). Paths are
    relative to the list. A bad line does not stop the others; the exit code is then 2.
    """
    from facevox.app.report import progress_bar
    from facevox.core.files import make_folder

    rows = list(read_jobs(jobs))
    make_folder(output)
    ledger = Ledger(output / "results.jsonl")
    loaded = options.load_system(system)
    counts = {"made": 0, "kept": 0, "failed": 0}
    with progress_bar(f"Batch of {len(rows)}", quiet=quiet or as_json) as show:
        for index, job in enumerate(rows):
            outcome = _run(job, loaded, jobs.parent, output, ledger)
            counts[outcome] += 1
            show((index + 1) / len(rows))
    if as_json:
        sys.stdout.write(json.dumps({"output": str(output), **counts}) + "\n")
    else:
        sys.stdout.write(
            f"{output}: {counts['made']} made, {counts['kept']} already there, "
            f"{counts['failed']} failed\n"
        )
    if counts["failed"]:
        raise typer.Exit(2)


def read_jobs(path: Path) -> Iterator[Job]:
    """Yield the rows of a list; rows that are wrong carry their problem.

    Raises:
        InputError: If the file cannot be read or has no rows.
    """
    from facevox.core.errors import InputError

    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read the list {path}: {error}.") from error
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise InputError(f"The list {path} is empty; give one JSON object a line.")
    seen: set[str] = set()
    for number, line in numbered:
        job = _parse(number, line)
        if job.name in seen:
            job = Job(f"{number:04}", job.values, f"The id {job.name!r} stands in an earlier line.")
        seen.add(job.name)
        yield job


def _parse(number: int, line: str) -> Job:
    name = f"{number:04}"
    try:
        values = json.loads(line)
    except ValueError as error:
        return Job(name, {}, f"Line {number} is not JSON ({error}).")
    if not isinstance(values, dict):
        return Job(name, {}, f"Line {number} is not a JSON object.")
    unknown = sorted(set(values) - KEYS - set(SLIDERS) - set(STRENGTHS))
    if unknown:
        return Job(name, values, f"Line {number} has the unknown key {unknown[0]!r}.")
    if "portrait" not in values or ("text" in values) == ("text_file" in values):
        return Job(name, values, f"Line {number} needs portrait, and text or text_file.")
    name = str(values.get("id", name))
    if name != Path(name).name or name.startswith("."):
        return Job(f"{number:04}", values, f"Line {number}: the id {name!r} is no file name.")
    return Job(name, values)


class Ledger:
    """What was made, one JSON line each, appended as it happens."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: dict[str, str] = {}
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                try:
                    row = json.loads(line)
                except ValueError:
                    continue  # the line that was being written when the last run was killed
                self._made[row["id"]] = row["digest"] if row["status"] == "made" else ""

    def has(self, name: str, digest: str) -> bool:
        """Return whether this very job was made before."""
        return self._made.get(name) == digest

    def add(self, **row: Any) -> None:
        """Append a row."""
        from facevox.core.errors import MediaError
        from facevox.core.files import explain_os_error

        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise MediaError(explain_os_error(error, self.path)) from error


def _run(job: Job, system: "System", folder: Path, output: Path, ledger: Ledger) -> str:
    """Make one video; return "made", "kept" or "failed"."""
    from facevox.core.errors import FacevoxError, InputError

    target, digest = output / f"{job.name}.mp4", job.digest(folder)
    if ledger.has(job.name, digest) and target.exists():
        return "kept"
    try:
        if job.problem:
            raise InputError(job.problem)
        saved = _make(job.values, system, folder, target)
    except (FacevoxError, TypeError, ValueError) as error:
        ledger.add(id=job.name, digest=digest, status="failed", error=str(error))
        sys.stderr.write(f"facevox: {job.name}: {error}\n")
        return "failed"
    ledger.add(
        id=job.name, digest=digest, status="made", output=str(target), frames=saved.num_frames,
        seconds=saved.seconds,
    )  # fmt: skip
    return "made"


def _make(values: dict[str, Any], system: "System", folder: Path, target: Path) -> "SavedVideo":
    from facevox.core.clock import parse_fps
    from facevox.core.controls import Controls
    from facevox.core.portrait.reader import read_portrait

    text_file = values.get("text_file")
    text = options.read_text(values.get("text"), text_file and str(folder / text_file))
    box = values.get("box")
    portrait = read_portrait(
        folder / values["portrait"], face=values.get("face"), box=tuple(box) if box else None
    )
    voice = folder / values["voice"] if values.get("voice") else None
    sliders = {name: values.get(name) for name in SLIDERS}
    seed = int(values.get("seed", 0))
    made = system.generate(
        portrait,
        text,
        seed=seed,
        voice=options.choose_voice(system, portrait, voice, seed, **sliders),
        controls=Controls(**{name: values[name] for name in STRENGTHS if name in values}),
        fps=parse_fps(values.get("fps", 25)),
        size=values.get("size"),
    )
    return made.save(target)
