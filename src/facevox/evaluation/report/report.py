"""The outcome of an evaluation, as data; every page and table is made from it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from facevox.evaluation.metric import Estimate, Figure, NotMeasured, Result
from facevox.evaluation.report.wording import short_hash


@dataclass(frozen=True, kw_only=True)
class SystemScores:
    """What was measured of one system (or of recordings).

    Attributes:
        name: Of the system, `real`, or of the folder of videos.
        info: `SystemInfo` as plain values; empty for recordings and folders.
        clips: Videos that were scored.
        failed: Name of a clip -> why it could not be made or read at all.
        results: Name of a figure -> what came out.
        notes: What was done to clips before scoring -> to how many of them.
        per_clip: Name of a figure -> name of a clip -> value, where a figure is a mean over
            clips; makes paired comparisons possible.
        identities: Name of a clip -> who is shown; paired intervals draw persons, not clips,
            where it is known.
    """

    name: str
    info: dict[str, Any] = field(default_factory=dict)
    clips: int
    failed: dict[str, str] = field(default_factory=dict)
    results: dict[str, Result]
    notes: dict[str, int] = field(default_factory=dict)
    per_clip: dict[str, dict[str, float]] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)

    def result(self, figure: str) -> Result:
        """Return what came out for a figure; a figure never asked of this system says so."""
        return self.results.get(figure) or NotMeasured(reason="not asked of this system")


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run of `facevox evaluate`.

    Attributes:
        suite: Its name.
        created: ISO date and time, UTC.
        command: What made it.
        version: Of facevox.
        machine: Processor, cores, whether bf16 units are there.
        facts: Of the suite: `summary`, `digest` (hash of its list), `items`, `people`, `texts`;
            `tracker` of landmarks, `seed`.
        figures: All figures that were asked for, in order, grouped by `groups`.
        groups: Title of a group -> names of its figures.
        judges: Name of a judge -> `sha256` (or module and version), `source`, `licence` of what
            was used; `problem` if it is not here.
        systems: One per column.
        judged_by: Name of a figure -> names of the judges it rests on; without an entry every
            judge of the report counts as one of them.
    """

    suite: str
    created: str
    command: str
    version: str
    machine: str
    facts: dict[str, Any]
    figures: tuple[Figure, ...]
    groups: dict[str, tuple[str, ...]]
    judges: dict[str, dict[str, str]]
    systems: tuple[SystemScores, ...]
    judged_by: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def is_measured(self, figure: str) -> bool:
        """Return whether any system has a number of that name."""
        return any(isinstance(system.result(figure), Estimate) for system in self.systems)

    def protocol_of(self, figure: Figure) -> str:
        """Return a figure's protocol and, where known, who judged: names and hashes."""
        who = []
        for name in self.judged_by.get(figure.name, ()):
            facts = self.judges.get(name, {})
            digest = "missing" if facts.get("problem") else short_hash(facts.get("sha256", ""))
            who.append(f"{name} ({digest})")
        return f"{figure.protocol} Judge: {', '.join(who)}." if who else figure.protocol

    def figure_named(self, name: str) -> Figure | None:
        """Return the figure of that name; None if it was not asked for."""
        return next((figure for figure in self.figures if figure.name == name), None)

    def grouped(self) -> dict[str, tuple[Figure, ...]]:
        """Return the figures by group; those that no group names come last, as `Other`."""
        known = {figure.name: figure for figure in self.figures}
        found = {
            title: tuple(known[name] for name in names if name in known)
            for title, names in self.groups.items()
        }
        named = {name for names in self.groups.values() for name in names}
        others = tuple(figure for figure in self.figures if figure.name not in named)
        found["Other"] = (*found.get("Other", ()), *others)
        return {title: figures for title, figures in found.items() if figures}


@dataclass(frozen=True, kw_only=True)
class LipTrace:
    """Lips against phones in one clip, for a plot.

    Attributes:
        title: System and clip.
        lip_gap: Measured distance of the inner lips per frame [IOD].
        openness: Expected from the phones per frame, 0 to 1.
        fps: Frames per second.
    """

    title: str
    lip_gap: np.ndarray
    openness: np.ndarray
    fps: float


@dataclass(frozen=True, kw_only=True)
class Illustrations:
    """What the HTML page shows beside the numbers.

    Attributes:
        lips: A few clips.
        voices: Name of a system -> (speaker embeddings (n, dim), identity of each).
        voices_by: Name of the judge that made them.
        videos: Name of a system -> a few (title, video) of which stills are shown.
        sounds: Name of a system -> a few (title, sound) that can be played.
    """

    lips: tuple[LipTrace, ...] = ()
    voices: dict[str, tuple[np.ndarray, list[str]]] = field(default_factory=dict)
    voices_by: str = ""
    videos: dict[str, list[tuple[str, Path]]] = field(default_factory=dict)
    sounds: dict[str, list[tuple[str, Path]]] = field(default_factory=dict)
