"""Trackers: judges that lay 478 landmarks over the face in every frame of a video.

Two networks of the MediaPipe family can do it.  `attention-mesh` comes with facevox, so
that anybody can repeat a number; `face-landmarker` is newer and was never part of the
package, so that what it says of our pictures does not come from what made them.

Reference:
    Grishchenko et al., Attention Mesh, 2020, arXiv:2006.10962; Kartynnik et al., Real-time
    Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019, arXiv:1907.06724
    (following a face with the crop of the frame before).
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.errors import CheckpointError, MissingPiece
from facevox.core.portrait.attention_mesh import SIDE, attention_mesh
from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.portrait.face_detector import find_faces
from facevox.core.portrait.face_mesh import VIEWS, crop_around
from facevox.core.portrait.face_search import MIN_CONFIDENCE, crop_of
from facevox.core.portrait.portrait import NUM_LANDMARKS

TRACKERS = ("attention-mesh", "face-landmarker")
"""Judges of this kind."""

Pixels = UInt8[np.ndarray, "h w 3"]
Points = Float32[np.ndarray, "478 3"]
Look = Callable[[np.ndarray], tuple[np.ndarray, float]]
"""A network: from a square picture (0 to 1, RGB) to its landmarks [px of the square], and the
logit of there being a face."""


@runtime_checkable
class LandmarkTracker(Protocol):
    """Lays landmarks over the frames of a video."""

    def track(self, frames: Iterable[Pixels]) -> Float32[np.ndarray, "frames 478 3"]:
        """Return the landmarks of every frame [px], NaN where no face was found.

        Args:
            frames: The pictures, RGB, in order.
        """
        ...


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
    """

    look: Look
    side: int
    min_confidence: float
    passes: int = 1
    views: tuple[float, ...] = (1.0,)

    def track(self, frames: Iterable[Pixels]) -> Float32[np.ndarray, "frames 478 3"]:
        """Return the landmarks of every frame [px], NaN where no face was found."""
        rows: list[np.ndarray] = []
        last: Points | None = None
        lost = np.full((NUM_LANDMARKS, 3), np.nan, np.float32)
        following = False
        for pixels in frames:
            crops = [crop_around(last)] if following and last is not None else []
            found = self._first_face(pixels, crops)
            if found is None:
                found = self._first_face(pixels, _detected(pixels, last))
            following = found is not None
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


def _detected(pixels: Pixels, last: Points | None) -> Iterator[FaceCrop]:
    """Yield where faces may be, the likeliest first; look closer if there is none."""
    crops = [crop_of(face) for face in find_faces(pixels) or find_faces(pixels, closer=True)]
    if last is None:
        yield from sorted(crops, key=lambda crop: -crop.size)
    else:
        x, y = last[:, :2].mean(0)
        yield from sorted(crops, key=lambda c: np.hypot(c.center[0] - x, c.center[1] - y))


def load_attention_mesh() -> CropTracker:
    """Return the tracker that comes with facevox.

    Raises:
        MissingPiece: When used, if the face models are not installed.
    """
    return CropTracker(look=attention_mesh, side=SIDE, min_confidence=MIN_CONFIDENCE, views=VIEWS)


def load_face_landmarker(path: Path) -> CropTracker:
    """Return MediaPipe's face landmarker as a tracker.

    Args:
        path: `face_landmarker.task`.

    Raises:
        MissingPiece: If the file is absent.
        CheckpointError: If it is not a landmarker bundle.
    """
    return CropTracker(look=_LandmarkerNetwork(path), side=256, min_confidence=0.0, passes=2)


class _LandmarkerNetwork:
    """The landmark network inside `face_landmarker.task`; the second output is its logit."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with zipfile.ZipFile(path) as bundle:
                content = bundle.read("face_landmarks_detector.tflite")
            self._network = Interpreter(model_content=content, num_threads=1)
            self._network.allocate_tensors()
        except FileNotFoundError:
            raise MissingPiece(
                f"There is no {path}; get face_landmarker.task from MediaPipe's model page, then "
                "facevox judges add face-landmarker FILE."
            ) from None
        except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise CheckpointError(
                f"{path} is not MediaPipe's face_landmarker.task ({error})."
            ) from error
        self._input = self._network.get_input_details()[0]["index"]
        self._points, self._logit = (one["index"] for one in self._network.get_output_details()[:2])

    def __call__(self, face: np.ndarray) -> tuple[np.ndarray, float]:
        self._network.set_tensor(self._input, face[None])
        self._network.invoke()
        points = self._network.get_tensor(self._points).reshape(NUM_LANDMARKS, 3)
        return points, float(self._network.get_tensor(self._logit).reshape(()))
