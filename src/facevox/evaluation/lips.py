"""Do the lips of a system say what the sound says?  Faces speak, finished videos are scored.

`python -m facevox.evaluation.lips --faces FILES` lets faces speak Harvard sentences and
prints what the metrics lip-sync and silent-lips make of the mp4 files and of the phone times
that the system itself knows.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from facevox.core.errors import FacevoxError
from facevox.evaluation.clip import Clip
from facevox.evaluation.texts import HARVARD_SENTENCES


def sentences_for(number: int, count: int) -> str:
    """Return the text of face `number` when each speaks `count` Harvard sentences."""
    first = number * count
    return " ".join(
        HARVARD_SENTENCES[k % len(HARVARD_SENTENCES)] for k in range(first, first + count)
    )


def speaking_clips(
    system: str, faces: Sequence[Path], folder: Path, *, count: int, size: int
) -> Iterator[Clip]:
    """Let each face speak and yield its video.

    Args:
        system: Name of the system.
        faces: Photos.
        folder: Where the videos go.
        count: Sentences for each face.
        size: Side of the pictures [px].

    Raises:
        FacevoxError: If the system cannot be loaded, or a face cannot speak.
    """
    from facevox.systems.registry import load

    speaker = load(system)
    for number, photo in enumerate(faces):
        text = sentences_for(number, count)
        face = speaker.generate(photo, text, seed=number, size=size)
        path = face.save(folder / f"{number:03d}.mp4").path
        phones = tuple(face.alignment())
        yield Clip(
            name=path.stem, video=path, system=system, identity=photo.stem, text=text, phones=phones
        )


def main() -> None:
    """Run from the command line; see the module's docstring."""
    import argparse
    import json
    import tempfile
    from dataclasses import asdict

    from facevox.evaluation.judges.landmarks import load_face_landmarker
    from facevox.evaluation.judges.store import Judges
    from facevox.evaluation.media import ClipMedia
    from facevox.evaluation.metric import Seen
    from facevox.evaluation.metrics.lip_sync import LipSync
    from facevox.evaluation.metrics.silent_lips import SilentLips

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, nargs="+", required=True)
    parser.add_argument("--task", type=Path, help="face_landmarker.task; without: attention mesh")
    parser.add_argument("--sentences", type=int, default=3, help="for each face")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--system", default="lite")
    options = parser.parse_args()
    judges = Judges()
    if options.task:
        judges.put("face-landmarker", load_face_landmarker(options.task))
    tracker = "face-landmarker" if options.task else "attention-mesh"
    metrics = (LipSync(), SilentLips())
    seen: dict[str, list[Seen]] = {metric.name: [] for metric in metrics}
    with tempfile.TemporaryDirectory() as folder:
        for clip in speaking_clips(
            options.system,
            options.faces,
            Path(folder),
            count=options.sentences,
            size=options.size,
        ):
            media = ClipMedia(clip, judges, tracker)
            for metric in metrics:
                try:
                    seen[metric.name].append(Seen(clip, metric.observe(media)))
                except FacevoxError as error:
                    print(json.dumps({"face": clip.identity, "failed": str(error)}))
    for metric in metrics:
        if seen[metric.name]:
            for name, result in metric.summarise(seen[metric.name]).items():
                print(json.dumps({"figure": name, **asdict(result)}))


if __name__ == "__main__":
    main()
