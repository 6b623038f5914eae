"""All metrics, in the order and groups of the report."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from facevox.core.errors import InputError
from facevox.evaluation.metric import Metric
from facevox.evaluation.metrics.efficiency import EFFICIENCY

_HERE = "facevox.evaluation.metrics"

GROUPS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {}
"""Title of a group -> `module:Class` within this folder and its arguments."""


def all_metrics() -> dict[str, tuple[Metric, ...]]:
    """Return every metric, ready to use, by group."""
    return {
        title: tuple(_make(target, arguments) for target, arguments in rows)
        for title, rows in GROUPS.items()
    }


def choose_metrics(names: Sequence[str] | None) -> dict[str, tuple[Metric, ...]]:
    """Return the metrics of these names, by group; all of them for None.

    Raises:
        InputError: If there is no metric of a name.
    """
    groups = all_metrics()
    if names is None:
        return groups
    known = {metric.name for metrics in groups.values() for metric in metrics} | {EFFICIENCY}
    for name in names:
        if name not in known:
            raise InputError(f"There is no metric {name!r}; there are: {', '.join(sorted(known))}.")
    chosen = {
        title: tuple(metric for metric in metrics if metric.name in names)
        for title, metrics in groups.items()
    }
    return {title: metrics for title, metrics in chosen.items() if metrics}


def _make(target: str, arguments: dict[str, Any]) -> Metric:
    module, _, name = target.partition(":")
    return getattr(import_module(f"{_HERE}.{module}"), name)(**arguments)
