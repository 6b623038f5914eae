"""Reading published checkpoints as they are, strictly, without executing anything."""

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from facevox.core.errors import CheckpointError

_SHOWN = 5
_COUNTER = "num_batches_tracked"
_WRAPPERS = ("state_dict", "model_state", "model", "backbone")


class _Shell:
    """Stands for an object of a class that is not loaded; takes anything and does nothing."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def read_state_dict(path: Path, shells: bool = False, part: str | None = None) -> dict[str, Tensor]:
    """Return the tensors of a `.pth`, `.pt`, `.ckpt` or `.safetensors` file.

    A dictionary that wraps the tensors (`{"state_dict": ...}`) and the prefix `module.` of
    `DataParallel` are taken off.

    Args:
        path: The file.
        shells: Whether objects of unknown classes beside the tensors, such as the settings in
            Lightning's files, become empty shells instead of a reason to refuse the file.
            Their classes are neither imported nor called in both cases.
        part: Name of the network, in a file that holds several beside each other.

    Raises:
        CheckpointError: If the file is absent, damaged, holds more than tensors, or lacks the
            network.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            with _empty_shells(path) if shells else nullcontext():
                state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"There are no weights {path}.") from None
    except Exception as error:  # torch and safetensors raise many kinds for a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} cannot be read as weights ({reason}).") from error
    if part is not None:
        if not isinstance(state, Mapping) or part not in state:
            found = ", ".join(map(str, list(state)[:_SHOWN])) if isinstance(state, Mapping) else ""
            raise CheckpointError(f"{path} holds no network {part!r}; it holds: {found}.")
        state = state[part]
    for key in _WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    tensors = isinstance(state, Mapping) and all(isinstance(v, Tensor) for v in state.values())
    if not tensors or not state:
        raise CheckpointError(f"{path} does not hold a dictionary of tensors.")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def load_strictly(module: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Fill a network with a checkpoint, all keys and shapes equal; then set it to `eval`.

    Only the counters of batch normalisation may be absent: torch before 0.4.1 did not write
    them, and nothing reads them in evaluation.

    Args:
        module: The network.
        state: Tensors by name.
        origin: What the message calls the checkpoint.

    Raises:
        CheckpointError: Naming the first five keys that differ or hold NaN.
    """
    wanted = module.state_dict()
    state = {n: v for n, v in wanted.items() if n.rpartition(".")[2] == _COUNTER} | dict(state)
    check_layout(wanted, state, origin)
    module.load_state_dict(dict(state), strict=True)
    module.eval().requires_grad_(False)


def check_layout(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor], origin: str) -> None:
    """Refuse a checkpoint whose names, shapes or numbers are not what they should be.

    Args:
        wanted: Tensors whose names and shapes are right.
        state: Those of the checkpoint.
        origin: What the message calls the checkpoint.

    Raises:
        CheckpointError: Naming the first five keys that differ or hold NaN.
    """
    faults = [f"missing {name}" for name in wanted if name not in state]
    faults += [f"unknown {name}" for name in state if name not in wanted]
    faults += [
        f"{name} is {list(state[name].shape)}, expected {list(wanted[name].shape)}"
        for name in wanted
        if name in state and state[name].shape != wanted[name].shape
    ]
    if not faults:
        faults = [f"{n} holds values that are not numbers" for n, v in state.items() if _odd(v)]
    if faults:
        more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise CheckpointError(f"{origin} does not fit: {'; '.join(faults[:_SHOWN])}{more}.")


def _empty_shells(path: Path) -> Any:
    """Return a context in which torch's safe reader puts a shell for every unknown class."""
    names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    shells: list[Any] = [
        # Lightning's one subclass of dict; torch fills none but its own kinds of dict
        (OrderedDict if name.endswith(".AttributeDict") else type("Shell", (_Shell,), {}), name)
        for name in names
    ]
    return torch.serialization.safe_globals(shells)


def _odd(values: Tensor) -> bool:
    return values.is_floating_point() and not bool(torch.isfinite(values).all())
