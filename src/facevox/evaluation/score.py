"""Scoring one video file, whoever made it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facevox.core.errors import InputError
from facevox.evaluation.clip import Clip
from facevox.evaluation.columns import summarise
from facevox.evaluation.harness import TRACKER, check_tracker
from facevox.evaluation.intact import check_intact
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Metric, NotMeasured, Result, judges_of
from facevox.evaluation.metrics.catalogue import choose_metrics
from facevox.evaluation.observe import look


@dataclass(frozen=True, kw_only=True)
class VideoScore:
    """What was measured of one video.

    Attributes:
        video: The file.
        groups: Title of a group -> its figures with what came out.
        notes: What was done to the video before it was scored.
    """

    video: Path
    groups: dict[str, list[tuple[Figure, Result]]]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "video": str(self.video),
            "figures": {
                figure.name: {
                    "group": title,
                    "unit": figure.unit,
                    "better": figure.better,
                    "protocol": figure.protocol,
                    **asdict(result),
                }
                for title, rows in self.groups.items()
                for figure, result in rows
            },
            "notes": list(self.notes),
        }


def score_video(
    video: str | Path,
    *,
    text: str | None = None,
    portrait: str | Path | None = None,
    recording: str | Path | None = None,
    metrics: Sequence[str] | None = None,
    tracker: str = TRACKER,
    judges: Judges | None = None,
    seed: int = 0,
) -> VideoScore:
    """Score one video with every metric that one video can give.

    Args:
        video: The file; pictures and sound are read as they are.
        text: What it says; without it word errors and lips against phones are not measured.
        portrait: The photo it was made from.
        recording: A recording of the same person saying the same text.
        metrics: Names; None takes all.
        tracker: Judge that lays landmarks.
        judges: Where networks come from.
        seed: Of random choices in metrics.

    Raises:
        InputError: If the video is not one, or a file is absent.
    """
    if portrait is not None and not Path(portrait).is_file():
        raise InputError(f"There is no photo {portrait}.")
    for path in (video, recording):
        if path is not None:
            check_intact(Path(path))
    check_tracker(tracker)
    chosen_metrics = choose_metrics(metrics)
    if not chosen_metrics:
        raise InputError("Efficiency is a system's, not a video's; facevox evaluate measures it.")
    clip = Clip(
        name=Path(video).stem,
        video=Path(video),
        text=text,
        portrait=Path(portrait) if portrait else None,
        reference=Path(recording) if recording else None,
        seed=seed,
    )
    judges = judges or Judges()
    media = ClipMedia(clip, judges, tracker)
    next(iter(media.frames()))  # what is not a video fails here, in one sentence
    groups = {
        title: [row for metric in chosen for row in _rows(metric, media, seed)]
        for title, chosen in chosen_metrics.items()
    }
    return VideoScore(video=clip.video, groups=groups, notes=tuple(media.notes))


def _rows(metric: Metric, media: ClipMedia, seed: int) -> list[tuple[Figure, Result]]:
    needed = judges_of(metric, media.tracker)
    problems = [problem for name in needed if (problem := media.judges.problem(name))]
    if problems:
        return [(figure, NotMeasured(reason=problems[0])) for figure in metric.figures]
    outcomes = [(media.clip, {metric.name: look(media, metric)})]
    results = summarise(metric, outcomes, seed=seed)
    return [(figure, results[figure.name]) for figure in metric.figures]
