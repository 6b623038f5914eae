"""The pictures of a video, evenly spaced at 25 per second whatever its own rate.

Picture k of the result is the one that a player shows in the middle of its 40 ms, counted from
when the first picture of the file appears.  The sound is read from the same instant
(`data.speech.sound`), so that four mel frames and one picture cover the same time.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from jaxtyping import UInt8

from facevox.core.clock import Clock
from facevox.core.errors import MediaError

CLOCK = Clock()
"""25 pictures and 100 mel frames a second."""

MEL_PER_PICTURE = int(CLOCK.frame_rate / CLOCK.fps)
SAMPLES_PER_PICTURE = MEL_PER_PICTURE * CLOCK.hop_length

_HALF = Fraction(1, 2)


def read_pictures(video: Path, first: int, last: int) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Yield the pictures `first` to `last` - 1, RGB and upright; fewer if the video ends before.

    Args:
        video: The file.
        first: Number of the first picture at 25 fps, from 0.
        last: Number after the last.

    Raises:
        MediaError: If the file has no readable pictures.
    """
    number = first
    for picture, end in _shown(video, first / CLOCK.fps):
        pixels: np.ndarray | None = None
        while number < last and (number + _HALF) / CLOCK.fps < end:
            pixels = _upright(picture) if pixels is None else pixels
            yield pixels
            number += 1
        if number >= last:
            return


def _shown(video: Path, start: Fraction) -> Iterator[tuple[av.VideoFrame, Fraction]]:
    """Yield pictures and when they give way to the next [s], from before `start` on."""
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise MediaError(f"{video} has no pictures.")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            unit = stream.time_base or Fraction(1, 1000)
            origin = (stream.start_time or 0) * unit
            step = 1 / Fraction(stream.average_rate or CLOCK.fps)
            if start > 1:
                container.seek(int((start + origin) / unit), stream=stream)
            before: tuple[av.VideoFrame, Fraction] | None = None
            for count, picture in enumerate(container.decode(stream)):
                own = picture.pts * unit - origin if picture.pts is not None else count * step
                if before is not None:
                    yield before[0], own
                before = picture, own
            if before is None:
                raise MediaError(f"{video} has no pictures.")
            yield before[0], before[1] + step
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(f"The pictures of {video} cannot be read ({error}).") from error


def _upright(picture: av.VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """Return the pixels as a player shows them: telephones film sideways and say so."""
    pixels = picture.to_ndarray(format="rgb24")
    turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
