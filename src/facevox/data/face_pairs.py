"""Two pictures of a person and what is known of the motion between them.

Layout of a folder, made by `facevox.recipes.acted_portraits`:

    acted/NAME.{frames,mouth,others,flow}.npy    photos that the warp renderer moved
    real/pairs{,_mouth,_pose,_names}.npy         neutral and smiling photos of the same people
    real/grid{,_mouth,_pose,_found,_test}.npy    frames of a real speaker
    people.json                                  how people look, by name: `NUM_TRAITS` numbers
    mean_flow.npy                                what a control does to the average face

`acted` must be there; the others make it better.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn import functional

from facevox.core.errors import DataError
from facevox.data.face_augmentation import mirrored_mouth, mirrored_others, shake
from facevox.data.portraits import HELD_OUT

MEAN_FLOW = "mean_flow.npy"
"""In the folder: where the mean flows of a generator begin."""

NUM_TRAITS = 5
"""Sex, age and three proportions of the face, each about -1 to 1; NaN where unknown."""

_SMILING = "-s"
_POSE = 3
_FIRST_OF_VALIDATION = 8
"""Held-out people are validated on their first samples."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FacePair:
    """Where the motion starts, where it ends, and who gives it.

    Attributes:
        source: The person.
        target: The person after the motion.
        driver: A picture with the target's motion but, mostly, another mouth.
        mouth: The target's mouth, in numbers of `MOUTH_CHANNELS`.
        change: Numbers of `OTHER_CHANNELS` of the target less the source's.
        known: 1 where `change` is known.
        person: Who it is.
        flow: Displacement from cells of the target to the source [px]; None if unknown.
    """

    source: UInt8[np.ndarray, "side side 3"]
    target: UInt8[np.ndarray, "side side 3"]
    driver: UInt8[np.ndarray, "side side 3"]
    mouth: Float32[np.ndarray, "9"]
    change: Float32[np.ndarray, "9"]
    known: Float32[np.ndarray, "9"]
    person: str
    flow: Float32[np.ndarray, "cells cells 2"] | None = None


class ActedFaces:
    """Photos that the warp renderer moved.

    Args:
        folder: Where the arrays are.
        held: Whether to open the people kept from training, instead of all others.

    Raises:
        DataError: If there is nobody, or an array is absent.
    """

    def __init__(self, folder: Path, *, held: bool) -> None:
        self.names = [
            path.name.removesuffix(".frames.npy")
            for path in sorted(folder.glob("*.frames.npy"))
            if (person_of(path.name.removesuffix(".frames.npy")) in HELD_OUT) == held
        ]
        if not self.names:
            raise DataError(
                f"{folder} holds no acted portraits{' of held-out people' if held else ''}; "
                "make them with python -m facevox.recipes.acted_portraits."
            )
        self._frames = [_opened(folder / f"{name}.frames.npy") for name in self.names]
        self._mouth = [_opened(folder / f"{name}.mouth.npy") for name in self.names]
        self._others = [_opened(folder / f"{name}.others.npy") for name in self.names]
        flows = [folder / f"{name}.flow.npy" for name in self.names]
        self._flow = [_opened(path) if path.exists() else None for path in flows]

    @property
    def side(self) -> int:
        """Length of a side of the pictures [px]."""
        return int(self._frames[0].shape[-2])

    def draw(
        self, generator: np.random.Generator, rest_share: float, same_share: float
    ) -> FacePair:
        """Return a pair at random.

        Args:
            generator: Source of randomness.
            rest_share: How often the source is the photo itself.
            same_share: How often the driver has the target's mouth.
        """
        who = int(generator.integers(len(self.names)))
        count = len(self._frames[who])
        first = 0 if generator.random() < rest_share else int(generator.integers(count))
        mouth_of_first = 0 if first == 0 else int(generator.integers(2))
        last, mouth = int(generator.integers(1, count)), int(generator.integers(2))
        driver = mouth if generator.random() < same_share else 1 - mouth
        return self._pair(who, (first, mouth_of_first), (last, mouth), driver)

    def of(self, who: int) -> list[FacePair]:
        """Return the first pairs of a person: from the photo at rest."""
        count = min(len(self._frames[who]), _FIRST_OF_VALIDATION)
        return [self._pair(who, (0, 0), (last, 0), 1) for last in range(1, count)]

    def _pair(
        self, who: int, first: tuple[int, int], last: tuple[int, int], driver: int
    ) -> FacePair:
        frames, others, flow = self._frames[who], self._others[who], self._flow[who]
        from_rest = first == (0, 0) and flow is not None
        return FacePair(
            source=np.asarray(frames[first]),
            target=np.asarray(frames[last]),
            driver=np.asarray(frames[last[0], driver]),
            mouth=np.array(self._mouth[who][last], np.float32),
            change=np.asarray(others[last[0]] - others[first[0]], np.float32),
            known=np.ones(9, np.float32),
            person=person_of(self.names[who]),
            flow=np.asarray(flow[last], np.float32) if from_rest and flow is not None else None,
        )


