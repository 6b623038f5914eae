"""What a recipe says of its training run; the loop itself is `trainer.py`.

A task names its networks, optimisers and batches, makes one step and judges itself.  All
that is the same for every run (devices, precision, accumulation, averages, checkpoints,
logs) is the trainer's.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.checkpoint import save_checkpoint
from facevox.training.context import Context
from facevox.training.settings import RunSettings, TaskSettings


@runtime_checkable
class Batches(Protocol):
    """Batches by number: batch k is a pure function of k, so a position is one integer.

    Training counts on without end, over epochs; `len` is the batches of the first epoch (the
    only one for validation).
    """

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> Any:
        """Return batch `number`: tensors in a dict, tuple or dataclass."""
        ...


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What a validation shows beside its numbers.

    Attributes:
        waveforms: Name -> (samples,) float array, and one sample rate [Hz] for all.
        pictures: Name -> (height, width) array in [0, 1], or (height, width, 3) uint8 RGB.
    """

    waveforms: Mapping[str, np.ndarray] = field(default_factory=dict)
    sample_rate: int = 16_000
    pictures: Mapping[str, np.ndarray] = field(default_factory=dict)


class Task(ABC):
    """One training run but for the loop.

    Attributes:
        name: Name of the recipe.
        Config: Settings with its defaults: model, optim, data, and `run` for the loop.
        presets: Name -> values that differ from the defaults, nested as in `Config`.
        averaged: Networks whose moving average is kept; validation and export use it.
        exported: Networks that `export` writes; all if empty.
        best: Number of `validate` that says which checkpoint is the best; less is better if
            `lower_is_better`.
        unused_parameters: Whether a step may leave parameters without a gradient (with
            several processes these must be searched for in each step).
        forward_methods: Network -> methods that a step calls beside `forward`.
        data_hint: What makes its data, for the message when there is none.
        licence: Licence of the weights that come out.
    """

    name: ClassVar[str]
    Config: ClassVar[type[TaskSettings]]
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    averaged: ClassVar[tuple[str, ...]] = ()
    exported: ClassVar[tuple[str, ...]] = ()
    best: str | None = None
    lower_is_better: ClassVar[bool] = True
    unused_parameters: ClassVar[bool] = False
    forward_methods: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    data_hint: ClassVar[str] = "`facevox prepare` makes shards of a corpus"
    licence: ClassVar[str] = "Apache-2.0"

    def __init__(self, config: Any, data: Path) -> None:
        """Keep the settings and the folder of the data; read nothing yet."""
        self.config = config
        self.data = data

    @property
    def run(self) -> RunSettings:
        """Settings of the loop."""
        return self.config.run

    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """Make the networks by name, on the CPU; torch is already seeded."""

    @abstractmethod
    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, Optimizer]:
        """Make the optimisers by the name that `context.update` is given."""

    def schedules(self, optimizers: Mapping[str, Optimizer]) -> dict[str, LRScheduler]:
        """Make schedules, by name of the optimiser; each advances with every update."""
        del optimizers
        return {}

    @abstractmethod
    def batches(self, split: str) -> Batches:
        """Open the batches of "train" or "validation"; see `training/batches.py`.

        Raises:
            DataError: If the folder does not hold what the recipe needs.
        """

    def weight(self, batch: Any) -> float:
        """Return over how many items the loss of this batch is a mean (frames, clips).

        With several processes or accumulation each batch counts by it, so that the gradient
        is that of all batches as one.
        """
        del batch
        return 1.0

    @abstractmethod
    def step(self, context: Context, batch: Any) -> dict[str, float | Tensor]:
        """Learn from one batch: `context.backward(loss)`, `context.update(name)`.

        Returns:
            Losses to log, by name; tensors are read only when they are logged.
        """

    def validate(self, context: Context) -> dict[str, float]:
        """Measure on held-out data; averages applied, no gradients, one process, own seed."""
        del context
        return {}

    def samples(self, context: Context) -> Samples:
        """Make sounds and pictures to look at, under the conditions of `validate`."""
        del context
        return Samples()

    def describe_data(self) -> dict[str, Any]:
        """Return what the card says of the data: at least `data`, in words."""
        return {"data": str(self.data.name)}

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `NAME.safetensors` and `NAME.json` of what the product needs.

        Args:
            networks: Plain networks in evaluation mode, averages applied.
            folder: Where to; exists.
            card: Configuration and provenance, made by the trainer.
        """
        return [
            save_checkpoint(
                folder / f"{name}.safetensors",
                networks[name].state_dict(),
                {"kind": f"{self.name}-{name}", **card},
            )
            for name in self.exported or tuple(networks)
        ]
