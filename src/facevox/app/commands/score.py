"""`facevox score`: every number that one video can give."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facevox.app import options
from facevox.app.commands.evaluate import LandmarksOption, MetricsOption, split_names

if TYPE_CHECKING:
    from facevox.evaluation.score import VideoScore


def score(
    video: Annotated[Path, typer.Argument(help="The video.")],
    text: Annotated[str | None, typer.Option(help="What it says.")] = None,
    text_file: Annotated[str | None, typer.Option(help="The same, in a file.")] = None,
    reference: Annotated[Path | None, typer.Option(help="Photo that it was made from.")] = None,
    recording: Annotated[
        Path | None, typer.Option(help="Recording of the same person saying the same text.")
    ] = None,
    metrics: MetricsOption = None,
    landmarks: LandmarksOption = "attention-mesh",
    seed: Annotated[int, typer.Option(min=0, help="Of random choices in metrics.")] = 0,
    as_json: options.JsonOption = False,
) -> None:
    """Score one video; what cannot be measured says why."""
    from facevox.evaluation.score import score_video

    if text is not None or text_file is not None:
        text = options.read_text(text, text_file)
    found = score_video(
        video,
        text=text,
        portrait=reference,
        recording=recording,
        metrics=split_names(metrics),
        tracker=landmarks,
        seed=seed,
    )
    sys.stdout.write(json.dumps(found.to_dict()) + "\n" if as_json else _as_text(found))


def _as_text(found: "VideoScore") -> str:
    from facevox.evaluation.metric import Estimate

    lines: list[str] = []
    reasons: dict[str, list[str]] = {}
    for title, rows in found.groups.items():
        if any(isinstance(result, Estimate) for _, result in rows):
            lines.append(title)
        for figure, result in rows:
            if not isinstance(result, Estimate):
                reasons.setdefault(result.reason, []).append(figure.name)
                continue
            note = f"  ({result.note})" if result.note else ""
            number = f"{result.value:.{figure.digits}f} {figure.unit}"
            lines.append(f"  {figure.name:<34} {number}{note}".rstrip())
    if reasons:
        lines.append("Not measured")
    lines += [f"  {', '.join(names)}: {reason}" for reason, names in reasons.items()]
    lines += [f"Note: {note}" for note in found.notes]
    return "\n".join(lines) + "\n"
