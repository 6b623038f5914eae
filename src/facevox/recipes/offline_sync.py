"""Measure the metrics of lips on recordings: how far can the score without a network be trusted?

    python -m facevox.recipes.offline_sync --data ../shared/data --out ../offline_sync

Clips of GRID that are always held out, and others, are tracked once and kept in `--out`;
then closures, lag, own-or-other and silent lips are printed as JSON, for phones by forced
alignment and for the corpus' own word times, for pictures that are five frames late, and for
scores that use less than the metric does.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float, Float64

from facevox.core.errors import FacevoxError
from facevox.core.files import make_folder
from facevox.core.speech import SILENCE, Phone
from facevox.data.grid import SILENT_WORDS, VIDEO_FPS, GridClip, hold_out, list_clips
from facevox.evaluation.clip import REAL, Clip
from facevox.evaluation.judges.landmarks import load_face_landmarker
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Metric, Seen
from facevox.evaluation.metrics.lip_sync import LipSync, phones_of
from facevox.evaluation.metrics.silent_lips import SilentLips
from facevox.models.face.lip_fit import correlation, quick_part
from facevox.models.face.lip_shape import expected_lips, frame_times

SHIFT = 5  # frames

GAP, HEIGHT, WIDTH = 0, 1, 2
LESSER_SCORES: dict[str, tuple[bool, dict[int, float]]] = {
    "gap": (False, {GAP: 1.0}),
    "gap, slow part taken off": (True, {GAP: 1.0}),
    "gap and width": (True, {GAP: 1.0, WIDTH: 0.5}),
    "height and width": (True, {HEIGHT: 1.0, WIDTH: 0.5}),
}
"""Whether slow changes are taken off, and the weight of each measure of the mouth."""


def write_late_pictures(video: Path, frames: int, path: Path) -> Path:
    """Copy a video so that its pictures are shown `frames` later than they were.

    Raises:
        MediaError: Through PyAV's own errors, if the file cannot be read or written.
    """
    with av.open(str(video)) as source, av.open(str(path), "w") as copy:
        twins = {stream.index: copy.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            if packet.stream.type == "video":
                rate = float(packet.stream.average_rate or VIDEO_FPS)
                late = round(frames / rate / packet.time_base)
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
            packet.stream = twins[packet.stream.index]
            copy.mux(packet)
    return path


def words_as_filmed(clip: GridClip, phones: Sequence[Phone]) -> tuple[Phone, ...]:
    """Return the phones stretched into the word times that come with the corpus."""
    made: list[Phone] = []
    spoken = [word for word in clip.words if word.text not in SILENT_WORDS]
    for index, word in enumerate(spoken):
        parts = [phone for phone in phones if phone.word == index]
        first, length = parts[0].start, parts[-1].end - parts[0].start
        if word.start > (made[-1].end if made else 0.0):
            made.append(Phone(name=SILENCE, start=made[-1].end if made else 0.0, end=word.start))
        made += [
            replace(
                phone,
                start=word.start + (phone.start - first) / length * (word.end - word.start),
                end=word.start + (phone.end - first) / length * (word.end - word.start),
            )
            for phone in parts
        ]
    return (*made, Phone(name=SILENCE, start=made[-1].end, end=max(made[-1].end, phones[-1].end)))


def media_of(clip: GridClip, judges: Judges, tracker: str, out: Path) -> ClipMedia:
    """Return what metrics see of a clip; its landmarks are kept in `out`."""
    text = " ".join(word.text for word in clip.words if word.text not in SILENT_WORDS)
    known = Clip(name=clip.name, video=clip.video, system=REAL, identity="s1", text=text)
    media = ClipMedia(known, judges, tracker)
    path = make_folder(out / tracker) / f"{clip.name}.npy"
    if not path.exists():
        np.save(path, media.landmarks)
    media.__dict__["landmarks"] = np.load(path)
    return media


def lesser_auc(
    seen: Sequence[Seen], quick: bool, weights: dict[int, float]
) -> Float64[np.ndarray, " clips"]:
    """Return for each clip the share of other sounds, cut or padded, that its own one beats."""
    shapes = [np.asarray(one.observation["shape"], np.float64) for one in seen]
    phones = [phones_of(one.observation) for one in seen]
    said = [[phone.name for phone in clip if phone.name != SILENCE] for clip in phones]
    rates = [float(one.observation["fps"]) for one in seen]
    shares = []
    for i, shape in enumerate(shapes):
        times = frame_times(len(shape), rates[i])
        lips = quick_part(shape, rates[i]) if quick else shape
        fits = []
        for other in phones:
            expected = expected_lips(other, times)
            expected = quick_part(expected, rates[i]) if quick else expected
            fits.append(_weighted(lips, expected, weights))
        rivals = [fit for fit, words in zip(fits, said, strict=True) if words != said[i]]
        shares.append(np.mean([(fits[i] > fit) + 0.5 * (fits[i] == fit) for fit in rivals]))
    return np.array(shares, np.float64)


def _weighted(
    lips: Float[np.ndarray, "n 3"], expected: Float[np.ndarray, "n 2"], weights: dict[int, float]
) -> float:
    return sum(
        weight * correlation(lips[:, column], expected[:, int(column == WIDTH)])
        for column, weight in weights.items()
    )


def observed(metric: Metric, many: Sequence[ClipMedia]) -> list[Seen]:
    """Let a metric look at all clips; those it refuses are told and left out."""
    seen = []
    for media in many:
        try:
            seen.append(Seen(media.clip, metric.observe(media)))
        except FacevoxError as error:
            print(json.dumps({"clip": media.clip.name, "failed": str(error)}))
    return seen


def report(metric: Metric, seen: Sequence[Seen], **about: str) -> None:
    """Print every figure of a metric."""
    for name, result in metric.summarise(seen).items():
        print(json.dumps({**about, "figure": name, **asdict(result)}))


def with_phones(many: Sequence[ClipMedia], clips: Sequence[GridClip]) -> Iterator[ClipMedia]:
    """Yield the same clips with the corpus' own word times."""
    for media, clip in zip(many, clips, strict=True):
        known = replace(media.clip, phones=words_as_filmed(clip, media.phones))
        twin = ClipMedia(known, media.judges, media.tracker)
        twin.__dict__["landmarks"] = media.landmarks
        yield twin


