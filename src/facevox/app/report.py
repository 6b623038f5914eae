"""What a run tells its user: a progress bar while it works, then the facts."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facevox.core.talking_face import TalkingFace

_QUIET_SECONDS = 2.0


@contextmanager
def progress_bar(title: str, *, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """Give a function that takes the part done; a bar appears after two seconds.

    The bar and the time left go to stderr, so that stdout stays clean, and only
    if that is a terminal.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeLeft(),
        console=Console(file=sys.stderr, force_terminal=True), transient=True,
    )  # fmt: skip
    task = bar.add_task(title, total=1.0)
    started = time.monotonic()

    def update(done: float) -> None:
        if not bar.live.is_started and time.monotonic() - started > _QUIET_SECONDS:
            bar.start()
        bar.update(task, completed=done)

    try:
        yield update
    finally:
        if bar.live.is_started:
            bar.stop()


def print_warnings(warnings: Iterable[str]) -> None:
    """Print each warning on stderr."""
    for warning in warnings:
        sys.stderr.write(f"facevox: warning: {warning}\n")


def peak_memory_bytes() -> int:
    """Return the largest resident memory of this process so far [bytes].

    Linux's `ru_maxrss` starts from what the process had that started this one; the peak in
    /proc does not.
    """
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    import resource

    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_kib if sys.platform == "darwin" else peak_kib * 1024


@dataclass(kw_only=True)
class SpeakReport:
    """Facts of one video, as `speak --json` prints them.

    `real_time_factor` is seconds of work after loading per second of video.
    """

    output: str
    system: str
    seconds: float
    frames: int
    fps: float
    width: int
    height: int
    sample_rate: int
    real_time_factor: float
    load_seconds: float
    first_frame_seconds: float
    peak_memory_bytes: int
    seed: int
    voice: dict[str, Any]
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> str:
        """Return one JSON object and a newline."""
        return json.dumps(asdict(self)) + "\n"

    def as_text(self) -> str:
        """Return a line for people."""
        return (
            f"{self.output}: {self.seconds:.2f} s, {self.width}x{self.height}, "
            f"{self.fps:g} fps, real-time factor {self.real_time_factor:.2f}\n"
        )


def save_with_report(
    made: "TalkingFace",
    output: Path,
    *,
    started: float,
    load_seconds: float,
    quiet: bool,
) -> SpeakReport:
    """Write the video with a progress bar and return the facts.

    Args:
        made: What to write.
        output: Where to.
        started: `time.monotonic()` when work began, after loading.
        load_seconds: How long loading took.
        quiet: Whether to leave the bar out.

    Raises:
        MediaError: If the file cannot be written.
    """
    first_frame: list[float] = []
    with progress_bar(f"Making {output.name}", quiet=quiet) as show:

        def progress(done: float) -> None:
            if not first_frame:
                first_frame.append(time.monotonic() - started)
            show(done)

        saved = made.save(output, progress=progress)
    work = time.monotonic() - started
    return SpeakReport(
        output=str(output),
        system=made.system,
        seconds=saved.seconds,
        frames=saved.num_frames,
        fps=float(made.clock.fps),
        width=made.size[0],
        height=made.size[1],
        sample_rate=made.clock.sample_rate,
        real_time_factor=work / saved.seconds,
        load_seconds=load_seconds,
        first_frame_seconds=first_frame[0],
        peak_memory_bytes=peak_memory_bytes(),
        seed=made.seed,
        voice=made.voice.to_dict(),
        warnings=list(made.warnings),
    )


def print_evaluation(output: Path, *, as_json: bool, more: Sequence[str] = ()) -> None:
    """Print what an evaluation wrote: its JSON, or its tables and where the page lies.

    Args:
        output: Folder of the report.
        as_json: Whether to print the JSON alone.
        more: Lines between tables and page.
    """
    from facevox.evaluation.report.files import PAGE, TABLES
    from facevox.evaluation.report.store import FILE_NAME

    if as_json:
        sys.stdout.write((output / FILE_NAME).read_text("utf-8"))
        return
    sys.stdout.write((output / TABLES).read_text("utf-8"))
    if more:
        sys.stdout.write("\n" + "\n".join(more) + "\n")
    sys.stdout.write(f"\n{output / PAGE}\n")
