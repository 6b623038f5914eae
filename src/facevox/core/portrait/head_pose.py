"""Yaw, pitch and roll of a head from its landmarks."""

import numpy as np
from jaxtyping import Float, Float32, Float64

# (right, left) landmark, then x, y, z of the left one in a frontal head [IOD]; the right one
# is its mirror image.  Points that neither speech nor expression moves.
_RIGID_POINTS = (
    (10, 10, 0.0, -0.840, -0.269),
    (151, 151, 0.0, -0.597, -0.334),
    (9, 9, 0.0, -0.330, -0.383),
    (8, 8, 0.0, -0.191, -0.363),
    (168, 168, 0.0, -0.063, -0.358),
    (6, 6, 0.0, 0.056, -0.430),
    (197, 197, 0.0, 0.163, -0.512),
    (195, 195, 0.0, 0.260, -0.602),
    (5, 5, 0.0, 0.363, -0.695),
    (4, 4, 0.0, 0.491, -0.736),
    (33, 263, 0.694, 0.000, 0.000),
    (133, 362, 0.262, 0.029, -0.087),
    (127, 356, 1.112, 0.107, 0.806),
    (234, 454, 1.103, 0.342, 0.875),
    (117, 346, 0.828, 0.271, -0.003),
    (119, 348, 0.523, 0.286, -0.141),
    (54, 284, 0.940, -0.538, 0.242),
    (67, 297, 0.549, -0.784, -0.140),
    (103, 332, 0.783, -0.686, 0.037),
    (129, 358, 0.318, 0.579, -0.262),
    (143, 372, 0.986, 0.088, 0.232),
    (46, 276, 0.859, -0.188, -0.068),
)
RIGID_LANDMARKS = tuple(
    sorted({index for right, left, *_ in _RIGID_POINTS for index in (right, left)})
)
"""Landmarks that neither speech nor expression moves."""

_ORDER = [right for right, *_ in _RIGID_POINTS] + [left for _, left, *_ in _RIGID_POINTS]
_FRONTAL = np.array(
    [(-x, y, z) for _, _, x, y, z in _RIGID_POINTS] + [(x, y, z) for _, _, x, y, z in _RIGID_POINTS]
)


def estimate_head_pose(
    landmarks: Float32[np.ndarray, "points 3"] | Float[np.ndarray, "points 3"],
) -> tuple[float, float, float]:
    """Estimate how a head is turned.

    Fits the mean frontal head to the rigid landmarks by rotation, scale and shift
    (weak perspective), and reads the rotation as Rz(roll) Ry(-yaw) Rx(pitch), so that
    turning the photo changes the roll and nothing else.

    Args:
        landmarks: Of the face mesh [px].

    Returns:
        Yaw (+ = towards the picture's right), pitch (+ = down), roll (+ = clockwise
        in the picture) [deg].

    Reference: Kabsch, "A solution for the best rotation to relate two sets of
    vectors", Acta Crystallographica A32, 1976.
    """
    yaw, pitch, roll = estimate_head_poses(np.asarray(landmarks)[None])[0]
    return float(yaw), float(pitch), float(roll)


def estimate_head_poses(
    landmarks: Float32[np.ndarray, "frames points 3"] | Float[np.ndarray, "frames points 3"],
) -> Float64[np.ndarray, "frames 3"]:
    """Estimate how a head is turned in many frames; see `estimate_head_pose`.

    Args:
        landmarks: Of the face mesh [px]; a frame that holds NaN gives NaN.

    Returns:
        Yaw, pitch and roll [deg].
    """
    rigid = np.asarray(landmarks, np.float64)[:, _ORDER]
    found = np.isfinite(rigid).all((1, 2))
    rotation = _best_rotations(_FRONTAL, rigid[found])
    poses = np.full((len(rigid), 3), np.nan)
    poses[found, 0] = np.arcsin(np.clip(rotation[:, 2, 0], -1, 1))
    poses[found, 1] = np.arctan2(rotation[:, 2, 1], rotation[:, 2, 2])
    poses[found, 2] = np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])
    return np.degrees(poses)


def _best_rotations(
    source: Float[np.ndarray, "n 3"], targets: Float[np.ndarray, "frames n 3"]
) -> Float[np.ndarray, "frames 3 3"]:
    """Return the rotations that carry centred `source` closest to each centred target."""
    centred = targets - targets.mean(1, keepdims=True)
    left, _, right = np.linalg.svd(centred.transpose(0, 2, 1) @ (source - source.mean(0)))
    left[:, :, 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    return left @ right
