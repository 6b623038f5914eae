"""Yaw, pitch and roll of a head from its landmarks."""

import numpy as np
from jaxtyping import Float, Float32

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
    rotation = _best_rotation(_FRONTAL, np.asarray(landmarks, np.float64)[_ORDER])
    yaw = np.arcsin(np.clip(rotation[2, 0], -1, 1))
    pitch = np.arctan2(rotation[2, 1], rotation[2, 2])
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def _best_rotation(
    source: Float[np.ndarray, "n 3"], target: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "3 3"]:
    """Return the rotation that carries centred `source` closest to centred `target`."""
    covariance = (target - target.mean(0)).T @ (source - source.mean(0))
    left, _, right = np.linalg.svd(covariance)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return left @ flip @ right
