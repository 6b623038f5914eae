"""The two sides of a distance between sets: what was generated, and recordings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from facevox.evaluation.clip import REAL
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import NotMeasured, Observation, Seen

MADE, RECORDED = "made", "recorded"
"""Keys of the features of a clip and of its recording in an observation."""

_Known = dict[tuple[str, str, Path], tuple[np.ndarray, list[str]]]

_RECORDED: WeakKeyDictionary[Judges, _Known] = WeakKeyDictionary()
"""Features and notes of recordings, by metric, tracker and file, as long as these judges live."""

_HALVES = "distance between two random halves of the recordings: what chance alone gives"


@dataclass(frozen=True, slots=True)
class TwoSets:
    """Features by video.

    Attributes:
        made: Name of a video -> its features.
        recorded: The same of recordings, each once.
        note: What a reader must know.
    """

    made: dict[str, np.ndarray]
    recorded: dict[str, np.ndarray]
    note: str = ""


def observe_both(
    media: ClipMedia, metric: str, features: Callable[[ClipMedia], np.ndarray]
) -> Observation:
    """Look at a clip and at its recording; a recording that clips share is seen once.

    A clip without a recording is not looked at, as nothing can be made of it; recordings
    themselves, scored beside systems, are.

    Args:
        media: The clip.
        metric: Name of the metric.
        features: Takes the media of a clip, returns its features, one a row.
    """
    if media.clip.system == REAL:
        return {MADE: features(media)}
    reference = media.clip.reference
    if reference is None:
        return {MADE: np.zeros((0, 0), np.float16)}
    known = _RECORDED.setdefault(media.judges, {})
    key = (metric, media.tracker, reference)
    if key not in known:
        known[key] = features(media.reference), media.reference.notes
    recorded, notes = known[key]
    for sentence in notes:
        media.note(f"recording: {sentence}")
    return {MADE: features(media), RECORDED: recorded}


def two_sets(seen: Sequence[Seen], *, seed: int = 0) -> TwoSets | NotMeasured:
    """Sort observations into generated and recorded.

    Where only recordings were seen, they are halved at random, which shows how far from zero
    the distance is when there is nothing to find.
    """
    if all(item.clip.system == REAL for item in seen):
        order = np.random.default_rng(seed).permutation(len(seen))
        middle = (len(seen) + 1) // 2
        halves = [
            {seen[i].clip.name: seen[i].observation[MADE] for i in part}
            for part in (order[:middle], order[middle:])
        ]
        return TwoSets(halves[0], halves[1], _HALVES)
    pairs = [item for item in seen if RECORDED in item.observation]
    if not pairs:
        return NotMeasured(
            reason="no recordings to compare with: this suite has photos only, and a distance "
            "between sets needs recordings of people who speak"
        )
    missing = len(seen) - len(pairs)
    return TwoSets(
        {item.clip.name: item.observation[MADE] for item in pairs},
        {str(item.clip.reference): item.observation[RECORDED] for item in pairs},
        f"{missing} clips without a recording are left out" if missing else "",
    )
