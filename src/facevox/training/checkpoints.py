"""Checkpoints of a run: folders that appear whole, are checked when read, and pruned.

RUN/checkpoints/step-000001200/
networks.safetensors  averages.safetensors  optimizers.safetensors
random-0.json ...     random states, one file a process
state.json            everything else, with the SHA-256 of the other files
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from facevox.core.errors import CheckpointError, MediaError
from facevox.core.files import explain_os_error, make_folder
from facevox.training.tree import join_tree, split_tree

CHECKPOINTS = "checkpoints"
"""Folder of the checkpoints in a run folder."""

STATE = "state.json"
_PARTIAL = ".partial-"
_PREFIX = "step-"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One checkpoint as read.

    Attributes:
        path: Its folder.
        trees: Nested states by name, as they were saved.
        numbers: Step, position, seconds and what else the trainer keeps.
        random: Random states of this process; None if it did not exist then.
    """

    path: Path
    trees: dict[str, Any]
    numbers: dict[str, Any]
    random: dict[str, Any] | None


class Checkpoints:
    """The checkpoints of one run folder.

    Args:
        folder: Where they lie.
        keep: How many of the newest are kept, beside the best.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder = folder
        self.keep = keep

    def steps(self) -> list[int]:
        """Return the steps there are checkpoints of, ascending, damaged ones too."""
        names = [path.name for path in self.folder.glob(f"{_PREFIX}*") if path.is_dir()]
        return sorted(int(name.removeprefix(_PREFIX)) for name in names)

    def path(self, step: int) -> Path:
        """Return the folder of a step."""
        return self.folder / f"{_PREFIX}{step:09d}"

    def begin(self, step: int) -> Path:
        """Return the folder that processes write their parts to; one of them calls `clear`."""
        return self.folder / f"{_PARTIAL}{step:09d}"

    def clear(self, step: int) -> None:
        """Make that folder, empty; what a killed run left half-written goes.

        Raises:
            MediaError: If it cannot be made.
        """
        make_folder(self.folder)
        for old in self.folder.glob(f"{_PARTIAL}*"):
            shutil.rmtree(old, ignore_errors=True)
        make_folder(self.begin(step))

    def write_random(self, step: int, rank: int, state: Mapping[str, Any]) -> None:
        """Write the random states of one process."""
        _write(self.begin(step) / f"random-{rank}.json", json.dumps(state).encode())

    def finish(
        self, step: int, trees: Mapping[str, Any], numbers: Mapping[str, Any], best: int | None
    ) -> Path:
        """Write the rest, give the folder its name, and remove old ones.

        Args:
            step: Which step it is.
            trees: Nested states by name; tensors go to `NAME.safetensors`.
            numbers: Plain values.
            best: Step of the best checkpoint, which is kept.

        Raises:
            MediaError: If a file cannot be written.
        """
        here = self.begin(step)
        plain = {}
        for name, tree in trees.items():
            plain[name], tensors = split_tree(tree)
            _save_tensors(here / f"{name}.safetensors", tensors)
        digests = {path.name: _digest(path) for path in sorted(here.iterdir())}
        state = {"numbers": dict(numbers), "trees": plain, "files": digests}
        _write(here / STATE, json.dumps(state).encode())
        final = self.path(step)
        shutil.rmtree(final, ignore_errors=True)
        here.replace(final)
        self._prune(best)
        return final

    def load_newest(
        self, rank: int, warn: Callable[[str], None] = lambda _: None
    ) -> Checkpoint | None:
        """Return the newest checkpoint that is whole; None if there is none at all.

        Args:
            rank: Whose random states to return.
            warn: Told of every damaged checkpoint.

        Raises:
            CheckpointError: If there are checkpoints and all are damaged.
        """
        steps = self.steps()
        for step in reversed(steps):
            try:
                return self.load(step, rank)
            except CheckpointError as error:
                earlier = "; the one before is taken" if step != steps[0] else ""
                warn(f"{str(error).rstrip('.')}{earlier}.")
        if steps:
            raise CheckpointError(f"All {len(steps)} checkpoints in {self.folder} are damaged.")
        return None

    def load(self, step: int, rank: int = 0) -> Checkpoint:
        """Read and check one checkpoint.

        Raises:
            CheckpointError: If a file is absent or is not what was written.
        """
        path = self.path(step)
        try:
            state = json.loads((path / STATE).read_text("utf-8"))
            for name, digest in state["files"].items():
                if _digest(path / name) != digest:
                    raise CheckpointError(f"The checkpoint {path} is damaged ({name}).")
            trees = {
                name: join_tree(plain, load_file(path / f"{name}.safetensors"))
                for name, plain in state["trees"].items()
            }
            own = path / f"random-{rank}.json"
            random = json.loads(own.read_text("utf-8")) if own.exists() else None
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise CheckpointError(f"The checkpoint {path} is damaged ({error}).") from error
        return Checkpoint(path=path, trees=trees, numbers=state["numbers"], random=random)

    def _prune(self, best: int | None) -> None:
        for step in self.steps()[: -self.keep]:
            if step != best:
                shutil.rmtree(self.path(step), ignore_errors=True)


def start_from(networks: Mapping[str, nn.Module], run: Path) -> None:
    """Fill networks with the weights of another run, averaged where it has averages.

    Args:
        networks: Those that the other run does not know stay as they are.
        run: Folder of the other run.

    Raises:
        CheckpointError: If it has no whole checkpoint, no network of these names, or one that
            does not fit.
    """
    found = Checkpoints(run / CHECKPOINTS, 1).load_newest(0)
    if found is None:
        raise CheckpointError(f"{run} has no checkpoint to start from.")
    known = found.trees["networks"]
    if not set(known) & set(networks):
        raise CheckpointError(
            f"{run} holds other networks ({', '.join(known)}) than this recipe "
            f"({', '.join(networks)})."
        )
    for name in set(known) & set(networks):
        values = {**known[name], **found.trees["averages"].get(name, {})}
        try:
            networks[name].load_state_dict(values)
        except RuntimeError as error:
            raise CheckpointError(f"{found.path} does not fit {name!r}: {error}") from error


def _save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    try:
        save_file(tensors, path)
        _flush(path)
    except (OSError, SafetensorError) as error:
        cause = error if isinstance(error, OSError) else OSError(str(error))
        raise MediaError(explain_os_error(cause, path)) from error


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
        _flush(path)
    except OSError as error:
        raise MediaError(explain_os_error(error, path)) from error


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
