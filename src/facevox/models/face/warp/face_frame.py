"""How the face stands in the picture: its axes, its scale, its lines."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from facevox.models.face.mouth_basis import STABLE, fit_similarity

OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Outline of the face, clockwise from the top of the forehead."""

CHIN, NOSE_BASE = 152, 2
IRISES = (468, 473)


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceFrame:
    """Pose of the face mesh in a picture.

    Attributes:
        iod: Pixels per IOD, as if seen from the front.
        rotation: Turns canonical directions into the picture's (x right, y down, z away).
        right: Unit vector across the face in the picture, towards its right side.
        down: Unit vector along the face in the picture, towards the chin.
        eyes: Point between the irises [px].
    """

    iod: float
    rotation: Float32[np.ndarray, "3 3"]
    right: Float32[np.ndarray, " 2"]
    down: Float32[np.ndarray, " 2"]
    eyes: Float32[np.ndarray, " 2"]

    def to_picture(self, displacement: Float[np.ndarray, "*n 3"]) -> Float32[np.ndarray, "*n 2"]:
        """Return canonical displacements [IOD] as displacements in the picture [px]."""
        return (self.iod * (displacement @ self.rotation[:2].T)).astype(np.float32)

    def along(self, points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n"]:
        """Return how far points lie below the eyes, along the face [IOD]."""
        return ((points - self.eyes) @ self.down) / self.iod

    def across(self, points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n"]:
        """Return how far points lie to the right of the middle of the eyes [IOD]."""
        return ((points - self.eyes) @ self.right) / self.iod


def fit_face_frame(
    landmarks: Float32[np.ndarray, "478 3"], neutral: Float32[np.ndarray, "478 3"]
) -> FaceFrame:
    """Find scale and rotation of a face from the points that never move by themselves."""
    stable = list(STABLE)
    _, rotation, _ = fit_similarity(
        neutral[stable].astype(np.float64), landmarks[stable].astype(np.float64)
    )
    irises = landmarks[list(IRISES), :2]
    seen = float(np.linalg.norm(irises[1] - irises[0]))
    across = (irises[1] - irises[0]) / seen
    # A turned face shows its eyes closer together than they are.
    foreshortening = max(float(np.linalg.norm(rotation[:2, 0])), 0.5)
    return FaceFrame(
        iod=seen / foreshortening,
        rotation=rotation.astype(np.float32),
        right=across.astype(np.float32),
        down=np.array([-across[1], across[0]], np.float32),
        eyes=irises.mean(0).astype(np.float32),
    )


def smoothstep(
    values: Float[np.ndarray, "*n"], start: float, end: float
) -> Float[np.ndarray, "*n"]:
    """Return 0 before `start`, 1 after `end`, and a smooth rise in between."""
    part = np.clip((values - start) / (end - start), 0.0, 1.0)
    return part * part * (3.0 - 2.0 * part)
