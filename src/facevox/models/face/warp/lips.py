"""The lips: their landmarks, the line at which they part, and how far.

Rows run from the inner edge to the outer edge of a lip, columns from the
picture's left to its right.  Corners are listed apart, because both lips own them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy.interpolate import CubicSpline

from facevox.models.face.warp.face_frame import FaceFrame

UPPER_ROWS = (
    (191, 80, 81, 82, 13, 312, 311, 310, 415),
    (183, 42, 41, 38, 12, 268, 271, 272, 407),
    (184, 74, 73, 72, 11, 302, 303, 304, 408),
    (185, 40, 39, 37, 0, 267, 269, 270, 409),
)
LOWER_ROWS = (
    (95, 88, 178, 87, 14, 317, 402, 318, 324),
    (96, 89, 179, 86, 15, 316, 403, 319, 325),
    (77, 90, 180, 85, 16, 315, 404, 320, 307),
    (146, 91, 181, 84, 17, 314, 405, 321, 375),
)
LEFT_CORNER = (78, 62, 76, 61)
RIGHT_CORNER = (308, 292, 306, 291)
COLUMNS = len(UPPER_ROWS[0])
MIDDLE = COLUMNS // 2

NEARLY_CLOSED = 0.03
"""Lips of the photo that are less apart than this count as closed [IOD]."""

_PROFILE = np.array([0.34, 0.60, 0.85, 0.97, 1.0, 0.97, 0.85, 0.60, 0.34])
"""Typical opening over the columns, 1 in the middle (mean of 125 open frames)."""

_PROFILE_WEIGHT = 0.06
"""Opening at which the face's own profile counts as much as the typical one [IOD]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LipLine:
    """The inner edges of both lips from corner to corner, in the picture [px].

    Attributes:
        upper: Inner edge of the upper lip with both corners.
        lower: Inner edge of the lower lip with both corners.
    """

    upper: Float32[np.ndarray, "points 2"]
    lower: Float32[np.ndarray, "points 2"]

    @property
    def middle(self) -> Float32[np.ndarray, "points 2"]:
        """The line half way between the lips."""
        return (self.upper + self.lower) / 2

    def gap(self, frame: FaceFrame) -> Float[np.ndarray, " columns"]:
        """Return the opening of every column, without corners [IOD]."""
        return ((self.lower - self.upper)[1:-1] @ frame.down) / frame.iod


def inner_lines(landmarks: Float32[np.ndarray, "478 _"]) -> LipLine:
    """Return the inner lip edges of a face mesh."""
    points = landmarks[:, :2]
    corners = points[LEFT_CORNER[0]], points[RIGHT_CORNER[0]]
    return LipLine(
        upper=np.vstack([corners[0], points[list(UPPER_ROWS[0])], corners[1]]),
        lower=np.vstack([corners[0], points[list(LOWER_ROWS[0])], corners[1]]),
    )


def wanted_gap(natural: Float[np.ndarray, " 9"], lip_gap: float) -> Float[np.ndarray, " 9"]:
    """Return the opening of every column that makes the middle one `lip_gap`.

    The profile over the columns is the one that the mouth shape brings along,
    leaning on the typical one where that shape is nearly closed: a scaled
    profile stays closed everywhere when the middle is.

    Args:
        natural: Opening that the mouth shape alone gives [IOD]; may be negative.
        lip_gap: Opening wanted in the middle [IOD].
    """
    profile = np.maximum(natural, 0.0) + _PROFILE_WEIGHT * _PROFILE
    return max(lip_gap, 0.0) * profile / profile[MIDDLE]


def smooth_line(
    points: Float[np.ndarray, "points 2"], count: int = 41
) -> Float32[np.ndarray, "count 2"]:
    """Return a smooth curve of `count` points through a lip edge."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(np.maximum(steps, 1e-6))])
    spline = CubicSpline(length / length[-1], points, bc_type="natural")
    return spline(np.linspace(0.0, 1.0, count)).astype(np.float32)
