"""Laying MediaPipe's face mesh of 478 points over a face."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, UInt8

from facevox.core.portrait.attention_mesh import SIDE, attention_mesh
from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS

MARGIN = 1.5
"""Side of the crop over the longer side of the face: a quarter of it on each side."""

RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 33, 263
"""Outer corners of the person's eyes: the line between them is level in the crop."""

VIEWS = (0.85, 0.95, 1.05)
"""Sizes of the crops whose answers are averaged, relative to the one with `MARGIN`."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceMesh:
    """The mesh over one face.

    Attributes:
        confidence: Logit of the crop showing a face; photos of faces have 20 to 36, noise
            less than 7.
        landmarks: x, y and z of the points [px of the photo].
    """

    confidence: float
    landmarks: Float32[np.ndarray, "478 3"]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Corners x0, y0, x1, y1 of the bounding box of the skin [px]."""
        (x0, y0), (x1, y1) = self.landmarks[:468, :2].min(0), self.landmarks[:468, :2].max(0)
        return float(x0), float(y0), float(x1), float(y1)

    @property
    def iod(self) -> float:
        """Distance between the iris centres [px]."""
        return float(np.linalg.norm(self.landmarks[LEFT_IRIS, :2] - self.landmarks[RIGHT_IRIS, :2]))


def fit_mesh(pixels: UInt8[np.ndarray, "h w 3"], crop: FaceCrop) -> FaceMesh:
    """Lay the mesh over the face in a crop.

    A first look finds the face; the answers to the crops around it are averaged, so that
    the mesh depends on the face and not on how the detector happened to frame it.

    Args:
        pixels: The photo, RGB.
        crop: Where the face is.

    Raises:
        MissingPiece: If the network is not installed.
    """
    points, _ = attention_mesh(crop.cut(pixels, SIDE))
    crop = crop_around(crop.to_photo(points, SIDE))
    landmarks, logits = [], []
    for scale in VIEWS:
        view = replace(crop, size=crop.size * scale)
        points, logit = attention_mesh(view.cut(pixels, SIDE))
        landmarks.append(view.to_photo(points, SIDE))
        logits.append(logit)
    return FaceMesh(float(np.mean(logits)), np.mean(landmarks, axis=0).astype(np.float32))


def crop_around(landmarks: Float[np.ndarray, "points 3"]) -> FaceCrop:
    """Return the crop in which the network expects the face with these landmarks."""
    flat = landmarks[:, :2].astype(np.float64)
    return FaceCrop.around(flat, flat[RIGHT_EYE_CORNER], flat[LEFT_EYE_CORNER], MARGIN)
