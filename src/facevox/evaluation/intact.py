"""Whether a video file is all there.

Decoders take a file whose end is missing without a word: what is left is played, and a
number for it would pass for one of the whole clip.
"""

from pathlib import Path

import av

from facevox.core.errors import InputError

_SECONDS, _SHARE = 0.5, 0.05
"""How much earlier than stated a whole file may end: seconds, and part of its length."""


def check_intact(video: Path) -> None:
    """Raise if a file is no video or its end is missing; nothing is decoded.

    Args:
        video: The file.

    Raises:
        InputError: If it is absent, empty, no video, without pictures, or cut off.
    """
    if video.is_dir():
        raise InputError(f"{video} is a folder; give a video file.")
    if not video.is_file():
        raise InputError(f"There is no file {video}.")
    if not video.stat().st_size:
        raise InputError(f"{video} is an empty file; give a video.")
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise InputError(f"{video} has no pictures; give a video.")
            stated = (container.duration or 0) / av.time_base
            end, damaged = _last_moment(container)
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(f"{video} cannot be read as a video ({error.strerror}).") from error
    if damaged or stated - end > max(_SECONDS, _SHARE * stated):
        raise InputError(
            f"{video} is cut off: {stated:.2f} s were expected, {min(end, stated):.2f} s are "
            "there; copy or make it again."
        )


def _last_moment(container: "av.container.InputContainer") -> tuple[float, bool]:
    """Return when the last packet ends [s], and whether a packet lacks bytes."""
    end, damaged = 0.0, False
    for packet in container.demux():
        damaged |= packet.is_corrupt
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None and packet.time_base is not None:
            end = max(end, float((stamp + (packet.duration or 0)) * packet.time_base))
    return end, damaged
