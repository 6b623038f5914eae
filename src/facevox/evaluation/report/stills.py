"""Stills of videos in a row, small enough to stand in a page."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from facevox.core.errors import FacevoxError
from facevox.evaluation.media import read_frames

COLUMNS = 6
MOST_WIDE = 1200  # px
MOST_BYTES = 1_500_000
"""Bytes of all rows together; base64 makes four thirds of it."""

MOST_VIDEOS = 4
"""Rows per system; the first ones are taken."""

_SIZES = ((168, 82), (128, 78), (96, 72), (64, 60))  # height [px], quality of the JPEG


@dataclass(frozen=True)
class Still:
    """One row of stills.

    Attributes:
        title: Of the clip.
        jpeg: The picture; empty if the video could not be read.
        size: Width and height [px].
        problem: Why there is no picture.
    """

    title: str
    jpeg: bytes = b""
    size: tuple[int, int] = (0, 0)
    problem: str = ""


def rows_of_stills(
    videos: Mapping[str, Sequence[tuple[str, Path]]], *, most_bytes: int = MOST_BYTES
) -> dict[str, list[Still]]:
    """Return rows of evenly spaced stills by system.

    Args:
        videos: Name of a system -> (title, video); `MOST_VIDEOS` of each are shown.
        most_bytes: Pictures get smaller until all together are below this.
    """
    strips: dict[tuple[str, int], UInt8[np.ndarray, "h w 3"]] = {}
    rows: dict[str, list[Still]] = {}
    for system, entries in videos.items():
        rows[system] = []
        for title, video in entries[:MOST_VIDEOS]:
            try:
                strips[system, len(rows[system])] = strip_of(video)
                rows[system].append(Still(title))
            except FacevoxError as error:
                rows[system].append(Still(title, problem=str(error)))
    for height, quality in _SIZES:
        made = {key: _encode(strip, height, quality) for key, strip in strips.items()}
        if sum(len(jpeg) for jpeg, _ in made.values()) <= most_bytes:
            break
    for (system, index), (jpeg, size) in made.items():
        rows[system][index] = replace(rows[system][index], jpeg=jpeg, size=size)
    return rows


def strip_of(video: Path, columns: int = COLUMNS) -> UInt8[np.ndarray, "h w 3"]:
    """Return evenly spaced frames of a video side by side, at the largest size of a page.

    The video is read once; at most four times `columns` small pictures are held.

    Raises:
        InputError: If it cannot be read.
    """
    kept: list[UInt8[np.ndarray, "h w 3"]] = []
    step = 1
    for index, frame in enumerate(read_frames(video)):
        if index % step == 0:
            kept.append(_small(frame, columns))
            if len(kept) == 4 * columns:
                kept, step = kept[::2], 2 * step
    chosen = np.linspace(0, len(kept) - 1, columns).round().astype(int)
    return np.hstack([kept[index] for index in chosen])


def _small(frame: UInt8[np.ndarray, "h w 3"], columns: int) -> UInt8[np.ndarray, "rows cols 3"]:
    import cv2

    height, width = frame.shape[:2]
    scale = min(1.0, _SIZES[0][0] / height, MOST_WIDE / columns / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encode(
    strip: UInt8[np.ndarray, "h w 3"], height: int, quality: int
) -> tuple[bytes, tuple[int, int]]:
    from PIL import Image

    picture = Image.fromarray(strip)
    if picture.height > height:
        width = max(1, round(picture.width * height / picture.height))
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=quality)
    return content.getvalue(), picture.size
