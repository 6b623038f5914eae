"""Trackers: judges that lay 478 landmarks over the face in every frame of a video.

Two networks of the MediaPipe family can do it.  `attention-mesh` comes with facevox, so
that anybody can repeat a number; `face-landmarker` is newer and was never part of the
package, so that what it says of our pictures does not come from what made them.

Reference:
    Grishchenko et al., Attention Mesh, 2020, arXiv:2006.10962; `core.portrait.face_tracker`
    names who follows a face with the crop of the frame before.
"""

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.errors import CheckpointError, MissingPiece
from facevox.core.portrait.attention_mesh import SIDE, attention_mesh
from facevox.core.portrait.face_mesh import VIEWS
from facevox.core.portrait.face_search import MIN_CONFIDENCE
from facevox.core.portrait.face_tracker import CropTracker
from facevox.core.portrait.portrait import NUM_LANDMARKS

TRACKERS = ("attention-mesh", "face-landmarker")
"""Judges of this kind."""

Pixels = UInt8[np.ndarray, "h w 3"]


@runtime_checkable
class LandmarkTracker(Protocol):
    """Lays landmarks over the frames of a video."""

    def track(self, frames: Iterable[Pixels]) -> Float32[np.ndarray, "frames 478 3"]:
        """Return the landmarks of every frame [px], NaN where no face was found.

        Args:
            frames: The pictures, RGB, in order.
        """
        ...


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
