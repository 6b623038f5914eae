"""Weights on disk: safetensors with a readable card beside them, loaded strictly.

Nothing is ever executed while loading, and a file that does not fit is refused
with the names that do not fit.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from facevox.core.errors import CheckpointError
from facevox.core.files import temporary_twin, write_atomically

if TYPE_CHECKING:
    from torch import nn

WEIGHTS = Path(__file__).parents[1] / "weights" / "lite"
"""Folder of the weights of `lite` that ship with the package."""

SPEECH_WEIGHTS = WEIGHTS.parent / "speech"
"""Folder of the weights of the neural voice."""

TTSF_WEIGHTS = WEIGHTS.parent / "ttsf"
"""Folder of the weights of the talking face of `ttsf`."""

_SHOWN = 5


def save_checkpoint(path: Path, tensors: Mapping[str, Any], card: Mapping[str, Any]) -> Path:
    """Write `NAME.safetensors` and `NAME.json`, each whole or not at all.

    Args:
        path: The safetensors file; the card takes its name with `.json`.
        tensors: Arrays or torch tensors by name.
        card: Configuration and provenance: data, licence, command, date, results.

    Raises:
        MediaError: If a file cannot be written.
    """
    arrays = {name: np.asarray(_to_numpy(value), order="C") for name, value in tensors.items()}
    with temporary_twin(path) as twin:
        save_file(arrays, twin)
    text = json.dumps(dict(card), indent=2) + "\n"
    write_atomically(path.with_suffix(".json"), text.encode())
    return path


def load_checkpoint(
    path: Path, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> dict[str, np.ndarray]:
    """Read all arrays of a safetensors file.

    Args:
        path: The file.
        shapes: What must be in it, no more and no less; None takes it as it is.

    Raises:
        CheckpointError: If the file is absent or damaged, or does not hold exactly `shapes`.
    """
    try:
        arrays = load_file(path)
    except FileNotFoundError:
        raise CheckpointError(
            f"There are no weights {path}; install facevox again or train them."
        ) from None
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); install facevox again.") from error
    if shapes is not None:
        _check_shapes(path, {name: array.shape for name, array in arrays.items()}, shapes)
    return arrays


def load_card(path: Path) -> dict[str, Any]:
    """Read the card that lies beside a safetensors file.

    Raises:
        CheckpointError: If it is absent or is not a JSON object.
    """
    path = path.with_suffix(".json")
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"Cannot read the card {path}: {error}.") from error
    if not isinstance(card, dict):
        raise CheckpointError(f"{path} is not a card: expected an object, got {type(card)}.")
    return card


def load_module(module: "nn.Module", path: Path) -> None:
    """Fill a torch module with a checkpoint, strictly; half precision becomes the module's own.

    Raises:
        CheckpointError: If the file is absent, damaged, or does not fit the module.
    """
    import torch

    state = module.state_dict()
    arrays = load_checkpoint(path, {name: tuple(value.shape) for name, value in state.items()})
    module.load_state_dict(
        {name: torch.from_numpy(array).to(state[name].dtype) for name, array in arrays.items()}
    )


def installed_weights() -> list[dict[str, Any]]:
    """Return name, size [bytes], licence and data of every checkpoint in the package."""
    rows = []
    for path in sorted(WEIGHTS.parent.rglob("*.safetensors")):
        card = load_card(path)
        rows.append(
            {
                "name": path.stem,
                "bytes": path.stat().st_size,
                "licence": card.get("licence", "unknown"),
                "data": card.get("data", "unknown"),
            }
        )
    return rows


def weights_digest(*folders: Path) -> str:
    """Return the SHA-256 of all checkpoints of folders, by name: which weights these are."""
    stamp = hashlib.sha256()
    for folder in folders or (WEIGHTS,):
        for path in sorted(folder.glob("*.safetensors")):
            stamp.update(path.name.encode())
            stamp.update(path.read_bytes())
    return stamp.hexdigest()


def _to_numpy(value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    return value.detach().cpu().numpy()


def _check_shapes(
    path: Path, found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]
) -> None:
    """Raise with the first names that are missing, too many, or of another shape."""
    faults = [f"missing {name}" for name in sorted(set(wanted) - set(found))]
    faults += [f"unknown {name}" for name in sorted(set(found) - set(wanted))]
    faults += [
        f"{name} is {list(found[name])}, expected {list(wanted[name])}"
        for name in sorted(set(found) & set(wanted))
        if tuple(found[name]) != tuple(wanted[name])
    ]
    if faults:
        more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise CheckpointError(f"{path} does not fit: {'; '.join(faults[:_SHOWN])}{more}.")
