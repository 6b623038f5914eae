"""Photos that say something by the warp renderer, the head still.

What `facevox.recipes.mouth_fields` fits on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor

from facevox.core.errors import DataError, FacevoxError
from facevox.core.portrait.portrait import Portrait
from facevox.core.portrait.reader import read_portrait
from facevox.data.acted_portraits import perform
from facevox.data.portraits import LabelledPortrait
from facevox.models.face.lia.mean_flow import MOUTH, mouth_place, mouth_steps
from facevox.models.face.lia.view import view_of
from facevox.models.face.ttsf.codes import OTHER_NUMBERS, flow_controls

_SEED = 5
_ANY, _OPEN = 8, 4
"""Mouths of a photo: so many of all, and so many that are open."""

_LIP_GAP, _OPEN_GAP = 6, 0.12


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """A photo at rest and with several mouths.

    Attributes:
        source: The photo, in [-1, 1].
        target: With each mouth.
        origin: Where each pixel of a target comes from in the source, -1 to 1.
        mouth: Numbers of the mouths.
        place: Where the source's mouth lies (`mouth_place`).
    """

    source: Float[Tensor, "1 3 side side"]
    target: Float[Tensor, "mouths 3 side side"]
    origin: Float[Tensor, "mouths side side 2"]
    mouth: Float[Tensor, "mouths 9"]
    place: Float[Tensor, " 3"]

    @property
    def controls(self) -> Float[Tensor, "mouths controls"]:
        """Controls of the mean flows; head and expression are still."""
        still = torch.zeros(len(self.mouth), OTHER_NUMBERS)
        return flow_controls(self.mouth, still, self.place)

    @property
    def steps(self) -> Float64[np.ndarray, "mouths steps"]:
        """What the fields are linear in."""
        return mouth_steps(self.controls[:, :MOUTH]).double().numpy()


def speak(portrait: Portrait, mouth: Float32[np.ndarray, "mouths 9"], side: int) -> Spoken:
    """Return a photo with mouths that the warp renderer gives it.

    Args:
        portrait: The photo.
        mouth: Numbers of the mouths.
        side: Length of a side of the pictures [px].

    Raises:
        InputError: If the face is too small to be rendered.
    """
    all_mouths = np.concatenate([np.zeros((1, mouth.shape[1]), np.float32), mouth])
    frames, flow = perform(portrait, all_mouths, np.zeros_like(all_mouths), side, step=1)
    pictures = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
    centres = (torch.arange(side) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    moved = torch.from_numpy(flow[1:].astype(np.float32)) * (2 / side)
    return Spoken(
        source=pictures[:1],
        target=pictures[1:],
        origin=torch.stack([x, y], -1) + moved,
        mouth=torch.from_numpy(mouth),
        place=torch.from_numpy(mouth_place(portrait.landmarks, view_of(portrait.landmarks))),
    )


class Photos:
    """Photos that say something, read one after the other; the mouths of each are its own.

    Args:
        portraits: The photos.
        pool: Mouths of speech to draw from.
        side: Length of a side of the pictures [px].
        say: Told who is left out.

    Raises:
        DataError: If no mouth of the pool is open.
    """

    def __init__(
        self,
        portraits: Sequence[LabelledPortrait],
        pool: Float32[np.ndarray, "pool 9"],
        side: int,
        say: Callable[[str], None],
    ) -> None:
        self._portraits, self._pool, self._side, self._say = portraits, pool, side, say
        self._open = pool[pool[:, _LIP_GAP] > _OPEN_GAP]
        if not len(self._open):
            raise DataError(
                f"No mouth of the pool is open (lip gap over {_OPEN_GAP}); make the folder of "
                "faces again with python -m facevox.recipes.acted_portraits."
            )

    def __iter__(self) -> Iterator[Spoken]:
        """Yield each photo that can be used."""
        for number, row in enumerate(self._portraits):
            generator = np.random.default_rng([_SEED, number])
            drawn = [
                rows[generator.integers(0, len(rows), count)]
                for rows, count in ((self._pool, _ANY), (self._open, _OPEN))
            ]
            try:
                yield speak(read_portrait(row.path), np.concatenate(drawn), self._side)
            except FacevoxError as error:
                self._say(f"{row.person} is left out: {error}")


def read_pool(faces: Path) -> Float32[np.ndarray, "pool 9"]:
    """Return the mouths that `acted_portraits` drew from.

    Raises:
        DataError: If they are not there.
    """
    path = faces / "acted" / "mouths.npy"
    try:
        pool = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read ({error}); make the folder with "
            "python -m facevox.recipes.acted_portraits."
        ) from error
    if pool.ndim != 2 or pool.shape[1] != MOUTH:
        raise DataError(f"{path} has the shape {list(pool.shape)}, expected [mouths, {MOUTH}].")
    return pool.astype(np.float32)
