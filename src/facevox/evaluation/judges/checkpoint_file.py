"""Judges from published checkpoints; reading and strictness are those of the whole package."""

from pathlib import Path
from typing import TypeVar

from torch import nn

from facevox.core.state_dict import load_strictly, read_state_dict

__all__ = ["load_strictly", "loaded", "read_state_dict"]

Network = TypeVar("Network", bound=nn.Module)


def loaded(network: Network, path: Path) -> Network:
    """Return a network with the weights of a file, ready to judge.

    Raises:
        CheckpointError: If the file is absent, damaged or of another layout.
    """
    load_strictly(network, read_state_dict(path), path.name)
    return network
