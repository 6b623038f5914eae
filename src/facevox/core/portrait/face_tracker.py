"""Following one face through a video.

Reference:
    Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs,
    2019, arXiv:1907.06724 (following a face with the crop of the frame before).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.portrait.face_detector import find_faces
from facevox.core.portrait.face_mesh import crop_around
from facevox.core.portrait.face_search import crop_of
from facevox.core.portrait.portrait import NUM_LANDMARKS

Pixels = UInt8[np.ndarray, "h w 3"]
Points = Float32[np.ndarray, "478 3"]
Look = Callable[[np.ndarray], tuple[np.ndarray, float]]
"""A network: from a square picture (0 to 1, RGB) to its landmarks [px of the square], and the
logit of there being a face."""


@dataclass(frozen=True, kw_only=True)
class CropTracker:
    """Follows one face: it is looked for near the landmarks of the frame before.

    At the first frame, and whenever the network no longer sees a face there, the detector
    looks in the whole picture: for the largest face at first, later for the one nearest to
    where the face was lost.

    Attributes:
        look: The network.
        side: Side of the square that it takes [px].
        min_confidence: Logit below which the face counts as lost.
        passes: Looks at each frame, each around the landmarks of the one before.
        views: Sizes of the squares of the last pass, relative to the usual one; what is seen
            in them is averaged.
        patience: Pictures without a face in a row after which the detector no longer looks
            closer, which takes ten times as long; None never loses it.
    """

    look: Look
    side: int
    min_confidence: float
    passes: int = 1
    views: tuple[float, ...] = (1.0,)
    patience: int | None = None

    def track(self, frames: Iterable[Pixels]) -> Float32[np.ndarray, "frames 478 3"]:
        """Return the landmarks of every frame [px], NaN where no face was found."""
        rows: list[np.ndarray] = []
        last: Points | None = None
        lost = np.full((NUM_LANDMARKS, 3), np.nan, np.float32)
        following, misses = False, 0
        for pixels in frames:
            crops = [crop_around(last)] if following and last is not None else []
            found = self._first_face(pixels, crops)
            if found is None:
                closer = self.patience is None or misses < self.patience
                found = self._first_face(pixels, _detected(pixels, last, closer))
            following = found is not None
            misses = 0 if following else misses + 1
            last = last if found is None else found
            rows.append(lost if found is None else found)
        return np.stack(rows) if rows else np.zeros((0, NUM_LANDMARKS, 3), np.float32)

    def _first_face(self, pixels: Pixels, crops: Iterable[FaceCrop]) -> Points | None:
        """Return the landmarks in the first of the crops that shows a face."""
        for crop in crops:
            for _ in range(self.passes - 1):
                crop = crop_around(self._seen(pixels, crop)[0])
            views = [
                self._seen(pixels, replace(crop, size=crop.size * scale)) for scale in self.views
            ]
            if np.mean([confidence for _, confidence in views]) >= self.min_confidence:
                return np.stack([points for points, _ in views]).mean(0, dtype=np.float32)
        return None

    def _seen(self, pixels: Pixels, crop: FaceCrop) -> tuple[Points, float]:
        points, confidence = self.look(crop.cut(pixels, self.side))
        return crop.to_photo(points, self.side), confidence


def _detected(pixels: Pixels, last: Points | None, closer: bool) -> Iterator[FaceCrop]:
    """Yield where faces may be, the likeliest first; look closer if there is none."""
    faces = find_faces(pixels) or (find_faces(pixels, closer=True) if closer else [])
    crops = [crop_of(face) for face in faces]
    if last is None:
        yield from sorted(crops, key=lambda crop: -crop.size)
    else:
        x, y = last[:, :2].mean(0)
        yield from sorted(crops, key=lambda c: np.hypot(c.center[0] - x, c.center[1] - y))
