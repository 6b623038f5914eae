"""Values that a user may set, and how far."""

from collections.abc import Mapping
from typing import Any

from facevox.core.errors import ConfigError

Ranges = Mapping[str, tuple[float, float]]
"""Name of a field -> lowest and highest value."""


def check_ranges(values: Mapping[str, Any], ranges: Ranges, prefix: str = "") -> None:
    """Raise unless every value that has a range is a number within it.

    Args:
        values: By name; names without a range are not looked at.
        ranges: What is allowed.
        prefix: What the sentence starts with, such as "Voice control ".

    Raises:
        ConfigError: At the first value that is not.
    """
    for name, (low, high) in ranges.items():
        value = values.get(name, low)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{prefix}{name} must be a number, got {value!r}.")
        if not low <= value <= high:
            raise ConfigError(
                f"{prefix}{name} must be between {low:g} and {high:g}, got {value:g}."
            )
