"""A few pictures of the face from a clip, as JPEG."""

from pathlib import Path

import av
import av.error
import cv2
import numpy as np

from facevox.core.errors import MediaError

_QUALITY = 92


def face_frames(
    video: Path,
    count: int,
    size: int,
    generator: np.random.Generator,
    span: tuple[float, float] | None = None,
) -> list[tuple[int, bytes]]:
    """Return randomly chosen pictures of a clip in their order: frame number and JPEG.

    Corpora of talking faces are cropped to faces already; the framing is kept.

    Args:
        video: The file.
        count: How many; fewer if the clip has fewer frames.
        size: Larger pictures are made smaller to this longest side [px].
        generator: Source of the choice.
        span: Which part of the file, from and to [s].

    Raises:
        MediaError: If the file has no readable pictures.
    """
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise MediaError(f"{video} has no pictures.")
            times = [frame.time or 0.0 for frame in container.decode(video=0)]
            inside = [
                number
                for number, time in enumerate(times)
                if span is None or span[0] <= time < span[1]
            ]
            if not inside:
                raise MediaError(f"{video} has no pictures.")
            chosen = generator.choice(inside, min(count, len(inside)), replace=False)
            wanted = {int(number) for number in chosen}
            container.seek(0)
            found = []
            for number, frame in enumerate(container.decode(video=0)):
                if number in wanted:
                    found.append((number, _jpeg(frame.to_ndarray(format="bgr24"), size)))
                if number >= max(wanted):
                    break
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(f"The pictures of {video} cannot be read ({error}).") from error
    return found


def _jpeg(pixels: np.ndarray, size: int) -> bytes:
    scale = size / max(pixels.shape[:2])
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])
