"""A clip and its recording, frame by frame; refused where that means nothing."""

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import UInt8

from facevox.core.errors import InputError
from facevox.evaluation.media import ClipMedia

_OWN_TIMING = (
    "speech made from text has not the timing of the recording, so comparing them frame by "
    "frame means nothing"
)


def frame_pairs(
    media: ClipMedia,
) -> Iterator[tuple[UInt8[np.ndarray, "h w 3"], UInt8[np.ndarray, "h w 3"]]]:
    """Yield the frames of a clip, each with the frame of its recording.

    Frames of another size are brought to the recording's, with a note.

    Raises:
        InputError: If there is no recording of this text, or it has another timing.
    """
    recording = media.spoken_reference
    if media.clip.phones is not None:  # its maker set the times, whatever the length came to
        raise InputError(_OWN_TIMING)
    mine, theirs = (media.num_frames, media.fps), (recording.num_frames, recording.fps)
    if mine != theirs:
        raise InputError(
            f"the clip has {mine[0]} frames at {float(mine[1]):g} fps, its recording "
            f"{theirs[0]} at {float(theirs[1]):g}: {_OWN_TIMING}"
        )
    for frame, real in zip(media.frames(), recording.frames(), strict=True):
        if frame.shape != real.shape:
            media.note(f"frames resized to the recording's {real.shape[1]} x {real.shape[0]} px")
        yield _resized(frame, real.shape[0], real.shape[1]), real


def _resized(
    pixels: UInt8[np.ndarray, "h w 3"], height: int, width: int
) -> UInt8[np.ndarray, "{height} {width} 3"]:
    if pixels.shape[:2] == (height, width):
        return pixels
    smaller = height * width < pixels.shape[0] * pixels.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return cv2.resize(pixels, (width, height), interpolation=way)
