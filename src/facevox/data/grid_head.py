"""Head, eyes and brows of GRID's speaker, measured on the landmarks of his clips."""

import numpy as np
from jaxtyping import Float, Float32
from scipy.ndimage import gaussian_filter1d, median_filter

from facevox.core.errors import DataError
from facevox.core.portrait.head_pose import estimate_head_poses
from facevox.data.grid import FaceTrack

_RIGHT_IRIS, _LEFT_IRIS = 468, 473
_MILLIMETRES_PER_IOD, _EYEBALL_RADIUS = 63.0, 12.0
"""Of an average adult [mm]: what turns the way of an iris into an angle."""

_OPEN_SHARE = 70
"""Percentile of the lids' distance over a clip at which they count as open."""

_SLIGHT, _SHUT = 0.25, 0.75
"""Closures up to here are no closure, and from here on the lids are shut."""

_LARGEST_GAZE = 8.0
_BROW_UNIT = 0.06
"""Rise of the brows that counts as 1 [IOD]."""

_POSE_BLUR, _GAZE_BLUR, _BROW_BLUR = 1.0, 0.7, 1.5
"""Standard deviations over time, against shaking landmarks [frames]."""


class _Eye:
    """Landmarks of one eye; `side` is +1 if its outer corner lies to the picture's right."""

    def __init__(
        self, side: int, corners: tuple[int, int], lids: list[list[int]], brow: list[int], iris: int
    ) -> None:
        self.side, self.iris, self.brow = side, iris, brow
        self.outer, self.inner = corners
        self.upper, self.lower = lids


_EYES = (
    _Eye(-1, (33, 133), [[159, 158, 160], [145, 153, 144]], [105, 66, 107], _RIGHT_IRIS),
    _Eye(1, (263, 362), [[386, 385, 387], [374, 380, 373]], [334, 296, 336], _LEFT_IRIS),
)


def measure_others(track: FaceTrack) -> Float32[np.ndarray, "frames 9"]:
    """Return head pose (3) [deg], breath, eyelids, gaze (2) [deg], brows and smile.

    All is relative to the clip's median, as `core.motion.Motion` is to the photo.  Breath and
    smile cannot be seen and are 0.  Where the face was not found, the nearest frame stands.

    Raises:
        DataError: If no frame shows a face.
    """
    rows = np.flatnonzero(track.found)
    if not len(rows):
        raise DataError("A clip in which no face was found has no head to measure.")
    nearest = np.abs(rows - np.arange(len(track.found))[:, None]).argmin(1)
    points = track.landmarks[rows[nearest]].astype(np.float64)
    irises = points[:, _LEFT_IRIS, :2] - points[:, _RIGHT_IRIS, :2]
    iod = float(np.median(np.linalg.norm(irises, axis=1)))
    pose = np.asarray(estimate_head_poses(points), np.float64)
    pose = gaussian_filter1d(pose - np.median(pose, 0), _POSE_BLUR, axis=0)
    eyelids = _closure(np.mean([_opening(points, eye) for eye in _EYES], 0))
    gaze = _gaze(np.mean([_iris_way(points, eye) for eye in _EYES], 0) / iod, eyelids)
    brows = np.mean([_brow_height(points, eye) for eye in _EYES], 0) / iod
    brows = gaussian_filter1d((brows - np.median(brows)) / _BROW_UNIT, _BROW_BLUR)
    unseen = np.zeros(len(points))
    columns = [pose, unseen, eyelids, gaze, np.clip(brows, -1, 1), unseen]
    return np.column_stack(columns).astype(np.float32)


def _closure(opening: Float[np.ndarray, " frames"]) -> Float[np.ndarray, " frames"]:
    """Return how far lids are shut, from their distance in any unit."""
    closed = 1 - opening / max(float(np.percentile(opening, _OPEN_SHARE)), 1e-6)
    return np.clip((closed - _SLIGHT) / (_SHUT - _SLIGHT), 0, 1)


def _gaze(
    way: Float[np.ndarray, "frames 2"], eyelids: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, "frames 2"]:
    """Return the turn of the eyes [deg] from the way of the irises [IOD]; 0 behind lids."""
    turn = np.degrees(way * _MILLIMETRES_PER_IOD / _EYEBALL_RADIUS)
    turn = median_filter(turn - np.median(turn, 0), (5, 1))
    turn[eyelids > 0.2] = 0
    return np.clip(gaussian_filter1d(turn, _GAZE_BLUR, axis=0), -_LARGEST_GAZE, _LARGEST_GAZE)


def _opening(points: np.ndarray, eye: _Eye) -> np.ndarray:
    return points[:, eye.lower, 1].mean(1) - points[:, eye.upper, 1].mean(1)


def _iris_way(points: np.ndarray, eye: _Eye) -> np.ndarray:
    """Return how far the iris lies from the middle of the eye, along and across it [px]."""
    outer, inner = points[:, eye.outer, :2], points[:, eye.inner, :2]
    along = eye.side * (outer - inner)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    way = points[:, eye.iris, :2] - (outer + inner) / 2
    across = way[:, 1] * along[:, 0] - way[:, 0] * along[:, 1]
    return np.stack([(way * along).sum(1), across], 1)


def _brow_height(points: np.ndarray, eye: _Eye) -> np.ndarray:
    return points[:, [eye.outer, eye.inner], 1].mean(1) - points[:, eye.brow, 1].mean(1)
