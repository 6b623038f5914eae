"""Two pictures of a person and what is known of the motion between them.

Layout of a folder, made by `facevox.recipes.acted_portraits`:

    acted/NAME.{frames,mouth,others,flow}.npy    photos that the warp renderer moved
    real/pairs{,_mouth,_pose,_names}.npy         neutral and smiling photos of the same people
    real/grid{,_mouth,_pose,_found,_test,_place}.npy    frames of a real speaker
    places.json                                  where mouths lie, by photo (`mouth_place`)
    people.json                                  how people look, by name: `NUM_TRAITS` numbers
    mean_flow.npy                                what a control does to the average face

`acted` must be there; the others make it better.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.errors import DataError
from facevox.data.portraits import HELD_OUT

MEAN_FLOW = "mean_flow.npy"
"""In the folder: where the mean flows of a generator begin."""

USUAL_PLACE = np.array([0.0, 0.375, 0.26], np.float32)
"""Where mouths lie in the view and how large, unless it is known."""

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
        mouth: The target's mouth, in numbers of `codes.MOUTH_CHANNELS`.
        change: Numbers of `codes.OTHER_CHANNELS` of the target less the source's.
        known: 1 where `change` is known.
        person: Who it is.
        flow: Displacement from cells of the target to the source [px]; None if unknown.
        place: Where the source's mouth lies: x, y and size, in halves of the side.
    """

    source: UInt8[np.ndarray, "side side 3"]
    target: UInt8[np.ndarray, "side side 3"]
    driver: UInt8[np.ndarray, "side side 3"]
    mouth: Float32[np.ndarray, "9"]
    change: Float32[np.ndarray, "9"]
    known: Float32[np.ndarray, "9"]
    person: str
    flow: Float32[np.ndarray, "cells cells 2"] | None = None
    place: Float32[np.ndarray, " 3"] = field(default_factory=lambda: USUAL_PLACE.copy())


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
        self._places = read_rows(folder.parent / "places.json", len(USUAL_PLACE))

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

    def pictures(self, who: int, samples: Sequence[int]) -> UInt8[np.ndarray, "views side side 3"]:
        """Return the photo at rest, then one frame of each sample that there is.

        Args:
            who: Number of the photo.
            samples: Numbers of samples; of even ones the first frame is taken, of odd ones the
                second.
        """
        frames = self._frames[who]
        places = [(k, k % 2) for k in samples if k < len(frames)]
        return np.stack([frames[0, 0], *(frames[place] for place in places)])

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
            place=self._places.get(self.names[who], USUAL_PLACE),
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
        self._places = read_rows(folder.parent / "places.json", len(USUAL_PLACE))
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
            self._places.get(self.names[row] + _SMILING * (1 - to), USUAL_PLACE),
        )

    def pictures(self, name: str) -> UInt8[np.ndarray, "2 side side 3"] | None:
        """Return somebody neutral and smiling; None if there is no such pair."""
        if name not in self.names:
            return None
        return np.asarray(self._frames[self.names.index(name)])


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
        places = folder / "grid_place.npy"
        self._place = _opened(places) if places.exists() else None
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
            USUAL_PLACE if self._place is None else self._place[start, first],
        )


def person_of(name: str) -> str:
    """Return who is in the photo of that name."""
    return name.removesuffix(_SMILING)


def _real_pair(
    source: np.ndarray,
    target: np.ndarray,
    mouth: np.ndarray,
    turned: np.ndarray,
    person: str,
    place: np.ndarray,
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
        place=np.array(place, np.float32),
    )


def _opened(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); make the folder again.") from error


def read_rows(path: Path, numbers: int) -> dict[str, Float32[np.ndarray, " numbers"]]:
    """Return numbers by name; none if the file is not there.

    Args:
        path: A JSON object of lists.
        numbers: Length of each.

    Raises:
        DataError: If it cannot be read.
    """
    if not path.exists():
        return {}
    try:
        known = json.loads(path.read_text("utf-8"))
        return {name: np.array(row, np.float32).reshape(numbers) for name, row in known.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{path} cannot be read ({error}); make the folder again.") from error
