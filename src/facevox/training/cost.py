"""What a run would cost, measured on a few steps; nothing is written."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from facevox.training.machine import describe_machine, start_fabric
from facevox.training.run import Plan
from facevox.training.trainer import Trainer

_TIMED = 2


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of a run.

    Attributes:
        parameters: Learned numbers of each network.
        multiply_adds: Of one step of one process, forward and backward: matrix products,
            convolutions and attention.
        seconds_per_step: Median of the timed steps of one process alone [s].
        hours: For all steps, or until the time limit [h].
        memory_bytes: Largest memory so far: of the GPU, or of this process.
        batches_per_epoch: Batches of one pass over the data.
        epochs: Passes over the data in all steps.
        data_bytes: Size of the data folder.
        machine: Where it was measured.
    """

    parameters: dict[str, int]
    multiply_adds: int
    seconds_per_step: float
    hours: float
    memory_bytes: int
    batches_per_epoch: int
    epochs: float
    data_bytes: int
    machine: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def measure_cost(plan: Plan) -> Cost:
    """Make a few steps of a run in this process and throw them away.

    Raises:
        FacevoxError: If the run could not start.
    """
    task = plan.kind(plan.config, plan.data)
    batches = task.batches("train")
    alone = task.run.model_copy(update={"devices": 1, "nodes": 1})
    fabric = start_fabric(alone)
    trainer = Trainer(fabric, task, plan.folder)
    stream = iter(batches[number] for number in range(10**9))
    with FlopCounterMode(display=False) as counter:
        trainer.make_step(stream)
    seconds = []
    for _ in range(_TIMED):
        start = time.perf_counter()
        trainer.make_step(stream)
        if fabric.device.type == "cuda":
            torch.cuda.synchronize(fabric.device)
        seconds.append(time.perf_counter() - start)
    each = sorted(seconds)[len(seconds) // 2]
    run = task.run
    hours = run.steps * each / 3600
    taken = run.devices * run.nodes * run.accumulate
    return Cost(
        parameters={name: _count(network) for name, network in trainer.context.plain.items()},
        multiply_adds=counter.get_total_flops() // 2,
        seconds_per_step=each,
        hours=min(hours, run.minutes / 60) if run.minutes is not None else hours,
        memory_bytes=_peak_memory(fabric.device),
        batches_per_epoch=len(batches),
        epochs=run.steps * taken / max(1, len(batches)),
        data_bytes=_size(plan.data),
        machine=describe_machine(fabric),
    )


def _count(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters() if value.requires_grad)


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _size(folder: Path) -> int:
    if not folder.is_dir():
        return folder.stat().st_size if folder.exists() else 0
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
