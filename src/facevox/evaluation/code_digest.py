"""Hashes that tell whether a system is still the one that made a video."""

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]

_LAYERS = ("core", "nn", "models", "systems", "weights")
"""Everything that can change what a system makes."""


@cache
def code_digest() -> str:
    """Return a hash of all code and weights below the systems, them included."""
    stamp = hashlib.sha256()
    for layer in _LAYERS:
        for path in sorted((PACKAGE / layer).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                stamp.update(path.relative_to(PACKAGE).as_posix().encode())
                stamp.update(path.read_bytes())
    return stamp.hexdigest()
