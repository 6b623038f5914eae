"""How sharp a photo is, so that what is drawn into it is no sharper."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

EYE_POINTS = ((33, 133, 159, 145), (263, 362, 386, 374))
"""Corners and lids of both eyes: the sharpest edges of a face."""

MAX_BLUR = 3.0
"""Blur above which the estimate is not trusted [px]."""


def measure_blur(
    crop: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 2"], iod: float
) -> float:
    """Return the Gaussian blur of a photo, read at the eyes [px].

    A step blurred by s has a slope proportional to 1 / s.  Blurring the photo further
    by 1 and by 2 px gives slopes whose ratio r tells s^2 = (4 - r^2) / (r^2 - 1).

    Args:
        crop: The working crop of the photo, sRGB.
        landmarks: Face mesh [px of the crop].
        iod: Distance between the iris centres [px].

    Reference:
        Zhuo and Sim, "Defocus map estimation from a single image",
        Pattern Recognition 2011.
    """
    found = []
    for indices in EYE_POINTS:
        points = landmarks[list(indices)]
        x0, y0 = np.maximum(np.floor(points.min(0) - 0.06 * iod), 0).astype(int)
        x1, y1 = np.maximum(np.ceil(points.max(0) + 0.06 * iod), 0).astype(int)
        patch = crop[y0:y1, x0:x1]
        if min(patch.shape[:2]) < 8:
            continue
        grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY).astype(np.float32)
        ratio = _slope(grey, 1.0) / max(_slope(grey, 2.0), 1e-3)
        found.append(np.sqrt(max(4 - ratio**2, 0.0) / max(ratio**2 - 1, 1e-3)))
    return float(np.clip(np.mean(found), 0.0, MAX_BLUR)) if found else 1.0


def _slope(grey: np.ndarray, blur: float) -> float:
    """Return the steepest slopes of a blurred picture."""
    soft = cv2.GaussianBlur(grey, (0, 0), blur)
    right, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    return float(np.percentile(np.hypot(right, down), 98))
