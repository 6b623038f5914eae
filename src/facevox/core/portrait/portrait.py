"""The photo of one person: pixels, where the face is, and its landmarks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

NUM_LANDMARKS = 478
"""MediaPipe's face mesh: 468 points of the skin, then 5 of each iris."""

RIGHT_IRIS, LEFT_IRIS = 468, 473
"""Centres of the irises of the person's right eye (left in the picture) and left eye."""

TURN_WARNING, TURN_LIMIT = 25.0, 60.0
"""Yaw beyond which a face is warned about, and beyond which it is refused [deg]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Portrait:
    """A photo and the face in it that shall speak.

    Attributes:
        pixels: The whole photo, upright, RGB in sRGB.
        face_box: Corners x0, y0, x1, y1 of the face [px].
        landmarks: x, y [px of the photo, from the corner of its first pixel, so
            that array indices are half a pixel less] and z (towards the viewer is
            negative, same unit as x) of the face mesh.
        head_pose: Yaw (+ = towards the picture's right), pitch (+ = down), roll
            (+ = clockwise in the picture) of the head in the photo [deg].
        face_index: Which of the faces, 0 = the largest.
        face_count: Faces found in the photo.
        drawn: Whether the face looks drawn or rendered, not photographed.
        warnings: What may make the result look worse, in plain sentences.
    """

    pixels: UInt8[np.ndarray, "height width 3"]
    face_box: tuple[float, float, float, float]
    landmarks: Float32[np.ndarray, "478 3"]
    head_pose: tuple[float, float, float]
    face_index: int = 0
    face_count: int = 1
    drawn: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def iod(self) -> float:
        """Distance between the iris centres [px]: the unit of all face motion."""
        return float(np.linalg.norm(self.landmarks[LEFT_IRIS, :2] - self.landmarks[RIGHT_IRIS, :2]))
