"""The face a photo would show if its owner had not smiled, and the smile to add to it."""

import numpy as np
from jaxtyping import Float32

from facevox.models.face.mouth_basis import MouthBasis, register
from facevox.models.face.smile_basis import SmileBasis, symmetric
from facevox.models.face.warp.face_frame import FaceFrame, smoothstep
from facevox.models.face.warp.lips import NEARLY_CLOSED, LipLine

_RELAX = 0.65
"""Part of a smile that a speaking mouth gives up; the folds around it stay in the pixels."""

_CHANNEL = 0.6
"""Part of a broad smile that `Motion.smile` = 1 adds."""


def rest_of(
    landmarks: Float32[np.ndarray, "478 3"], slit: LipLine, frame: FaceFrame, basis: MouthBasis
) -> tuple[Float32[np.ndarray, "478 3"], Float32[np.ndarray, "478 3"]]:
    """Return the smile to add and the relaxation of the photo's own [IOD, canonical].

    Only smiles that show teeth relax: closed lips stay as the photo has them.
    """
    model = SmileBasis.load()
    face = symmetric(register(landmarks, basis.neutral), basis.mirror)
    movement = model.movement(face)
    strength = model.strength(movement)
    amount = 0.0
    if slit.gap(frame).max() > NEARLY_CLOSED:
        amount = _RELAX * float(smoothstep(np.array([strength]), 0.15, 0.45)[0])
    return _CHANNEL * model.smile, (-amount * movement).astype(np.float32)
