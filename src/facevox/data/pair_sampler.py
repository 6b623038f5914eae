"""Batches of two pictures of a person each: drawn, shaken, and brought to one size."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facevox.core.errors import DataError
from facevox.data.face_augmentation import mirrored_mouth, mirrored_others, shake
from facevox.data.face_pairs import (
    NUM_TRAITS,
    ActedFaces,
    FacePair,
    GridFaces,
    SmilePairs,
    person_of,
    read_rows,
)


class PairSampler:
    """Draws batches of pairs.

    Args:
        folder: Where the arrays are.
        side: Length of a side of the pictures of a batch [px].
        real_share: Share of real pictures, smiles and GRID by turns; 0 if there are none.
            They are the last rows of a batch.
        drivers: The last rows of a batch have the picture of a driver, at least the real
            ones; None gives one to all.
        rest_share: See `ActedFaces.draw`.
        same_share: See `ActedFaces.draw`.

    Raises:
        DataError: If there are no acted portraits, or `side` is not that of the pictures or a
            half, a quarter and so on of it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        side: int,
        real_share: float = 0.25,
        rest_share: float = 0.65,
        same_share: float = 0.1,
        drivers: int | None = None,
    ) -> None:
        self._drivers = drivers
        self._traits = read_rows(folder / "people.json", NUM_TRAITS)
        self._acted = ActedFaces(folder / "acted", held=False)
        self._shares = (rest_share, same_share)
        real = folder / "real"
        self._real: list[SmilePairs | GridFaces] = []
        if (real / "grid.npy").exists():
            self._real.append(GridFaces(real))
        if (real / "pairs.npy").exists():
            self._real.append(SmilePairs(real))
        self._real_share = real_share if self._real else 0.0
        self._side = checked_side(side, self._acted.side)
        names = {person_of(name) for name in self._acted.names}
        for one in self._real:
            names |= set(one.names) if isinstance(one, SmilePairs) else {"grid"}
        self._number = {name: number for number, name in enumerate(sorted(names))}

    @property
    def description(self) -> str:
        """What is drawn from, in words."""
        people = {person_of(name) for name in self._acted.names}
        real = " and ".join(
            "pairs of neutral and smiling photos" if isinstance(one, SmilePairs) else "GRID s1"
            for one in self._real
        )
        return f"{len(self._acted.names)} photos of {len(people)} people, moved" + (
            f"; {real}" if real else ""
        )

    def draw(self, batch: int, generator: np.random.Generator) -> dict[str, Tensor]:
        """Return a batch; see `collate_pairs`.

        `traits` are those of all rows, then those of the drivers.
        """
        real = int(batch * self._real_share)
        pairs = [self._acted.draw(generator, *self._shares) for _ in range(batch - real)]
        pairs += [self._real[k % len(self._real)].draw(generator) for k in range(real)]
        rows = [_shaken(pair, self._number[pair.person], generator) for pair in pairs]
        drivers = batch if self._drivers is None else min(batch, max(self._drivers, real))
        made = collate_pairs(rows, self._side, drivers)
        unknown = np.full(NUM_TRAITS, np.nan, np.float32)
        traits = np.stack([self._traits.get(pair.person, unknown) for pair in pairs])
        made["traits"] = torch.from_numpy(np.concatenate([traits, traits[batch - drivers :]]))
        return made


def held_pairs(folder: Path, side: int) -> list[dict[str, Tensor]]:
    """Return one batch for each held-out person, unchanged.

    Raises:
        DataError: If there are none.
    """
    acted = ActedFaces(folder / "acted", held=True)
    side = checked_side(side, acted.side)
    made = []
    for who in range(len(acted.names)):
        rows = [_row(pair, _plain(pair), pair.flow, who) for pair in acted.of(who)]
        if rows:
            made.append(collate_pairs(rows, side, len(rows)))
    return made


def collate_pairs(rows: list[dict[str, Tensor]], side: int, drivers: int) -> dict[str, Tensor]:
    """Return rows as a batch, pictures as (batch, 3, side, side) in [-1, 1].

    Args:
        rows: What is known of each pair.
        side: Length of a side [px].
        drivers: How many of the last rows keep their driver.
    """
    batch = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    pictures = batch.pop("pictures").permute(1, 0, 4, 2, 3)
    factor = pictures.shape[-1] // side
    for name, picture in zip(("source", "target", "driver"), pictures, strict=True):
        chosen = picture[len(rows) - drivers :] if name == "driver" else picture
        batch[name] = functional.avg_pool2d(chosen, factor) if factor > 1 else chosen.contiguous()
    return batch


def checked_side(side: int, stored: int) -> int:
    """Return the side if pictures of the stored one can be averaged to it.

    Raises:
        DataError: If not.
    """
    if stored % side:
        raise DataError(
            f"The pictures have {stored} px; a generator of {side} px needs a divisor of that."
        )
    return side


def _shaken(pair: FacePair, number: int, generator: np.random.Generator) -> dict[str, Tensor]:
    shaken = shake((pair.source, pair.target, pair.driver), pair.flow, pair.place, generator)
    row = _row(pair, shaken.pictures, shaken.flow, number)
    row["place"] = torch.from_numpy(shaken.place)
    if shaken.mirrored:
        row["mouth"] = torch.from_numpy(mirrored_mouth(pair.mouth))
        row["change"] = torch.from_numpy(mirrored_others(pair.change))
    return row


def _row(
    pair: FacePair, pictures: np.ndarray, flow: np.ndarray | None, number: int
) -> dict[str, Tensor]:
    side = pictures.shape[1]
    unknown = np.zeros((side // 4, side // 4, 2), np.float32)
    place = unknown if flow is None else flow * np.float32(2 / side)
    return {
        "pictures": torch.from_numpy(pictures),
        "mouth": torch.from_numpy(pair.mouth),
        "change": torch.from_numpy(pair.change),
        "known": torch.from_numpy(pair.known),
        "place": torch.from_numpy(pair.place.copy()),
        "flow": torch.from_numpy(np.ascontiguousarray(place)),
        "flow_known": torch.tensor(float(flow is not None)),
        "person": torch.tensor(number),
    }


def _plain(pair: FacePair) -> np.ndarray:
    stacked = np.stack([pair.source, pair.target, pair.driver]).astype(np.float32)
    return stacked / np.float32(127.5) - 1