def late_twins(many: Sequence[ClipMedia], out: Path) -> Iterator[ClipMedia]:
    """Yield copies whose pictures are `SHIFT` frames late; landmarks are those of the pictures."""
    for media in many:
        path = make_folder(out / "late") / f"{media.clip.name}.mp4"
        if not path.exists():
            write_late_pictures(media.clip.video, SHIFT, path)
        twin = ClipMedia(replace(media.clip, video=path), media.judges, media.tracker)
        twin.__dict__["landmarks"] = media.landmarks
        yield twin


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description="Measure the metrics of lips on recordings.")
    parser.add_argument("--data", type=Path, required=True, help="folder with talking/grid_s1")
    parser.add_argument("--out", type=Path, required=True, help="landmarks are kept here")
    parser.add_argument("--task", type=Path, help="face_landmarker.task; without: attention mesh")
    parser.add_argument("--others", type=int, default=100, help="clips that are not held out")
    arguments = parser.parse_args()
    judges = Judges()
    if arguments.task:
        judges.put("face-landmarker", load_face_landmarker(arguments.task))
    tracker = "face-landmarker" if arguments.task else "attention-mesh"
    others, held = hold_out(list_clips(arguments.data / "talking" / "grid_s1"))
    chosen = np.random.default_rng(0).permutation(len(others))[: arguments.others]
    for name, clips in (("held out", held), ("others", [others[k] for k in sorted(chosen)])):
        many = [media_of(clip, judges, tracker, arguments.out) for clip in clips]
        seen = observed(LipSync(), many)
        report(LipSync(), seen, clips=name, tracker=tracker)
        report(SilentLips(), observed(SilentLips(), many), clips=name, tracker=tracker)
        for title, (quick, weights) in LESSER_SCORES.items():
            auc = float(lesser_auc(seen, quick, weights).mean())
            print(json.dumps({"clips": name, "score": title, "auc, cut or padded": auc}))
        filmed = observed(LipSync(), list(with_phones(many, clips)))
        report(LipSync(), filmed, clips=name, phones="word times of the corpus")
        late = observed(LipSync(), list(late_twins(many, arguments.out)))
        report(LipSync(), late, clips=name, pictures=f"{SHIFT} frames late")
        moved = np.array(
            [
                float(b.observation["lag"]) - float(a.observation["lag"])
                for a in seen
                for b in late
                if a.clip.name == b.clip.name
            ]
        )
        within = float((np.abs(moved - SHIFT) <= 0.5).mean())
        print(json.dumps({"clips": name, "lag moved by": float(np.median(moved)), "right": within}))


if __name__ == "__main__":
    main()
