"""How a face moves over time: the seam between motion models and renderers.

All arrays have one row per video frame.  Lengths are in IOD (distance between
the iris centres), angles in degrees, and everything is relative to the photo.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float32

NUM_MOUTH = 6
"""Coefficients of the learned mouth basis (`models/face/mouth_basis.py`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """Motion of one face, one row per video frame.

    Attributes:
        fps: Video frames per second.
        mouth: Coefficients of the mouth basis, 0 = lips at rest and closed.
        lip_gap: Distance between the inner lips at the middle [IOD]; 0 = touching.
            The renderer meets it exactly: the basis alone leaves closures ajar.
        tongue: Tongue tip behind or between the teeth (th, l, t, d, n), 0 to 1.
        lip_roll: Lower lip tucked under the upper teeth (f, v), 0 to 1.
        head_pose: Yaw (+ = towards the picture's right), pitch (+ = down),
            roll (+ = clockwise in the picture), relative to the photo [deg].
        breath: Rise of the shoulders, 0 to 1.
        eyelids: Closure of both lids, 0 = as in the photo, 1 = shut.
        gaze: Eye rotation to the picture's right and down [deg].
        brows: Raise of the brows, -1 to 1.
        smile: Corners of the mouth, -1 (serious) to 1 (smiling).
    """

    fps: Fraction
    mouth: Float32[np.ndarray, "frames 6"]
    lip_gap: Float32[np.ndarray, " frames"]
    tongue: Float32[np.ndarray, " frames"]
    lip_roll: Float32[np.ndarray, " frames"]
    head_pose: Float32[np.ndarray, "frames 3"]
    breath: Float32[np.ndarray, " frames"]
    eyelids: Float32[np.ndarray, " frames"]
    gaze: Float32[np.ndarray, "frames 2"]
    brows: Float32[np.ndarray, " frames"]
    smile: Float32[np.ndarray, " frames"]

    def __len__(self) -> int:
        """Return the number of video frames."""
        return len(self.mouth)

    @classmethod
    def rest(cls, num_frames: int, fps: Fraction = Fraction(25)) -> "Motion":
        """Return a motionless face with closed lips."""
        shapes = {"mouth": (NUM_MOUTH,), "head_pose": (3,), "gaze": (2,)}
        channels: dict[str, Any] = {
            field.name: np.zeros((num_frames, *shapes.get(field.name, ())), np.float32)
            for field in fields(cls)
            if field.name != "fps"
        }
        return cls(fps=fps, **channels)

    def __getitem__(self, rows: slice) -> "Motion":
        """Return a run of frames."""
        return self._map(lambda array: array[rows])

    def rows(self) -> Iterator["Motion"]:
        """Yield one-frame motions, in order."""
        for index in range(len(self)):
            yield self[index : index + 1]

    def with_channels(self, **channels: np.ndarray) -> "Motion":
        """Return a copy with some channels replaced (cast to float32)."""
        cast: dict[str, Any] = {
            name: np.asarray(array, np.float32) for name, array in channels.items()
        }
        return replace(self, **cast)

    def _map(self, function: Callable[[np.ndarray], np.ndarray]) -> "Motion":
        channels: dict[str, Any] = {
            field.name: function(getattr(self, field.name))
            for field in fields(self)
            if field.name != "fps"
        }
        return replace(self, **channels)
