"""What a smile does to a face, and how a smiling face looks when it rests.

Learned from people photographed twice, once neutral and once smiling.  A photo
shows one of the two; the shape of the smile tells how the other would look.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32

from facevox.core.checkpoint import WEIGHTS, load_checkpoint
from facevox.core.portrait.portrait import NUM_LANDMARKS

NUM_FEATURES = 10

_LEFT, _RIGHT = 61, 291
_UPPER_TOP, _UPPER_INNER, _LOWER_INNER, _LOWER_BOTTOM = 0, 13, 14, 17
_NOSE, _CHIN, _CHEEK, _FOLD = 2, 152, 205, 216


def smile_features(face: Float[np.ndarray, "*n 478 3"]) -> Float[np.ndarray, "*n 10"]:
    """Return what tells a smile from a face in canonical space, made symmetric [IOD].

    Width of the mouth, lift of its corners, opening, height of the corners and of
    the chin, nose to lip, depth of the corners, thickness of the lips, height of
    the cheeks, width between the folds.
    """
    height = face[..., 1]
    corners = (height[..., _LEFT] + height[..., _RIGHT]) / 2
    lips = (height[..., _UPPER_TOP] + height[..., _LOWER_BOTTOM]) / 2
    upper = height[..., _UPPER_INNER] - height[..., _UPPER_TOP]
    lower = height[..., _LOWER_BOTTOM] - height[..., _LOWER_INNER]
    return np.stack(
        [
            face[..., _RIGHT, 0] - face[..., _LEFT, 0],
            corners - lips,
            height[..., _LOWER_INNER] - height[..., _UPPER_INNER],
            corners,
            height[..., _CHIN],
            height[..., _UPPER_TOP] - height[..., _NOSE],
            face[..., _LEFT, 2] - face[..., _NOSE, 2],
            upper + lower,
            height[..., _CHEEK],
            face[..., _FOLD, 0],
        ],
        axis=-1,
    )


def symmetric(
    face: Float[np.ndarray, "*n 478 3"], mirror: Float[np.ndarray, " 478"] | np.ndarray
) -> Float[np.ndarray, "*n 478 3"]:
    """Return the mean of a face and its mirror image."""
    return (face + face[..., mirror, :] * np.array([-1.0, 1.0, 1.0])) / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class SmileBasis:
    """The learned smile.

    Attributes:
        smile: Mean movement from neutral to a broad smile [IOD].
        mean: Mean of the features over neutral and smiling faces.
        deviation: Their standard deviation.
        weights: From standardised features, and 1, to the movement [IOD].
    """

    smile: Float32[np.ndarray, "478 3"]
    mean: Float32[np.ndarray, " 10"]
    deviation: Float32[np.ndarray, " 10"]
    weights: Float32[np.ndarray, "11 1434"]

    @classmethod
    def load(cls, path: Path | None = None) -> "SmileBasis":
        """Read the basis that ships with the package, or the one at `path`.

        Raises:
            CheckpointError: If the file is absent, damaged or of another shape.
        """
        size = NUM_LANDMARKS * 3
        shapes = {
            "smile": (NUM_LANDMARKS, 3),
            "mean": (NUM_FEATURES,),
            "deviation": (NUM_FEATURES,),
            "weights": (NUM_FEATURES + 1, size),
        }
        return cls(**load_checkpoint(path or WEIGHTS / "smile_basis.safetensors", shapes))

    def movement(self, face: Float[np.ndarray, "478 3"]) -> Float32[np.ndarray, "478 3"]:
        """Return how this face has moved from its neutral state [IOD].

        Args:
            face: The face in canonical space, made symmetric.
        """
        scaled = (smile_features(face) - self.mean) / self.deviation
        flat = np.append(scaled, 1.0) @ self.weights
        return flat.reshape(NUM_LANDMARKS, 3).astype(np.float32)

    def strength(self, movement: Float[np.ndarray, "478 3"]) -> float:
        """Return the share of the mean smile in a movement: about 0 neutral, 1 smiling."""
        return float((movement * self.smile).sum() / (self.smile**2).sum())
