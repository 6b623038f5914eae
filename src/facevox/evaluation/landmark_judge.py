"""The judge of lips and lids: MediaPipe's face landmarker, run on finished videos.

`face_landmarker.task` (Apache-2.0) is not part of the package: the product uses
older models of the same family, so that a video is not judged by what made it.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.errors import InputError, MissingPiece
from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.portrait.face_mesh import crop_around
from facevox.core.portrait.portrait import NUM_LANDMARKS, Portrait
from facevox.core.portrait.reader import read_portrait

_NETWORK = "face_landmarks_detector.tflite"
_SIDE = 256  # px, input of the network
_PASSES = 2


class LandmarkJudge:
    """478 landmarks of the face in a picture.

    Args:
        task: MediaPipe's `face_landmarker.task`.

    Raises:
        MissingPiece: If the file is absent or not a landmarker bundle.
    """

    def __init__(self, task: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with zipfile.ZipFile(task) as bundle:
                content = bundle.read(_NETWORK)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise MissingPiece(
                f"The landmark judge needs MediaPipe's face_landmarker.task, got {task} ({error}); "
                "get it from MediaPipe's model page and give its path."
            ) from error
        self._network = Interpreter(model_content=content, num_threads=1)
        self._network.allocate_tensors()
        self._input = self._network.get_input_details()[0]["index"]
        self._output = self._network.get_output_details()[0]["index"]

    def landmarks(
        self, pixels: UInt8[np.ndarray, "h w 3"], near: Float32[np.ndarray, "478 3"]
    ) -> Float32[np.ndarray, "478 3"]:
        """Return the landmarks [px] of a picture, given those of a similar one."""
        points = near
        for _ in range(_PASSES):
            points = self._fit(pixels, crop_around(points))
        return points

    def track(self, video: Path) -> Float32[np.ndarray, "frames 478 3"]:
        """Return the landmarks [px] of every frame of a video.

        Raises:
            InputError: If the first frame shows no face, or the file has no pictures.
        """
        rows = []
        near: Float32[np.ndarray, "478 3"] | None = None
        for pixels in read_frames(video):
            if near is None:
                near = read_portrait(pixels).landmarks
            near = self.landmarks(pixels, near)
            rows.append(near)
        if not rows:
            raise InputError(f"{video} has no pictures.")
        return np.stack(rows)

    def portrait(self, portrait: Portrait) -> Float32[np.ndarray, "478 3"]:
        """Return the judge's own landmarks [px] of a photo."""
        return self.landmarks(portrait.pixels, portrait.landmarks)

    def _fit(
        self, pixels: UInt8[np.ndarray, "h w 3"], crop: FaceCrop
    ) -> Float32[np.ndarray, "478 3"]:
        self._network.set_tensor(self._input, crop.cut(pixels, _SIDE)[None])
        self._network.invoke()
        points = self._network.get_tensor(self._output).reshape(NUM_LANDMARKS, 3)
        return crop.to_photo(points, _SIDE)


def read_frames(video: Path) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Yield the pictures of a video, RGB.

    Raises:
        InputError: If the file is not a video.
    """
    try:
        with av.open(str(video)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
    except (av.error.FFmpegError, IndexError) as error:
        raise InputError(f"{video} cannot be read as a video ({error}).") from error
