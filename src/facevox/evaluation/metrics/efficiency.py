"""How much a system costs: speed by stage, first chunk, memory, parameters, multiply-adds.

Figures:
    real-time factor: seconds of work after loading per second of video, photo and text to
        mp4, in a process of its own, as a user runs it; median of three jobs.
    first frame: from the start of the work to the first encoded frame [s], same jobs.
    peak memory: largest resident memory of those processes [GB].
    stages: within this process, by what the contract offers: the voice drawn from the face,
        the sound (`waveform`), the pictures (`frames` less the sound), writing the file
        (`save` less all the others); each per second of video, median of three.
    parameters, multiply-adds: as the system states them; multiply-adds for one second of video.

Traps:
    Numbers hold for the machine that is printed in the report and for nothing beside it:
    compare systems within one run.  A stage that overlaps with another (threads) makes the
    sum of stages exceed the whole.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from facevox.core.errors import FacevoxError
from facevox.core.files import make_folder
from facevox.evaluation.metric import Estimate, Figure, NotMeasured, Result
from facevox.evaluation.speed import run_speak
from facevox.evaluation.suites.item import Item, spread
from facevox.systems.registry import SYSTEMS
from facevox.systems.system import System

EFFICIENCY = "efficiency"
"""Name by which these figures are asked for."""

JOBS = 3

_WHOLE = "process of its own, photo and text to mp4, median of three suite items"
_STAGE = "seconds of work per second of video within one process, median of three suite items"

FIGURES = (
    Figure(name="real-time factor", unit="", better="lower", protocol=_WHOLE, digits=2),
    Figure(name="first frame", unit="s", better="lower", protocol=_WHOLE, digits=2),
    Figure(
        name="peak memory",
        unit="GB",
        better="lower",
        protocol="process of its own, photo and text to mp4, largest of three suite items",
        digits=2,
    ),
    Figure(name="RTF voice from the face", unit="", better="lower", protocol=_STAGE),
    Figure(name="RTF speech", unit="", better="lower", protocol=_STAGE),
    Figure(name="RTF pictures", unit="", better="lower", protocol=_STAGE),
    Figure(name="RTF writing the file", unit="", better="lower", protocol=_STAGE),
    Figure(
        name="parameters",
        unit="million",
        better="lower",
        protocol="all trained numbers, as the system states them",
    ),
    Figure(
        name="multiply-adds",
        unit="million per second of video",
        better="lower",
        protocol="of all networks, as the system states them",
        digits=1,
    ),
)


def measure_efficiency(system: System, items: Sequence[Item], scratch: Path) -> dict[str, Result]:
    """Return a result for every one of `FIGURES`.

    Args:
        system: To be measured.
        items: Three are used, of different persons as far as there are as many.
        scratch: Folder for the videos, emptied afterwards.
    """
    make_folder(scratch)
    people = list({item.identity: item for item in reversed(items)}.values())[::-1]
    chosen = spread(people if len(people) >= JOBS else items, min(JOBS, len(items)))
    results: dict[str, Result] = {}
    try:
        results |= _whole_jobs(system, chosen, scratch)
        results |= _stages(system, chosen, scratch)
    except FacevoxError as error:
        for figure in FIGURES:
            results.setdefault(figure.name, NotMeasured(reason=str(error)))
    results |= _stated(system)
    for path in scratch.iterdir():
        path.unlink()
    scratch.rmdir()
    return results


def _whole_jobs(system: System, items: Sequence[Item], scratch: Path) -> dict[str, Result]:
    names = ("real-time factor", "first frame", "peak memory")
    name = system.info().name
    if name not in SYSTEMS:
        why = f"{name} is not in the registry, so that it cannot be run as a process of its own"
        return {key: NotMeasured(reason=why) for key in names}
    rows = [run_speak(i.portrait, i.text, scratch, system=name, size=i.size) for i in items]
    values = {
        "real-time factor": statistics.median(row["real_time_factor"] for row in rows),
        "first frame": statistics.median(row["first_frame_seconds"] for row in rows),
        "peak memory": max(row["peak_memory_bytes"] for row in rows) / 1e9,
    }
    return {key: Estimate(value=values[key], count=len(rows), of="jobs") for key in names}


def _stages(system: System, items: Sequence[Item], scratch: Path) -> dict[str, Result]:
    rows = [stage_factors(system, item, scratch / "stage.mp4") for item in items]
    return {
        f"RTF {stage}": Estimate(
            value=max(0.0, statistics.median(row[stage] for row in rows)),
            count=len(rows),
            of="jobs",
        )
        for stage in rows[0]
    }


def stage_factors(system: System, item: Item, path: Path) -> dict[str, float]:
    """Return seconds of work per second of video, by stage."""
    voice, drawing = _timed(lambda: system.voices(item.portrait, 1, seed=item.seed)[0])
    face, _ = _timed(
        lambda: system.generate(
            item.portrait, item.text, seed=item.seed, voice=voice, size=item.size
        )
    )
    _, speaking = _timed(face.waveform)
    frames, looking = _timed(lambda: sum(1 for _ in face.frames()))
    _, saving = _timed(lambda: face.save(path))
    seconds = frames / float(face.clock.fps)
    return {
        "voice from the face": drawing / seconds,
        "speech": speaking / seconds,
        "pictures": (looking - speaking) / seconds,
        "writing the file": (saving - looking) / seconds,
    }


def _stated(system: System) -> dict[str, Result]:
    info = system.info()
    stated: dict[str, Result] = {
        "parameters": Estimate(value=info.parameters / 1e6, count=1, of="systems"),
        "multiply-adds": NotMeasured(reason=f"{info.name} does not state its multiply-adds"),
    }
    if info.multiply_adds is not None:
        stated["multiply-adds"] = Estimate(value=info.multiply_adds / 1e6, count=1, of="systems")
    return stated


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started
