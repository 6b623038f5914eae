"""The machine a run trains on: Fabric, precision, and what the card says of the hardware."""

import logging
import os
import platform
from inspect import signature
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins.precision.amp import MixedPrecision
from lightning.fabric.strategies import DDPStrategy
from torch.nn.parallel import DistributedDataParallel

from facevox.core.processor import cpu_computes_in_bf16, processor_lines
from facevox.training.settings import RunSettings

_LAUNCHER = "LT_CLI_USED"
"""Set by `fabric run`, which has started all processes and says how many by itself."""

_SYNC_BUFFERS = (
    "forward_sync_buffers"
    if "forward_sync_buffers" in signature(DistributedDataParallel.__init__).parameters
    else "broadcast_buffers"
)
"""The argument was renamed in torch 2.13."""


class _ExactInputs(MixedPrecision):
    """Autocast to bf16 that leaves inputs and targets in float32.

    Fabric's own rounds them to eight bits before the network sees them: an F0 by a seventh of
    a semitone, and a log-mel of -7 by 0.03.
    """

    def convert_input(self, data: Any) -> Any:
        return data


def computes_in_bf16(device_type: str) -> bool:
    """Tell whether this machine multiplies in bfloat16 itself, without emulation."""
    if device_type == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return cpu_computes_in_bf16()


def choose_precision(settings: RunSettings) -> RunSettings:
    """Return settings whose precision is resolved for this machine."""
    if settings.precision != "auto":
        return settings
    precision = "bf16-mixed" if computes_in_bf16(_kind(settings)) else "32-true"
    return settings.model_copy(update={"precision": precision})


def _kind(settings: RunSettings) -> str:
    if settings.accelerator != "auto":
        return settings.accelerator
    return "cuda" if torch.cuda.is_available() else "cpu"


def start_fabric(settings: RunSettings, *, unused_parameters: bool = False) -> Fabric:
    """Return a launched Fabric; with several processes the others start here.

    Args:
        settings: Settings of the loop, precision resolved.
        unused_parameters: Whether steps may leave parameters without a gradient.
    """
    for name in ("lightning.fabric", "lightning_utilities.core.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    launched = _LAUNCHER in os.environ
    several = launched or settings.devices * settings.nodes > 1
    options: dict[str, Any] = {"precision": settings.precision}
    if settings.precision == "bf16-mixed":
        options = {"plugins": [_ExactInputs("bf16-mixed", _kind(settings))]}
    if several:
        os.environ.pop("LT_STRATEGY", None)
        # buffers are taken from the first process when the run is saved: sharing them in
        # each forward would change them between the two forwards of a GAN step
        ddp: dict[str, Any] = {"find_unused_parameters": unused_parameters, _SYNC_BUFFERS: False}
        options["strategy"] = DDPStrategy(**ddp)
    if not launched:
        options |= {
            "accelerator": settings.accelerator,
            "devices": settings.devices,
            "num_nodes": settings.nodes,
        }
    fabric = Fabric(**options)
    if not launched:
        fabric.launch()
    return fabric


def describe_machine(fabric: Fabric) -> dict[str, Any]:
    """Return what the card says of the hardware."""
    where = fabric.device
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else _cpu_name()
    return {
        "device": name,
        "processes": fabric.world_size,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _cpu_name() -> str:
    return next(iter(processor_lines("model name")), platform.processor() or platform.machine())