class SmilePairs:
    """The same people neutral and smiling, photographed.

    Args:
        folder: Where the arrays are.
    """

    def __init__(self, folder: Path) -> None:
        self._frames = _opened(folder / "pairs.npy")
        self._mouth = _opened(folder / "pairs_mouth.npy")
        self._pose = _opened(folder / "pairs_pose.npy")
        self.names = [str(name) for name in np.load(folder / "pairs_names.npy")]
        self._used = [row for row, name in enumerate(self.names) if name not in HELD_OUT]
        if not self._used:
            raise DataError(f"{folder} holds no pair of photos to train on; make it again.")

    def draw(self, generator: np.random.Generator) -> FacePair:
        """Return a pair at random, mostly towards the smile."""
        row = self._used[int(generator.integers(len(self._used)))]
        to = int(generator.random() < 0.7)
        turned = self._pose[row, to] - self._pose[row, 1 - to]
        return _real_pair(
            self._frames[row, 1 - to],
            self._frames[row, to],
            self._mouth[row] * np.float32(to),
            turned,
            self.names[row],
        )


class GridFaces:
    """Frames of a real speaker.

    Args:
        folder: Where the arrays are.
    """

    def __init__(self, folder: Path) -> None:
        self._frames = _opened(folder / "grid.npy")
        self._mouth = _opened(folder / "grid_mouth.npy")
        self._pose = _opened(folder / "grid_pose.npy")
        self._found = _opened(folder / "grid_found.npy")
        usable = self._found.any(1) & ~np.load(folder / "grid_test.npy")
        self._used = np.flatnonzero(usable)
        if not len(self._used):
            raise DataError(f"{folder} holds no clip to train on; make it again.")

    def draw(self, generator: np.random.Generator) -> FacePair:
        """Return two frames at random, half of the time of one clip."""
        to = int(self._used[generator.integers(len(self._used))])
        same = generator.random() < 0.5
        start = to if same else int(self._used[generator.integers(len(self._used))])
        last = int(generator.choice(np.flatnonzero(self._found[to])))
        first = int(generator.choice(np.flatnonzero(self._found[start])))
        return _real_pair(
            self._frames[start, first],
            self._frames[to, last],
            self._mouth[to, last],
            self._pose[to, last] - self._pose[start, first],
            "grid",
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
        self._traits = _read_traits(folder / "people.json")
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


def person_of(name: str) -> str:
    """Return who is in the photo of that name."""
    return name.removesuffix(_SMILING)


def _real_pair(
    source: np.ndarray, target: np.ndarray, mouth: np.ndarray, turned: np.ndarray, person: str
) -> FacePair:
    change, known = np.zeros(9, np.float32), np.zeros(9, np.float32)
    change[:_POSE], known[:_POSE] = turned, 1.0
    target = np.asarray(target)
    return FacePair(
        source=np.asarray(source),
        target=target,
        driver=target,
        mouth=np.array(mouth, np.float32),
        change=change,
        known=known,
        person=person,
    )


def _shaken(pair: FacePair, number: int, generator: np.random.Generator) -> dict[str, Tensor]:
    shaken = shake((pair.source, pair.target, pair.driver), pair.flow, generator)
    row = _row(pair, shaken.pictures, shaken.flow, number)
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
        "flow": torch.from_numpy(np.ascontiguousarray(place)),
        "flow_known": torch.tensor(float(flow is not None)),
        "person": torch.tensor(number),
    }


def _plain(pair: FacePair) -> np.ndarray:
    stacked = np.stack([pair.source, pair.target, pair.driver]).astype(np.float32)
    return stacked / np.float32(127.5) - 1


def _opened(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); make the folder again.") from error


def _read_traits(path: Path) -> dict[str, Float32[np.ndarray, "5"]]:
    if not path.exists():
        return {}
    try:
        known = json.loads(path.read_text("utf-8"))
        return {name: np.array(row, np.float32).reshape(NUM_TRAITS) for name, row in known.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{path} cannot be read ({error}); make the folder again.") from error
