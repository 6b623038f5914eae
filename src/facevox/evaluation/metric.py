"""What every metric offers: it looks at clips one by one, then sums up.

`observe` turns one clip into a few arrays, which are kept on disk, so that an
interrupted run goes on where it stopped; `summarise` turns the observations of all
clips of a system into numbers with intervals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Shaped

from facevox.evaluation.bootstrap import (
    FEWEST_GROUPS,
    interval_of,
    interval_of_mean,
    interval_of_share,
)
from facevox.evaluation.clip import Clip
from facevox.evaluation.media import ClipMedia

Observation = dict[str, np.ndarray]
"""What a metric saw in one clip: arrays by name; numbers are arrays without axes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One number that a metric reports.

    Attributes:
        name: As it stands in tables, unique among all metrics.
        unit: Its unit, empty if it has none.
        better: Which way is better.
        protocol: One or two sentences, printed beside the number.
        digits: Decimals worth printing.
    """

    name: str
    unit: str
    better: Literal["higher", "lower", "neither"]
    protocol: str
    digits: int = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A measured number.

    Attributes:
        value: The number.
        low: Lower end of its 95 % interval; None if there is none.
        high: Upper end.
        count: Clips (or pairs, or persons) it rests on.
        of: What is counted.
        note: Anything a reader must know about this very number.
    """

    value: float
    low: float | None = None
    high: float | None = None
    count: int
    of: str = "clips"
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotMeasured:
    """Why a number is absent: a sentence."""

    reason: str


Result = Estimate | NotMeasured


@dataclass(frozen=True, slots=True)
class Seen:
    """A clip together with what a metric saw in it."""

    clip: Clip
    observation: Observation


@runtime_checkable
class Metric(Protocol):
    """One metric; may report several figures.

    Attributes:
        name: Key of the metric, lower case; observations are kept under it.
        version: Raised when `observe` changes, so that kept observations are made anew.
        judges: Names in the registry of all networks it needs, the tracker of landmarks aside.
        uses_landmarks: Whether the tracker of landmarks is among its judges.
        figures: What it reports.
    """

    name: str
    version: int
    judges: tuple[str, ...]
    uses_landmarks: bool
    figures: tuple[Figure, ...]

    def observe(self, media: ClipMedia) -> Observation:
        """Look at one clip.

        Raises:
            FacevoxError: If this clip cannot be scored; the message becomes the reason.
        """
        ...

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return a result for every figure, by its name; `seen` is not empty."""
        ...


def judges_of(metric: Metric, tracker: str) -> tuple[str, ...]:
    """Return the names of all networks that a metric needs, that of landmarks included."""
    return (*metric.judges, *((tracker,) if metric.uses_landmarks else ()))


def mean_over_clips(
    seen: Sequence[Seen], key: str, *, seed: int = 0, of: str = "clips", note: str = ""
) -> Result:
    """Return the mean of one observed number, with a 95 % interval.

    Clips of one person are not independent: persons are drawn anew, not clips, when there
    are at least five of them.  Clips in which the number is NaN are left out.
    """
    values = np.array([float(item.observation[key]) for item in seen])
    if not np.isfinite(values).any():
        return NotMeasured(reason=f"no clip gave a value of {key}")
    good = np.isfinite(values)
    interval = interval_of_mean(values[good], people_of(seen)[good], seed=seed)
    return _mean(seen, values, interval, of=of, note=note)


def share_of_clips(
    seen: Sequence[Seen], shares: Float[np.ndarray, " clips"], *, seed: int = 0
) -> Estimate:
    """Return in how many clips something is so [%], with a 95 % interval over people.

    Args:
        seen: The clips.
        shares: 1 where it is so, else 0.
        seed: Seed of the interval.
    """
    low, high = interval_of_share(shares, people_of(seen), seed=seed)
    if low is None or high is None or len(seen) == 1:
        return _mean(seen, 100 * shares, (None, None))
    return _mean(seen, 100 * shares, (100 * low, 100 * high))


def people_of(seen: Sequence[Seen]) -> Shaped[np.ndarray, " clips"]:
    """Return whom each clip shows; clips of unknown people show one each."""
    return np.array([item.clip.identity or item.clip.name for item in seen])


def interval_over_people(
    seen: Sequence[Seen], statistic: Callable[[np.ndarray], float], *, seed: int = 0
) -> tuple[float, float] | tuple[None, None]:
    """Return the 95 % interval of any statistic of clips.

    People are drawn with all their clips, or clips where there are fewer than five people.

    Args:
        seen: The clips.
        statistic: Takes indices of clips (with repeats), returns a number.
        seed: Seed of the draws.
    """
    _, group = np.unique(people_of(seen), return_inverse=True)
    if group.max() + 1 < FEWEST_GROUPS:
        group = np.arange(len(seen))
    members = [np.flatnonzero(group == one) for one in range(int(group.max()) + 1)]
    return interval_of(
        lambda drawn: statistic(np.concatenate([members[one] for one in drawn])),
        len(members),
        seed=seed,
    )


def _mean(
    seen: Sequence[Seen],
    values: Float[np.ndarray, " clips"],
    interval: tuple[float, float] | tuple[None, None],
    *,
    of: str = "clips",
    note: str = "",
) -> Estimate:
    """Return the mean of what is not NaN, and what it rests on."""
    good = np.isfinite(values)
    persons, count = len(np.unique(people_of(seen)[good])), int(good.sum())
    if persons < min(count, FEWEST_GROUPS):
        of += f" of {persons} {'person' if persons == 1 else 'people'}"
    if count < len(seen):
        note = "; ".join(filter(None, (note, f"{len(seen) - count} of {len(seen)} had no value")))
    low, high = interval
    value = float(values[good].mean())
    return Estimate(value=value, low=low, high=high, count=count, of=of, note=note)
