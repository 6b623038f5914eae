"""Names of the systems; each is imported when it is asked for."""

from importlib import import_module
from inspect import signature
from typing import Any

from facevox.core.errors import InputError
from facevox.systems.system import System

SYSTEMS = {"lite": "facevox.systems.lite:Lite", "ttsf": "facevox.systems.ttsf:Ttsf"}
"""Name -> module:class.  A class has a `load()` that takes nothing."""


def load(name: str = "lite", **options: Any) -> System:
    """Return a system, ready to generate.

    Args:
        name: One of `SYSTEMS`.
        options: What the system's `load` takes, such as `speech="matcha"` for lite.

    Raises:
        InputError: If there is no such system.
        MissingPiece: If something that it needs is not installed.
        CheckpointError: If its weights are absent or damaged.
    """
    if name not in SYSTEMS:
        raise InputError(f"There is no system {name!r}; there are: {', '.join(sorted(SYSTEMS))}.")
    module, _, attribute = SYSTEMS[name].partition(":")
    system = getattr(import_module(module), attribute)
    known = signature(system.load).parameters
    if unknown := sorted(set(options) - set(known)):
        raise InputError(
            f"The system {name} has no option {unknown[0]!r}; it has: {', '.join(known) or 'none'}."
        )
    return system.load(**options)
