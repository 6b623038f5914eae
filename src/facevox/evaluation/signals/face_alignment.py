"""Faces laid on the five points that networks of face recognition were trained with.

Trap: there are several templates for the same 112 x 112 square.  The one here is that of
InsightFace, which is MTCNN's 112 x 96 template moved 8 px to the right.  Papers that name
CurricularFace or ArcFace rarely say which one they used (CurricularFace's authors were
asked twice, issue 33 there and issue 41 of TFace, and did not answer; their paper only says
"112 x 112 faces with five landmarks").  A wrong template costs accuracy without any error.

Reference:
    Umeyama, Least-squares estimation of transformation parameters between two point
    patterns, IEEE TPAMI 1991.
    Deng et al., ArcFace: additive angular margin loss for deep face recognition, CVPR 2019.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

SIDE = 112
"""Side of the square [px]."""

ARCFACE_TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
"""Right eye (left in the picture), left eye, nose tip, right and left mouth corner [px]."""

EYE_CORNERS = ((33, 133), (362, 263))
NOSE_TIP = 4
MOUTH_CORNERS = (61, 291)
_HALF = 0.5  # px: landmarks count from the corner of a pixel, arrays from its middle


def five_points(landmarks: Float32[np.ndarray, "478 3"]) -> Float64[np.ndarray, "5 2"]:
    """Return the eyes, the nose tip and the mouth corners [px].

    An eye is the middle of its corners, not the iris, so that gaze does not move it.
    """
    flat = landmarks[:, :2].astype(np.float64)
    eyes = [flat[list(corners)].mean(0) for corners in EYE_CORNERS]
    return np.stack([*eyes, flat[NOSE_TIP], *flat[list(MOUTH_CORNERS)]])


def fit_similarity(
    source: Float[np.ndarray, "n 2"], target: Float[np.ndarray, "n 2"]
) -> Float64[np.ndarray, "2 3"]:
    """Return turn, scale and shift that carry `source` closest to `target` (Umeyama).

    Returns:
        Affine matrix: target ~ source @ m[:, :2].T + m[:, 2].
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    a, b = source - source.mean(0), target - target.mean(0)
    left, spread, right = np.linalg.svd(b.T @ a / len(a))
    sign = np.array([1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    scale = float((spread * sign).sum() / max((a**2).sum(1).mean(), 1e-12))
    turn = scale * (left * sign) @ right
    return np.column_stack([turn, target.mean(0) - turn @ source.mean(0)])


def warp_picture(
    pixels: UInt8[np.ndarray, "h w 3"], matrix: Float64[np.ndarray, "2 3"], size: tuple[int, int]
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Return the picture under an affine map, black where there is none.

    A picture that shrinks by more than two is averaged down first: InsightFace does not do
    that, so that its scores of a large photo depend on where its pixels happen to lie.

    Args:
        pixels: The picture, RGB.
        matrix: From array indices of the picture to those of the result.
        size: Width and height of the result [px].
    """
    factor = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if factor < _HALF:
        height, width = pixels.shape[:2]
        small = max(1, round(width * factor)), max(1, round(height * factor))
        stretch = np.array([width / small[0], height / small[1]])
        pixels = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
        turn = matrix[:, :2] * stretch
        matrix = np.column_stack([turn, matrix[:, 2] + matrix[:, :2] @ (stretch - 1) / 2])
    return cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR)


def align_face(
    pixels: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"]
) -> UInt8[np.ndarray, "112 112 3"]:
    """Return the face as networks of face recognition want it.

    Args:
        pixels: The whole picture, RGB.
        landmarks: Of the face [px].
    """
    matrix = fit_similarity(five_points(landmarks) - _HALF, ARCFACE_TEMPLATE)
    return warp_picture(pixels, matrix, (SIDE, SIDE))
