"""Six shapes of a speaking mouth, learned from one speaker, on the face mesh.

A mouth is `neutral + coefficients @ displacement`: linear, so a renderer can
turn each shape into a warp field once per photo.  All of it lives in canonical
space: the frontal face, iris centres 1 apart [IOD], origin between them, x right
in the picture, y down, z towards the viewer negative.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int64

from facevox.core.checkpoint import WEIGHTS, load_checkpoint
from facevox.core.motion import NUM_MOUTH
from facevox.core.portrait.portrait import NUM_LANDMARKS

STABLE = (
    *(10, 67, 297, 109, 338, 103, 332, 54, 284, 21, 251, 162, 389, 127, 356),
    *(151, 9, 8, 168, 6, 197, 33, 133, 362, 263),
)
"""Landmarks that speech does not move: forehead, temples, nose bridge, eye corners."""

UPPER_LIP_INNER, LOWER_LIP_INNER = 13, 14
"""Middle of the inner edges of the two lips."""

FULL_WEIGHT = 0.99
"""Landmarks above this weight tell the coefficients of an observed face."""


def fit_similarity(
    points: Float[np.ndarray, "*frames points 3"], target: Float[np.ndarray, "points 3"]
) -> tuple[
    Float[np.ndarray, "*frames"] | np.floating,
    Float[np.ndarray, "*frames 3 3"],
    Float[np.ndarray, "*frames 3"],
]:
    """Return scale, rotation and shift so that `scale * points @ rotation.T + shift ~ target`.

    Reference:
        Umeyama, Least-squares estimation of transformation parameters between
        two point patterns, PAMI 1991.
    """
    mean, target_mean = points.mean(-2, keepdims=True), target.mean(0)
    centred, target_centred = points - mean, target - target_mean
    left, values, right = np.linalg.svd(np.swapaxes(centred, -1, -2) @ target_centred)
    sign = np.ones_like(values)
    sign[..., 2] = np.sign(np.linalg.det(left) * np.linalg.det(right))
    rotation = np.swapaxes((left * sign[..., None, :]) @ right, -1, -2)
    scale = (values * sign).sum(-1) / (centred**2).sum((-1, -2))
    turned = (mean @ np.swapaxes(rotation, -1, -2))[..., 0, :]
    return scale, rotation, target_mean - np.asarray(scale)[..., None] * turned


def register(
    landmarks: Float[np.ndarray, "*frames points 3"], neutral: Float[np.ndarray, "478 3"]
) -> Float[np.ndarray, "*frames points 3"]:
    """Bring landmarks into canonical space with a 3-D similarity on the `STABLE` points.

    Args:
        landmarks: x, y, z in one unit, such as pixels of a picture.
        neutral: The face in canonical space to lay them on [IOD].
    """
    stable = list(STABLE)
    scale, rotation, shift = fit_similarity(landmarks[..., stable, :], neutral[stable])
    turned = landmarks @ np.swapaxes(rotation, -1, -2)
    return np.asarray(scale)[..., None, None] * turned + shift[..., None, :]


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthBasis:
    """The learned mouth shapes; a coefficient of 1 is typical of speech.

    Attributes:
        displacement: Movement of every landmark per unit coefficient [IOD];
            exactly zero above the nose base.
        neutral: The face at rest, lips closed, symmetric [IOD].
        scale: Root mean square of each coefficient while speaking, before it was
            made 1 [IOD over the whole mesh].
        weight: How much of the expression each landmark takes, 0 to 1.
        mirror: Index of each landmark's twin on the other side of the face.
    """

    displacement: Float32[np.ndarray, "6 478 3"]
    neutral: Float32[np.ndarray, "478 3"]
    scale: Float32[np.ndarray, " 6"]
    weight: Float32[np.ndarray, " 478"]
    mirror: Int64[np.ndarray, " 478"]

    @classmethod
    def load(cls, path: Path | None = None) -> "MouthBasis":
        """Read the basis that ships with the package, or the one at `path`.

        Raises:
            CheckpointError: If the file is absent, damaged or of another shape.
        """
        shapes = {
            "displacement": (NUM_MOUTH, NUM_LANDMARKS, 3),
            "neutral": (NUM_LANDMARKS, 3),
            "scale": (NUM_MOUTH,),
            "weight": (NUM_LANDMARKS,),
            "mirror": (NUM_LANDMARKS,),
        }
        return cls(**load_checkpoint(path or WEIGHTS / "mouth_basis.safetensors", shapes))

    @property
    def lip_gap_gain(self) -> Float32[np.ndarray, " 6"]:
        """Opening between the inner lips per unit coefficient [IOD]."""
        rows = self.displacement[:, LOWER_LIP_INNER] - self.displacement[:, UPPER_LIP_INNER]
        return rows[:, 1]

    def gap(
        self, mouth: Float[np.ndarray, "*frames 6"]
    ) -> Float[np.ndarray, "*frames"] | np.floating:
        """Return the opening that the coefficients alone give [IOD]; below 0 lips overlap."""
        return mouth @ self.lip_gap_gain

    def shape(self, mouth: Float[np.ndarray, "*frames 6"]) -> Float[np.ndarray, "*frames 478 3"]:
        """Return the neutral face with this mouth, in canonical space [IOD]."""
        return self.neutral + np.tensordot(mouth, self.displacement, 1)

    def project(
        self,
        landmarks: Float[np.ndarray, "*frames 478 3"],
        rest: Float[np.ndarray, "478 3"] | None = None,
    ) -> Float32[np.ndarray, "*frames 6"]:
        """Return the coefficients that explain observed faces best.

        Args:
            landmarks: The faces, in any pose and unit (x, y, z in the same).
            rest: The same person at rest, likewise; the mean face if None.
        """
        start: np.ndarray = self.neutral if rest is None else register(rest, self.neutral)
        rows = self.weight > FULL_WEIGHT
        moved = (register(landmarks, self.neutral) - start)[..., rows, :]
        shapes = self.displacement[:, rows].reshape(NUM_MOUTH, -1).astype(np.float64)
        flat = moved.reshape(*moved.shape[:-2], -1)
        return (flat @ np.linalg.pinv(shapes)).astype(np.float32)
