"""The square of a photo that the flow generator sees."""

import numpy as np
from jaxtyping import Float32

from facevox.core.portrait.face_crop import FaceCrop
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.warp.face_frame import fit_face_frame

SIDE = 4.6
"""Length of a side [IOD]: the head with its hair, in the manner of VoxCeleb's crops."""

BELOW_EYES = 0.3
"""How far the middle of the square lies below the eyes [IOD]."""


def view_of(landmarks: Float32[np.ndarray, "478 3"]) -> FaceCrop:
    """Return the square around a face, its eyes level.

    Args:
        landmarks: Face mesh [px of the photo].
    """
    frame = fit_face_frame(landmarks, MouthBasis.load().neutral)
    center = frame.eyes + BELOW_EYES * frame.iod * frame.down
    angle = float(np.arctan2(frame.right[1], frame.right[0]))
    return FaceCrop((float(center[0]), float(center[1])), SIDE * frame.iod, angle)
