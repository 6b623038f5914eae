"""Portraits and worse copies of them, described by numbers for training."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from facevox.core.portrait.face_mesh import crop_around, fit_mesh
from facevox.core.portrait.portrait import Portrait
from facevox.data.degrade import degrade
from facevox.data.portraits import LabelledPortrait
from facevox.models.bridge.face_features import FaceFeatures, iris_size
from facevox.models.bridge.perception import traits
from facevox.recipes.mouth_basis import make_frontal, mean_face


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Pictures, each once as it is and then its degraded copies, described.

    Attributes:
        rows: What is known of the picture of each row.
        clean: Whether a row is the picture as it is.
        blocks: Features by block.
        traits: Build of the face.
        iris: Diameter of the iris [IOD].
    """

    rows: list[LabelledPortrait]
    clean: Bool[np.ndarray, " n"]
    blocks: dict[str, Float[np.ndarray, "n d"]]
    traits: Float[np.ndarray, "n 3"]
    iris: Float[np.ndarray, " n"]

    @property
    def female(self) -> Bool[np.ndarray, " n"]:
        """Whether each row shows a woman."""
        return np.array([row.female for row in self.rows])

    @property
    def age(self) -> Float[np.ndarray, " n"]:
        """Age of each row [years], NaN where it is unknown."""
        return np.array([np.nan if row.age is None else row.age for row in self.rows])

    @property
    def source(self) -> np.ndarray:
        """Set of each row."""
        return np.array([row.source for row in self.rows])

    @property
    def people(self) -> list[str]:
        """Person of each row."""
        return [row.person for row in self.rows]


def find_again(
    portrait: Portrait, pixels: np.ndarray, landmarks: Float[np.ndarray, "478 3"]
) -> Portrait:
    """Return a degraded portrait with the mesh that the product finds in it."""
    mesh = fit_mesh(pixels, crop_around(landmarks))
    return replace(portrait, pixels=pixels, landmarks=mesh.landmarks)


def mean_shape(
    portraits: list[Portrait],
) -> tuple[Float[np.ndarray, "478 3"], Int[np.ndarray, " 478"]]:
    """Return the frontal, symmetric mean face and its mirror map."""
    faces = np.stack([portrait.landmarks for portrait in portraits]).astype(np.float64)
    face, mirror = make_frontal(mean_face(faces))
    flip = np.array([-1.0, 1.0, 1.0])
    return (face + face[mirror] * flip) / 2, mirror


def describe(
    listed: tuple[LabelledPortrait, ...],
    portraits: list[Portrait],
    features: FaceFeatures,
    copies: int,
    seed: int,
) -> Table:
    """Describe all pictures and their degraded copies.

    Args:
        listed: What is known of each picture.
        portraits: The pictures.
        features: How they are described.
        copies: Degraded copies of each.
        seed: Seed of the degradation.
    """
    rows, clean, found = [], [], []
    for index, (row, portrait) in enumerate(zip(listed, portraits, strict=True)):
        generator = np.random.default_rng([seed, index])
        views = [portrait] + [
            find_again(portrait, *degrade(portrait, generator)) for _ in range(copies)
        ]
        for number, view in enumerate(views):
            rows.append(row)
            clean.append(number == 0)
            found.append((features(view), traits(view.landmarks), iris_size(view.landmarks)))
    names = found[0][0]
    return Table(
        rows=rows,
        clean=np.array(clean),
        blocks={name: np.stack([one[0][name] for one in found]) for name in names},
        traits=np.stack([one[1] for one in found]),
        iris=np.array([one[2] for one in found]),
    )
