"""How numbers, directions and counts are written, the same on every page."""

import re

from facevox.evaluation.metric import Estimate, Figure, Result

ARROWS = {"higher": "\u2191", "lower": "\u2193", "neither": ""}
"""Which way is better, in one character."""

SHORT_HASH = 12
"""Characters of a hash that are printed."""


def number(value: float, digits: int) -> str:
    """Return a number with fixed decimals; what would round to nothing gets an exponent.

    There is no minus before zero.
    """
    text = f"{value:.{digits}f}"
    if float(text) == 0.0:
        return f"{value:.1e}" if value else text.removeprefix("-")
    return text


def interval(estimate: Estimate, digits: int) -> str:
    """Return `[low, high]`, or nothing if there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"[{number(estimate.low, digits)}, {number(estimate.high, digits)}]"


def sample(estimate: Estimate) -> str:
    """Return `n=48` for clips, `n=48 pairs` for anything else."""
    return f"n={estimate.count}" + ("" if estimate.of == "clips" else f" {estimate.of}")


def measured(estimate: Estimate, digits: int) -> str:
    """Return value, interval and count on one line."""
    parts = (number(estimate.value, digits), interval(estimate, digits), f"({sample(estimate)})")
    return " ".join(part for part in parts if part)


def label(figure: Figure) -> str:
    """Return the name of a figure with its unit and the arrow of the better direction."""
    unit = f"[{figure.unit}]" if figure.unit else ""
    return " ".join(part for part in (figure.name, unit, ARROWS[figure.better]) if part)


def remark(result: Result) -> str:
    """Return what must be said about a result: a reason, a note, or nothing."""
    return result.note if isinstance(result, Estimate) else result.reason


def short_hash(digest: str) -> str:
    """Return the first characters of a hash; other text as it is; a dash if there is none."""
    if re.fullmatch("[0-9a-f]{32,}", digest):
        return digest[:SHORT_HASH]
    return digest or "-"


def plural(count: int, noun: str) -> str:
    """Return `1 clip`, `2 clips`, `3 people`."""
    nouns = {"person": "people"}
    return f"{count} {noun if count == 1 else nouns.get(noun, noun + 's')}"
