"""How fast a system is and how much memory it takes, on this machine.

Whole jobs are run as processes of their own, as a user would; the cost of one
frame is measured in this process on one core.
"""

import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facevox.core.errors import FacevoxError

PASSAGE = (
    "Alice was beginning to get very tired of sitting by her sister on the bank, and of having "
    "nothing to do. Once or twice she had peeped into the book her sister was reading, but it "
    "had no pictures or conversations in it. And what is the use of a book, thought Alice, "
    "without pictures or conversations? So she was considering in her own mind, as well as she "
    "could, whether the pleasure of making a daisy chain would be worth the trouble of getting "
    "up and picking the daisies. "
)
"""From Alice's Adventures in Wonderland (Lewis Carroll, 1865; public domain)."""

TEN_SECONDS = (
    "Alice was beginning to get very tired of sitting by her sister on the bank, and of having "
    "nothing to do. Once or twice she had peeped into the book her sister was reading."
)
SIZE = 512  # px


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure and what it shall be.

    Attributes:
        name: What was measured.
        value: The figure.
        unit: Its unit.
        target: What it shall be at most.
    """

    name: str
    value: float
    unit: str
    target: float

    @property
    def ratio(self) -> float:
        """Figure over target; at most 1 is good."""
        return self.value / self.target

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "ratio": self.ratio}


def run_speak(
    portrait: Path, text: str, folder: Path, *, system: str, size: int | None = SIZE
) -> dict[str, Any]:
    """Run `facevox speak` as a process of its own and return its JSON.

    Raises:
        FacevoxError: If it fails; the message is its own.
    """
    command = [
        sys.executable, "-m", "facevox", "speak", str(portrait), "--text-file", "-",
        "-o", str(folder / "bench.mp4"), "--system", system, "--json",
        *(["--size", str(size)] if size else []),
    ]  # fmt: skip
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise FacevoxError(f"The measured job failed: {done.stderr.decode().strip()}")
    return json.loads(done.stdout)


def measure_job(portrait: Path, folder: Path, *, system: str, runs: int) -> list[Measure]:
    """Measure photo and ten-second text to mp4; medians over runs."""
    rows = [run_speak(portrait, TEN_SECONDS, folder, system=system) for _ in range(runs)]

    def median(key: str) -> float:
        return statistics.median(row[key] for row in rows)

    return [
        Measure(name="real-time factor", value=median("real_time_factor"), unit="", target=0.5),
        Measure(name="first frame", value=median("first_frame_seconds"), unit="s", target=1.5),
        Measure(name="loading", value=median("load_seconds"), unit="s", target=3.0),
    ]


def measure_frame(portrait: Path, *, frames: int) -> list[Measure]:
    """Measure one 512-pixel frame of `lite`'s renderer on one core; median."""
    import cv2

    from facevox.core.clock import Clock
    from facevox.core.controls import Controls
    from facevox.core.portrait.reader import read_portrait
    from facevox.core.text.reader import read_sentences
    from facevox.core.voice import Voice
    from facevox.models.face.face_motion import FaceMotion
    from facevox.models.face.warp.renderer import WarpRenderer
    from facevox.models.speech.flite import FliteEngine

    engine, clock = FliteEngine(), Clock(sample_rate=FliteEngine.sample_rate)
    speech = engine.speak(next(read_sentences(TEN_SECONDS)), Voice())
    count = clock.num_frames(len(speech.waveform))
    motion = FaceMotion.load().start(0, Controls(), clock.fps).advance(speech, 0, count, 0.0)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        started = time.perf_counter()
        renderer = WarpRenderer(read_portrait(portrait), size=SIZE)
        setup = time.perf_counter() - started
        times = []
        for row in list(motion.rows())[:frames]:
            started = time.perf_counter()
            next(renderer.frames(row))
            times.append(time.perf_counter() - started)
    finally:
        cv2.setNumThreads(threads)
    return [
        Measure(
            name="frame on one core", value=1000 * statistics.median(times), unit="ms", target=15.0
        ),
        Measure(name="reading and fitting the photo", value=setup, unit="s", target=1.0),
    ]


def measure_memory(portrait: Path, folder: Path, *, system: str) -> list[Measure]:
    """Measure peak memory of a one-minute and of a ten-minute text, and the clock's drift."""
    short = run_speak(portrait, PASSAGE * 2, folder, system=system)
    long = run_speak(portrait, PASSAGE * 22, folder, system=system)
    drift = max(abs(row["frames"] - round(row["seconds"] * row["fps"])) for row in (short, long))
    return [
        Measure(
            name=f"peak memory, {short['seconds'] / 60:.1f} min text",
            value=short["peak_memory_bytes"] / 1e9,
            unit="GB",
            target=1.5,
        ),
        Measure(
            name=f"peak memory, {long['seconds'] / 60:.1f} min text",
            value=long["peak_memory_bytes"] / 1e9,
            unit="GB",
            target=1.5,
        ),
        Measure(
            name="peak memory, long over short",
            value=long["peak_memory_bytes"] / short["peak_memory_bytes"],
            unit="",
            target=1.1,
        ),
        Measure(
            name="real-time factor of the long text",
            value=long["real_time_factor"],
            unit="",
            target=0.5,
        ),
        Measure(name="frames of drift", value=float(drift), unit="", target=0.5),
    ]
