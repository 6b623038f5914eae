"""Smooth interpolation of scattered displacements: the thin-plate spline.

One factorisation serves many right-hand sides, and one kernel matrix serves
many fits, so a face's dozens of movement fields cost little more than one.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float32
from scipy.linalg import lu_factor, lu_solve


def _kernel(
    points: Float[np.ndarray, "points 2"], centres: Float[np.ndarray, "centres 2"]
) -> Float32[np.ndarray, "points centres"]:
    """Return r^2 log r for every pair."""
    squared = (
        (points**2).sum(1)[:, None] + (centres**2).sum(1)[None, :] - 2.0 * points @ centres.T
    ).astype(np.float32)
    np.maximum(squared, 1e-12, out=squared)
    logarithm = cv2.log(squared)
    return cv2.multiply(squared, logarithm, scale=0.5)


class ThinPlate:
    """Fields through given values at given points, least bent in between.

    Args:
        centres: Where values are known, in any unit of about the face's size.
        smoothing: Weight of bending against misfit; 0 passes through the values.

    Reference:
        Bookstein, Principal warps, PAMI 1989.
    """

    def __init__(self, centres: Float[np.ndarray, "centres 2"], smoothing: float = 1e-4) -> None:
        count = len(centres)
        self.centres = np.asarray(centres, np.float64)
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = _kernel(self.centres, self.centres)
        system[:count, :count] += smoothing * np.eye(count)
        system[:count, count] = system[count, :count] = 1.0
        system[:count, count + 1 :] = self.centres
        system[count + 1 :, :count] = self.centres.T
        self._factors = lu_factor(system, overwrite_a=True, check_finite=False)

    def weights(
        self, values: Float[np.ndarray, "centres fields"]
    ) -> Float[np.ndarray, "centres_plus_3 fields"]:
        """Return the spline coefficients of several fields at once."""
        padded = np.vstack([values, np.zeros((3, values.shape[1]))])
        return lu_solve(self._factors, padded, check_finite=False)


def evaluation_matrix(
    points: Float[np.ndarray, "points 2"], centres: Float[np.ndarray, "centres 2"]
) -> Float32[np.ndarray, "points centres_plus_3"]:
    """Return the matrix that turns spline coefficients into values at `points`."""
    affine = np.column_stack([np.ones(len(points)), points]).astype(np.float32)
    return np.hstack([_kernel(np.asarray(points, np.float64), centres), affine])
