"""Telling a `ClipMedia` what it would otherwise find out from a file."""

from collections.abc import Iterable

import av
import numpy as np

from facevox.evaluation.media import ClipMedia


def tell(
    media: ClipMedia,
    *,
    landmarks: np.ndarray | None = None,
    frames: Iterable[np.ndarray] | None = None,
    **known,
) -> ClipMedia:
    """Set landmarks, pictures, and what else is cached, such as `fps`."""
    media.__dict__.update(known)
    if landmarks is not None:
        media.once("landmarks", lambda: np.asarray(landmarks, np.float32))
    if frames is not None:
        pictures = [av.VideoFrame.from_ndarray(pixels, format="rgb24") for pixels in frames]
        media.__dict__["_pictures"] = lambda rate: iter(pictures)
    return media
