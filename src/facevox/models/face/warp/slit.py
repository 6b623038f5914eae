"""Where exactly the lips part in the photo: landmarks are 1-2 pixels off, the seam is not."""

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.warp.face_frame import FaceFrame
from facevox.models.face.warp.lips import NEARLY_CLOSED, LipLine, inner_lines


def find_slit(
    crop: UInt8[np.ndarray, "h w 3"],
    landmarks: Float32[np.ndarray, "478 3"],
    frame: FaceFrame,
) -> LipLine:
    """Return the inner lip edges of the photo; equal where the lips touch.

    Args:
        crop: The picture.
        landmarks: Face mesh [px].
        frame: Pose of the face.
    """
    lines = inner_lines(landmarks)
    if lines.gap(frame).max() >= NEARLY_CLOSED:
        return lines
    return LipLine(upper=lines.middle, lower=lines.middle)
