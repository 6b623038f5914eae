"""Corpora of talking faces as corpora of speech: GRID, HDTF and VoxCeleb2."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import av
import av.error

from facevox.core.errors import DataError
from facevox.data import grid, hdtf, voxceleb2
from facevox.data.recording import Recording
from facevox.data.speech.utterance import Utterance

_GRID_SAID = (("a", "ey1"), ("with", "w ih1 dh"))
"""The letter A, not the article."""

_GRID_HELD = 50
"""Clips of a speaker that are kept for measuring, as in the suite `grid`."""

_PIECE = 12.0
"""Long clips of HDTF are cut into pieces of about this length [s]."""

_UNSAFE = str.maketrans({".": "_", " ": "_", "'": "_"})


def list_grid(folder: Path) -> tuple[Utterance, ...]:
    """Return the clips of a GRID speaker's folder, or of all speakers' in a folder.

    Raises:
        DataError: If there are no clips.
    """
    speakers = [folder] if any(folder.glob("*.mp4")) else sorted(p for p in folder.iterdir())
    folders = [path for path in speakers if path.is_dir() and any(path.glob("*.mp4"))]
    if not folders:
        raise DataError(
            f"{folder} is not GRID; expected NAME.mp4 with NAME.align beside it, or such folders."
        )
    return tuple(chain.from_iterable(_grid_speaker(path) for path in folders))


def _grid_speaker(folder: Path) -> Iterable[Utterance]:
    speaker = folder.name if folder.name.startswith("grid") else f"grid_{folder.name}"
    clips = grid.list_clips(folder)
    _, held = grid.hold_out(clips, min(_GRID_HELD, len(clips) // 10))
    for clip in clips:
        said = " ".join(grid.sentence_of(clip.name))
        yield Utterance(
            name=f"{speaker}_{clip.name}",
            speaker=speaker,
            corpus="grid",
            sound=clip.video,
            video=clip.video,
            # the speakers are British
            text=f"{said} ".replace(" z ", " zed ").strip() + ".",
            subset="test" if clip in held else None,
            pronunciations=_GRID_SAID,
        )


def list_hdtf(folder: Path) -> tuple[Utterance, ...]:
    """Return the clips of HDTF; those without a text are cut into pieces, for they last minutes.

    Raises:
        DataError: If there are none.
    """
    clips = (_utterance("hdtf", clip) for clip in hdtf.list_clips(folder))
    return tuple(chain.from_iterable(_in_pieces(clip) for clip in clips))


def _in_pieces(clip: Utterance) -> Iterable[Utterance]:
    """Yield the clip itself, or pieces of about `_PIECE` seconds of equal length."""
    seconds = _length(clip.sound) if clip.text is None else 0.0
    count = round(seconds / _PIECE)
    if count < 2:
        yield clip
        return
    # borders on whole pictures of 25 fps
    borders = [round(25 * seconds * k / count) / 25 for k in range(count + 1)]
    for number, span in enumerate(pairwise(borders)):
        yield replace(clip, name=f"{clip.name}-{number:03d}", span=span)


def _length(video: Path) -> float:
    """Return how long a video is [s]; 0 if that cannot be told before it is prepared."""
    try:
        with av.open(str(video)) as container:
            return (container.duration or 0) / av.time_base
    except (av.error.FFmpegError, OSError):
        return 0.0


def list_voxceleb2(folder: Path) -> tuple[Utterance, ...]:
    """Return the clips of VoxCeleb2; it has no texts, and its part `test` stays apart.

    Raises:
        DataError: If there are none.
    """
    clips = voxceleb2.list_clips(folder)
    return tuple(_utterance("voxceleb2", clip) for clip in clips)


def _utterance(corpus: str, clip: Recording) -> Utterance:
    return Utterance(
        name=clip.name.translate(_UNSAFE),
        speaker=f"{corpus}_{clip.identity}",
        corpus=corpus,
        sound=clip.video,
        video=clip.video,
        text=clip.text,
    )
