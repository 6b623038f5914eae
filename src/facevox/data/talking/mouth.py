"""How a mouth moves in a clip, measured from its own rest."""

import numpy as np
from jaxtyping import Bool, Float32

from facevox.core.motion import NUM_MOUTH
from facevox.data.talking.pictures import CLOCK
from facevox.models.face.lip_shape import lip_shape
from facevox.models.face.mouth_basis import MouthBasis, register

CLOSED_GAP = 0.02
"""Lips nearer than this are taken as closed [IOD]."""

FEWEST_AT_REST = 5
"""Silent pictures with closed lips that tell the rest; with fewer, all pictures are asked."""

_MOST_CLOSED = 0.1
"""Share of the pictures whose lips are nearest, which stand for the rest if none are closed."""


def measure_mouth(
    landmarks: Float32[np.ndarray, "frames 478 3"],
    found: Bool[np.ndarray, " frames"],
    silent: Bool[np.ndarray, " frames"],
) -> tuple[Float32[np.ndarray, "frames 6"], Float32[np.ndarray, " frames"]]:
    """Return mouth coefficients, from the clip's rest, and the gap between the lips [IOD].

    Args:
        landmarks: Of every picture, without holes [px].
        found: Pictures in which the face was seen; in the others both are bridged.
        silent: Pictures in which nothing is said.
    """
    basis = MouthBasis.load()
    gap = lip_shape(landmarks, float(CLOCK.fps))[:, 0]
    closed = found & (gap < CLOSED_GAP)
    if (closed & silent).sum() >= FEWEST_AT_REST:
        resting = closed & silent
    elif closed.sum() >= FEWEST_AT_REST:
        resting = closed
    else:
        resting = found & (gap <= np.quantile(gap[found], _MOST_CLOSED))
    faces = register(landmarks.astype(np.float64), basis.neutral)
    mouth = basis.project(faces, rest=np.median(faces[resting], axis=0))
    return mouth.reshape(len(landmarks), NUM_MOUTH), gap.astype(np.float32)
