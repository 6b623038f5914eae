"""Batches of about N frames, planned from lengths alone: even, shuffled, complete.

Clips of like length share a batch, so that little is padded.  Which clips make up batch k
depends on nothing but lengths, seed and k: every process and every resumed run finds the
same ones, and every clip comes once in each epoch.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Sampler

from facevox.core.errors import DataError, FacevoxError

Load = Callable[[list[int], np.random.Generator], Any]
"""Makes a batch of clips, by index, with a generator for crops and noise."""

_SPREAD = 0.1
"""Lengths are jittered by this part before sorting, so that batches differ by epoch."""


def plan_batches(
    lengths: Sequence[int] | np.ndarray,
    budget: int,
    *,
    seed: int,
    epoch: int = 0,
    max_clips: int | None = None,
    shuffle: bool = True,
) -> list[list[int]]:
    """Divide clips into batches whose padded size stays below a budget.

    Args:
        lengths: Length of each clip, in frames or samples.
        budget: Largest number of clips times longest clip; a longer clip stands alone.
        seed: Of the order.
        epoch: Which pass over the data.
        max_clips: Largest number of clips in a batch.
        shuffle: Whether the order is random; else by length, the same in each epoch.

    Raises:
        DataError: If there are no clips.
    """
    sizes = np.asarray(lengths, dtype=np.float64)
    if not len(sizes):
        raise DataError("There is not one clip to learn from; look at the report of the data.")
    generator = np.random.default_rng([seed, epoch])
    jitter = generator.uniform(1 - _SPREAD, 1 + _SPREAD, len(sizes)) if shuffle else 1.0
    batches: list[list[int]] = []
    longest = 0.0
    for index in np.argsort(sizes * jitter, kind="stable"):
        longest = max(longest, float(sizes[index]))
        full = bool(batches) and (
            (len(batches[-1]) + 1) * longest > budget or len(batches[-1]) == max_clips
        )
        if full or not batches:
            batches.append([])
            longest = float(sizes[index])
        batches[-1].append(int(index))
    if shuffle:
        return [batches[i] for i in generator.permutation(len(batches))]
    return batches


class PackedBatches:
    """Endless batches of clips packed by length.

    Args:
        lengths: Length of each clip.
        load: Makes a batch from indices; the generator depends on seed and batch number only.
        budget: Largest number of clips times longest clip.
        seed: Of order and loading.
        max_clips: Largest number of clips in a batch.
        shuffle: False for validation: the same order in each epoch.
    """

    def __init__(
        self,
        lengths: Sequence[int] | np.ndarray,
        load: Load,
        *,
        budget: int,
        seed: int,
        max_clips: int | None = None,
        shuffle: bool = True,
    ) -> None:
        self._lengths = np.asarray(lengths)
        self._load = load
        self._seed = seed
        self._rules: dict[str, Any] = {"max_clips": max_clips, "shuffle": shuffle}
        self._budget = budget
        self._starts = [0]
        self._plan = self._plan_epoch(0)
        self._epoch = 0

    def __len__(self) -> int:
        return self._starts[1]

    def __getitem__(self, number: int) -> Any:
        """Return batch `number`, counted on over the epochs."""
        indices = self.indices(number)
        return self._load(indices, np.random.default_rng([self._seed, 1, number]))

    def __iter__(self) -> Iterator[Any]:
        """Give the batches of the first epoch."""
        return (self[number] for number in range(len(self)))

    def indices(self, number: int) -> list[int]:
        """Return which clips are in batch `number`."""
        while number >= self._starts[-1]:
            self._plan, self._epoch = self._plan_epoch(len(self._starts) - 1), len(self._starts) - 2
        epoch = bisect_right(self._starts, number) - 1
        if epoch != self._epoch:
            self._plan, self._epoch = self._make(epoch), epoch
        return self._plan[number - self._starts[epoch]]

    def _plan_epoch(self, epoch: int) -> list[list[int]]:
        plan = self._make(epoch)
        self._starts.append(self._starts[-1] + len(plan))
        return plan

    def _make(self, epoch: int) -> list[list[int]]:
        return plan_batches(
            self._lengths, self._budget, seed=self._seed, epoch=epoch, **self._rules
        )


class DrawnBatches:
    """Endless batches that are drawn instead of going through the clips (random crops).

    Args:
        draw: Makes a batch; the generator depends on seed and batch number only.
        seed: Of the drawing.
        epoch: How many batches count as one pass over the data.
    """

    def __init__(
        self, draw: Callable[[np.random.Generator], Any], *, seed: int, epoch: int
    ) -> None:
        self._draw = draw
        self._seed = seed
        self._epoch = epoch

    def __len__(self) -> int:
        return self._epoch

    def __getitem__(self, number: int) -> Any:
        """Return batch `number`."""
        return self._draw(np.random.default_rng([self._seed, 1, number]))

    def __iter__(self) -> Iterator[Any]:
        """Give the batches of the first epoch."""
        return (self[number] for number in range(len(self)))


class _Numbers(Sampler[int]):
    """Numbers of the batches that one process takes: every `world`-th, for ever."""

    def __init__(self, start: int, rank: int, world: int) -> None:
        self.start, self.rank, self.world = start, rank, world

    def __iter__(self) -> Iterator[int]:
        number = self.start + self.rank
        while True:
            yield number
            number += self.world


def read_batches(
    batches: Any, *, start: int, rank: int, world: int, workers: int, pin: bool = False
) -> Iterator[Any]:
    """Give one process's share of the batches from number `start` on.

    Processes take turns batch by batch, so that n processes with one batch a step see what one
    process sees with n batches a step.

    Args:
        batches: A `Batches`; see `training/task.py`.
        start: First batch of the next step.
        rank: Number of this process.
        world: Number of processes.
        workers: Processes that read ahead; 0 reads when asked.
        pin: Whether to keep batches in memory that a GPU copies from faster.

    Raises:
        FacevoxError: What the batches raise, from whichever process.
    """
    import torch

    loader: DataLoader[Any] = DataLoader(
        _Guarded(batches),  # type: ignore[arg-type]
        sampler=_Numbers(start, rank, world),
        batch_size=None,
        num_workers=workers,
        pin_memory=pin,
        collate_fn=_as_it_is,
        # its own generator: the loader must not draw from the run's
        generator=torch.Generator().manual_seed(0),
    )
    return _raising(iter(loader))


class _Guarded:
    """Batches whose faults are handed over, not raised: a worker would wrap their sentence."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches

    def __getitem__(self, number: int) -> Any:
        try:
            return self._batches[number]
        except FacevoxError as error:
            return error


def _raising(batches: Iterator[Any]) -> Iterator[Any]:
    for batch in batches:
        if isinstance(batch, FacevoxError):
            raise batch
        yield batch


def _as_it_is(batch: Any) -> Any:
    return batch
