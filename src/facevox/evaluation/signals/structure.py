"""Likeness of structure of two pictures, point by point.

Reference:
    Wang, Bovik, Sheikh and Simoncelli, Image quality assessment: from error visibility to
    structural similarity, IEEE Transactions on Image Processing 2004.
"""

import cv2
import numpy as np
from jaxtyping import Float

SPREAD = 1.5
"""Of the Gaussian window [px]."""

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def structural_similarity(
    one: Float[np.ndarray, "h w *c"], other: Float[np.ndarray, "h w *c"], window: int = 0
) -> Float[np.ndarray, "h w *c"]:
    """Return the SSIM of every point, 1 where both are equal; K1 0.01, K2 0.03, peak 255.

    Args:
        one: Values from 0 to 255.
        other: The same of the other picture.
        window: Side of the Gaussian window [px]; 0 takes all of it that matters, 13.
    """

    def blur(x: Float[np.ndarray, "h w *c"]) -> Float[np.ndarray, "h w *c"]:
        return cv2.GaussianBlur(x, (window, window), SPREAD)

    mean, other_mean = blur(one), blur(other)
    variance = blur(one * one) - mean**2 + blur(other * other) - other_mean**2
    covariance = blur(one * other) - mean * other_mean
    likeness = (2 * mean * other_mean + _C1) * (2 * covariance + _C2)
    return likeness / ((mean**2 + other_mean**2 + _C1) * (variance + _C2))
