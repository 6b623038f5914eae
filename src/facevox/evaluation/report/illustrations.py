"""Choosing what the page shows beside the numbers, from what metrics saw."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.speaker_encoder import LABELS
from facevox.evaluation.metric import Observation
from facevox.evaluation.metrics.lip_sync import LipSync, phones_of
from facevox.evaluation.report.report import Illustrations, LipTrace
from facevox.evaluation.suites.item import spread
from facevox.models.face.lip_shape import expected_lips, frame_times

Column = tuple[str, Sequence[tuple[Clip, dict[str, Observation]]]]
"""Name of a system, and for each clip what each metric saw, by the metric's name."""

LIPS, STILLS = 2, 4
"""Clips of each system whose lips and whose pictures are shown."""


def illustrate(columns: Sequence[Column]) -> Illustrations:
    """Return lips, voices and pictures of all systems; what was not observed is left out."""
    judge = _voice_judge(columns)
    return Illustrations(
        lips=tuple(trace for column in columns for trace in _lips(column)),
        voices={
            name: found for name, rows in columns if len((found := _voices(rows, judge))[1]) > 2
        },
        voices_by=LABELS.get(judge, judge),
        videos={
            name: [(clip.name, clip.video) for clip, _ in _different_people(rows, STILLS)]
            for name, rows in columns
            if rows
        },
    )


def _lips(column: Column) -> list[LipTrace]:
    name, rows = column
    able = [(clip, seen[LipSync.name]) for clip, seen in rows if LipSync.name in seen]
    traces = []
    for clip, observation in _different_people(able, LIPS):
        gap, fps = observation["shape"][:, 0].astype(np.float64), float(observation["fps"])
        openness = expected_lips(phones_of(observation), frame_times(len(gap), fps))[:, 0]
        traces.append(
            LipTrace(title=f"{name}: {clip.name}", lip_gap=gap, openness=openness, fps=fps)
        )
    return traces


def _voice_judge(columns: Sequence[Column]) -> str:
    names = {key for _, rows in columns for _, seen in rows for key in seen}
    for judge in LABELS:
        if any(key.startswith(f"dcts-{judge}-") for key in names):
            return judge
    return ""


def _voices(
    rows: Sequence[tuple[Clip, dict[str, Observation]]], judge: str
) -> tuple[np.ndarray, list[str]]:
    found = [
        (next(seen[key]["embedding"] for key in seen if key.startswith(f"dcts-{judge}-")), clip)
        for clip, seen in rows
        if judge and any(key.startswith(f"dcts-{judge}-") for key in seen)
    ]
    vectors = np.stack([vector for vector, _ in found]) if found else np.zeros((0, 1))
    return vectors, [clip.identity or clip.name for _, clip in found]


def _different_people(rows: Sequence[Any], count: int) -> tuple[Any, ...]:
    """Return up to `count` rows, one a person as far as there are enough persons."""
    people = {clip.identity or clip.name: (clip, seen) for clip, seen in reversed(rows)}
    one_each = list(reversed(people.values()))
    chosen = one_each if len(one_each) >= count else list(rows)
    return spread(chosen, min(count, len(chosen))) if chosen else ()
