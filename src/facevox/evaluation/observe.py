"""Letting metrics look at clips; what they saw is kept on disk.

An observation is one npz file: the metric's arrays, the notes, or why the clip could
not be scored.  Its key holds everything the observation depends on.
"""

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from facevox.core.errors import FacevoxError, MissingPiece
from facevox.core.files import make_folder, temporary_twin
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Metric, Observation, judges_of


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one metric made of one clip.

    Attributes:
        observation: What it saw; None if it could not score the clip.
        reason: Why not.
        notes: What was done to the clip before it was scored.
        is_bug: Whether the metric failed in a way nobody foresaw; such an outcome is not kept.
    """

    observation: Observation | None
    reason: str = ""
    notes: tuple[str, ...] = ()
    is_bug: bool = False


def look(media: ClipMedia, metric: Metric) -> Outcome:
    """Let one metric look at one clip.

    Raises:
        MissingPiece: If something is not installed: that is not the clip's fault.
    """
    before, media.notes = media.notes, []
    try:
        observation = metric.observe(media)
    except MissingPiece:
        raise
    except FacevoxError as error:
        return Outcome(observation=None, reason=str(error))
    except Exception as error:  # a bug of one metric must not cost the run
        return Outcome(observation=None, reason=f"{metric.name} failed: {error!r}", is_bug=True)
    finally:
        notes, media.notes = media.notes, before
        for sentence in notes:
            media.note(sentence)
    return Outcome(observation=observation, notes=tuple(notes))


def observe_clip(
    clip: Clip, metrics: Sequence[Metric], judges: Judges, tracker: str, kept: Path
) -> dict[str, Outcome]:
    """Return the outcome of every metric for one clip; kept ones are read from disk.

    A fault of one metric, even one nobody foresaw, does not stop the others.

    Raises:
        MediaError: If `kept` cannot be written.
    """
    media = ClipMedia(clip, judges, tracker)
    outcomes = {}
    for metric in metrics:
        path = make_folder(kept / clip.system / metric.name) / f"{clip.name}.npz"
        key = observation_key(clip, metric, judges, tracker)
        outcome = _read(path, key)
        if outcome is None:
            outcome = look(media, metric)
            if not outcome.is_bug:
                _write(path, key, outcome)
        outcomes[metric.name] = outcome
    return outcomes


def observe_all(
    clips: Sequence[Clip],
    metrics: Sequence[Metric],
    judges: Judges,
    tracker: str,
    kept: Path,
    *,
    jobs: int = 1,
) -> Iterator[tuple[Clip, dict[str, Outcome]]]:
    """Yield the outcomes of every clip, in order, from several processes if asked for."""
    if jobs <= 1 or len(clips) < 2:
        for clip in clips:
            yield clip, observe_clip(clip, metrics, judges, tracker, kept)
        return
    with ProcessPoolExecutor(
        min(jobs, len(clips)), mp_context=get_context("spawn"), initializer=_start_worker
    ) as pool:
        waiting = [
            pool.submit(_observe_elsewhere, clip, tuple(metrics), judges.folder, tracker, kept)
            for clip in clips
        ]
        try:
            for clip, future in zip(clips, waiting, strict=True):
                yield clip, future.result()
        except BrokenProcessPool as error:
            raise FacevoxError(
                f"One of {jobs} processes that looked at clips was killed, as happens when memory "
                "runs out; take fewer jobs and run again, what is done is kept."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def observation_key(clip: Clip, metric: Metric, judges: Judges, tracker: str) -> str:
    """Return a hash of everything that an observation depends on."""
    names = judges_of(metric, tracker)
    files = [_stamp(path) for path in (clip.video, clip.portrait, clip.reference)]
    parts = [metric.name, metric.version, clip.text, files, [judges.sha256(n) for n in names]]
    phones = [(p.name, p.start, p.end) for p in clip.phones or ()]
    known: list[Any] = [clip.identity, clip.photo, clip.sex, clip.age, clip.seed]
    if getattr(metric, "uses_facts", False):
        known.append(clip.facts)
    return hashlib.sha256(json.dumps([parts, list(names), phones, known]).encode()).hexdigest()


def _write(path: Path, key: str, outcome: Outcome) -> None:
    facts = {"key": key, "reason": outcome.reason, "notes": list(outcome.notes)}
    arrays: dict[str, Any] = {
        f"seen_{name}": value for name, value in (outcome.observation or {}).items()
    }
    arrays["facts"] = np.array(json.dumps(facts))
    with temporary_twin(path) as twin:
        np.savez_compressed(twin, **arrays)


def _read(path: Path, key: str) -> Outcome | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            if facts["key"] != key:
                return None
            seen = {name[5:]: arrays[name] for name in arrays.files if name.startswith("seen_")}
    except (OSError, KeyError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None  # absent, or being written when the last run was killed
    reason, notes = facts["reason"], tuple(facts["notes"])
    return Outcome(observation=None if reason else seen, reason=reason, notes=notes)


def _stamp(path: Path | None) -> str:
    """Return size and time of a file: enough to know that it was not changed."""
    if path is None:
        return ""
    try:
        state = path.stat()
    except OSError:
        return f"{path} absent"
    return f"{path.name} {state.st_size} {state.st_mtime_ns}"


_WORKER: dict[str, Judges] = {}


def _start_worker() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    import cv2

    cv2.setNumThreads(1)


def _observe_elsewhere(
    clip: Clip, metrics: tuple[Metric, ...], folder: Path, tracker: str, kept: Path
) -> dict[str, Outcome]:
    judges = _WORKER.setdefault(str(folder), Judges(folder))
    return observe_clip(clip, metrics, judges, tracker, kept)
