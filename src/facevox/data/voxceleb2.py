"""VoxCeleb2: celebrities in interviews, 224x224 at 25 fps, without transcripts.

Layout: `mp4/idXXXXX/VIDEO/NNNNN.mp4`, or the same in `test` or `dev`.

Reference:
    Chung, Nagrani and Zisserman, VoxCeleb2: Deep speaker recognition, Interspeech 2018.
"""

import re
from itertools import groupby
from pathlib import Path

from facevox.core.errors import ConfigError, DataError
from facevox.data.recording import Recording

LAYOUT = "mp4/idXXXXX/VIDEO/NNNNN.mp4, or test/mp4/idXXXXX/VIDEO/NNNNN.mp4"

_ROOTS = ("test/mp4", "mp4", "dev/mp4")
_IDENTITY = re.compile(r"id\d+")


def list_clips(folder: Path, per_identity: int | None = None) -> tuple[Recording, ...]:
    """Return clips sorted by person, video and number.

    Args:
        folder: Root of the corpus; of several parts, `test` is taken.
        per_identity: At most so many clips of a person, from as many videos as there are:
            the first clip of every video, then the second, and so on.

    Raises:
        ConfigError: If `per_identity` is less than 1.
        DataError: If the folder does not have the layout.
    """
    if per_identity is not None and per_identity < 1:
        raise ConfigError(f"per_identity must be at least 1, got {per_identity}.")
    root = next((folder / name for name in _ROOTS if (folder / name).is_dir()), None)
    if root is None:
        raise DataError(f"{folder} is not VoxCeleb2: there is no folder mp4; expected {LAYOUT}.")
    videos = sorted(root.glob("*/*/*.mp4"))
    if not videos:
        raise DataError(f"There is no VoxCeleb2 clip in {root}; expected {LAYOUT}.")
    for video in videos:
        if not _IDENTITY.fullmatch(video.parts[-3]):
            raise DataError(f"{video} lies in no folder of a person; expected {LAYOUT}.")
    people = [list(clips) for _, clips in groupby(videos, key=lambda video: video.parts[-3])]
    return tuple(_recording(video) for clips in people for video in _some(clips, per_identity))


def _some(clips: list[Path], count: int | None) -> list[Path]:
    """Return `count` clips of one person, spread over videos."""
    ranked = [
        (rank, video)
        for _, group in groupby(clips, key=lambda video: video.parent)
        for rank, video in enumerate(group)
    ]
    return sorted(video for _, video in sorted(ranked)[:count])


def _recording(video: Path) -> Recording:
    identity, source, number = *video.parts[-3:-1], video.stem
    return Recording(
        name=f"{identity}-{source}-{number}", identity=identity, video=video, text=None
    )
