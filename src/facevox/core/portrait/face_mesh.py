"""Laying MediaPipe's face mesh of 478 points over a face.

Reference: Kartynnik et al., "Real-time Facial Surface Geometry from Monocular
Video on Mobile GPUs", 2019, arXiv:1907.06724; Ablavatski et al., "Real-time Pupil
Tracking from Monocular Video for Digital Puppetry", 2020, arXiv:2006.11341.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, Float32, UInt8

from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.portrait.mediapipe_model import MediapipeModel

SIDE = 192
"""Side of the mesh network's input [px]."""

MARGIN = 1.5
"""Side of the crop over the longer side of the face: a quarter of it on each side."""

RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 33, 263
"""Outer corners of the person's eyes: the line between them is level in the crop."""

PASSES = 2

_IRIS_SIDE, _IRIS_MARGIN = 64, 2.3
_RIGHT_LID_CORNERS, _LEFT_LID_CORNERS = (33, 133), (263, 362)


@dataclass(frozen=True, slots=True, eq=False)
class FaceMesh:
    """The mesh over one face.

    Attributes:
        score: How sure the network is that the crop showed a face, 0 to 1.
        landmarks: x, y and z of the points [px of the photo].
    """

    score: float
    landmarks: Float32[np.ndarray, "478 3"]


def fit_mesh(pixels: UInt8[np.ndarray, "h w 3"], crop: FaceCrop, passes: int = PASSES) -> FaceMesh:
    """Lay the mesh over the face in a crop.

    Each further pass looks at the crop around the points of the one before, so that
    the answer depends on the face and not on how the detector happened to frame it.

    Args:
        pixels: The photo, RGB.
        crop: Where the face is.
        passes: How often the network looks.

    Raises:
        MissingPiece: If the networks are not installed.
    """
    for remaining in reversed(range(passes)):
        points, logit = _mesh_model()(crop.cut(pixels, SIDE))
        landmarks = crop.to_photo(points.reshape(-1, 3), SIDE)
        if remaining:
            crop = crop_around(landmarks)
    irises = [_iris(pixels, landmarks, left=left) for left in (False, True)]
    score = 1 / (1 + np.exp(-np.clip(logit[0], -80, 80)))
    return FaceMesh(float(score), np.concatenate([landmarks, *irises]).astype(np.float32))


def crop_around(landmarks: Float[np.ndarray, "points 3"]) -> FaceCrop:
    """Return the crop in which the networks expect the face with these landmarks."""
    flat = landmarks[:, :2].astype(np.float64)
    return FaceCrop.around(flat, flat[RIGHT_EYE_CORNER], flat[LEFT_EYE_CORNER], MARGIN)


def _iris(pixels: np.ndarray, landmarks: np.ndarray, *, left: bool) -> np.ndarray:
    """Return centre and edge of one iris; the network knows right eyes only."""
    corners = list(_LEFT_LID_CORNERS if left else _RIGHT_LID_CORNERS)
    flat = landmarks[:, :2].astype(np.float64)
    crop = FaceCrop.around(
        flat[corners], flat[RIGHT_EYE_CORNER], flat[LEFT_EYE_CORNER], _IRIS_MARGIN
    )
    eye = crop.cut(pixels, _IRIS_SIDE)
    _, iris = _iris_model()(eye[:, ::-1] if left else eye)
    iris = iris.reshape(5, 3)
    if left:
        iris[:, 0] = _IRIS_SIDE - iris[:, 0]
    points = crop.to_photo(iris, _IRIS_SIDE)
    points[:, 2] = landmarks[corners, 2].mean()
    return points


@cache
def _mesh_model() -> MediapipeModel:
    return MediapipeModel("face_landmark")


@cache
def _iris_model() -> MediapipeModel:
    return MediapipeModel("iris_landmark")
