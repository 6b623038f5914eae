"""Corpora of recorded talking faces, by the layouts in which they are handed out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from facevox.core.errors import ConfigError
from facevox.data.recording import Recording


def list_recordings(layout: str, folder: Path, **select: Any) -> tuple[Recording, ...]:
    """Return the recordings of a corpus in a fixed order.

    Args:
        layout: One of `LAYOUTS`.
        folder: Root of the corpus.
        select: What the layout's reader takes, such as `held_out` for GRID.

    Raises:
        ConfigError: If the layout or a selection is unknown.
        DataError: If the folder does not have the layout.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"There is no corpus layout {layout!r}; there are: {', '.join(LAYOUTS)}.")
    try:
        return LAYOUTS[layout](folder, **select)
    except TypeError as error:
        raise ConfigError(
            f"The layout {layout} cannot be selected by {select} ({error})."
        ) from error


def _grid(folder: Path, *, held_out: int = 50) -> tuple[Recording, ...]:
    from facevox.data.grid import hold_out, list_clips, sentence_of

    clips = hold_out(list_clips(folder), held_out)[1]
    return tuple(
        Recording(
            name=clip.name,
            identity=folder.name,
            video=clip.video,
            text=" ".join(sentence_of(clip.name)),
        )
        for clip in clips
    )


def _lrs2(folder: Path, *, list: str = "test.txt") -> tuple[Recording, ...]:
    from facevox.data.lrs2 import list_clips

    return list_clips(folder, list)


def _hdtf(folder: Path) -> tuple[Recording, ...]:
    from facevox.data.hdtf import list_clips

    return list_clips(folder)


def _voxceleb2(folder: Path, *, per_identity: int | None = None) -> tuple[Recording, ...]:
    from facevox.data.voxceleb2 import list_clips

    return list_clips(folder, per_identity)


LAYOUTS: dict[str, Callable[..., tuple[Recording, ...]]] = {
    "grid": _grid,
    "lrs2": _lrs2,
    "hdtf": _hdtf,
    "voxceleb2": _voxceleb2,
}
