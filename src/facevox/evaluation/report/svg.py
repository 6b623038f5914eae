"""Pieces of markup: escaped text, elements, and the ticks of an axis."""

import html
import math
import re


def text(value: object) -> str:
    """Return anything as text that no browser reads as markup; control characters are gone."""
    return html.escape(re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", str(value)))


def prose(value: object) -> str:
    """Return a sentence as `text` does, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text(value))


def tag(name: str, /, *children: str, **attributes: object) -> str:
    """Return an element.

    Args:
        name: Of the element.
        *children: Markup; what comes from outside goes through `text` first.
        **attributes: Escaped here; `_` becomes `-`, one at the end is dropped; None leaves
            the attribute out; numbers get two decimals.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            shown = coordinate(value) if isinstance(value, int | float) else text(value)
            parts.append(f'{key.removesuffix("_").replace("_", "-")}="{shown}"')
    content = "".join(children)
    opening = " ".join(parts)
    return f"<{opening}/>" if name in _EMPTY and not content else f"<{opening}>{content}</{name}>"


_EMPTY = {"rect", "line", "path", "circle", "img", "polygon"}


def coordinate(value: float | int) -> str:
    """Return a number with at most two decimals and no needless zeros."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "") else shown


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Return round numbers within [low, high], at most so many, at least one apart.

    Steps are 1, 2 or 5 times a power of ten.
    """
    if not high > low:
        return [low]
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20):
        first, last = math.ceil(low / (step * factor)), math.floor(high / (step * factor))
        if last - first < most:
            return [k * step * factor for k in range(first, last + 1)]
    return [low]


def tick_label(value: float) -> str:
    """Return a tick as short as it can be."""
    return f"{value:.6g}"
