"""Plots as SVG: bars with intervals, lips over time, maps of voices.

Colours are CSS variables of the page, so that one drawing serves light and dark; the text
scales with the drawing.  The same data give the same characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from facevox.evaluation.clip import REAL
from facevox.evaluation.metric import Estimate, Figure, Result
from facevox.evaluation.report.report import LipTrace
from facevox.evaluation.report.svg import coordinate, tag, text, tick_label, ticks
from facevox.evaluation.report.wording import label, measured, number

COLOURS = 8
"""Colours of systems and of persons; more of them begin anew, with another marker."""

_CHARACTER = 7.0  # width of a digit in drawing units, about

MARKERS = ("circle", "square", "triangle", "cross")


@dataclass(frozen=True)
class Axis:
    """A linear map from values to drawing units."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value lies."""
        span = self.high - self.low or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def colour_of(index: int) -> str:
    """Return the CSS colour of the system or person of that number."""
    return f"var(--c{index % COLOURS})"


def system_colours(names: Sequence[str]) -> list[str]:
    """Return a colour for each system; recordings are grey."""
    made = iter(range(len(names)))
    return ["var(--real)" if name == REAL else colour_of(next(made)) for name in names]


def bars(figure: Figure, results: Sequence[tuple[str, Result]]) -> str:
    """Return one bar per system from zero, with a whisker for its interval.

    A dashed line stands where recordings are; a system without a number says so.
    """
    found = [result for _, result in results if isinstance(result, Estimate)]
    longest = max(len(number(one.value, figure.digits)) for one in found)
    width, row, left = 330.0, 24.0, 104.0
    right = width - 14 - _CHARACTER * longest
    ends = [
        end for one in found for end in (one.value, one.low, one.high) if end is not None
    ]  # fmt: skip
    axis = Axis(min(0.0, *ends), max(0.0, *ends), left, right)
    height = row * len(results) + 22
    parts = [_bar_axis(axis, height)]
    colours = system_colours([name for name, _ in results])
    for index, ((name, result), colour) in enumerate(zip(results, colours, strict=True)):
        middle = row * index + row / 2 + 2
        parts.append(_name(name, left - 8, middle))
        if not isinstance(result, Estimate):
            parts.append(_label("not measured", left + 6, middle, class_="faint"))
            continue
        parts.append(_bar(axis, result, middle, colour))
        parts.append(_label(number(result.value, figure.digits), width - 2, middle, anchor="end"))
        if name == REAL:
            x = axis(result.value)
            parts.append(tag("line", x1=x, x2=x, y1=2, y2=height - 20, class_="truth"))
    shown = "; ".join(
        f"{name} {measured(one, figure.digits)}" if isinstance(one, Estimate) else name
        for name, one in results
    )
    return _drawing(width, height, f"{label(figure)}: {shown}", parts)


def _bar_axis(axis: Axis, height: float) -> str:
    bottom = height - 20
    parts = []
    for value in _roomy_ticks(axis):
        x = axis(value)
        kind = "zero" if value == 0 else "grid"
        parts.append(tag("line", x1=x, x2=x, y1=2, y2=bottom + 3, class_=kind))
        parts.append(_label(tick_label(value), x, height - 8, anchor="middle", class_="tick"))
    return "".join(parts)


def _roomy_ticks(axis: Axis) -> list[float]:
    """Return ticks whose labels do not touch."""
    found = ticks(axis.low, axis.high, 5)
    for most in (3, 2, 1):
        longest = max(len(tick_label(value)) for value in found)
        if (longest + 1) * _CHARACTER * len(found) <= axis.end - axis.start:
            break
        found = ticks(axis.low, axis.high, most)
    return found


def _bar(axis: Axis, estimate: Estimate, middle: float, colour: str) -> str:
    zero, end = axis(0.0), axis(estimate.value)
    bar = tag(
        "rect",
        x=min(zero, end),
        y=middle - 7,
        width=abs(end - zero),
        height=14,
        rx=1.5,
        style=f"fill:{colour}",
    )
    if estimate.low is None or estimate.high is None:
        return bar
    low, high = axis(estimate.low), axis(estimate.high)
    path = (
        f"M{coordinate(low)} {coordinate(middle)}H{coordinate(high)}"
        f"M{coordinate(low)} {coordinate(middle - 4)}v8M{coordinate(high)} "
        f"{coordinate(middle - 4)}v8"
    )
    return bar + tag("path", d=path, class_="whisker-halo") + tag("path", d=path, class_="whisker")


def lips(trace: LipTrace) -> str:
    """Return the measured distance of the lips over what the phones let expect.

    The distance [IOD] has the axis on the left; the openness, 0 to 1, fills the height.
    Frames without a face leave a gap.
    """
    width, height, left, top, bottom = 360.0, 152.0, 50.0, 8.0, 120.0
    count = len(trace.lip_gap)
    seconds = count / trace.fps
    finite = trace.lip_gap[np.isfinite(trace.lip_gap)]
    x = Axis(0.0, seconds, left, width - 8)
    low, high = float(finite.min(initial=0.0)), max(1e-6, float(finite.max(initial=0.0)))
    gap = Axis(low, 1.05 * high, bottom, top)
    openness = Axis(0.0, 1.0, gap(0.0), top)
    parts = [
        tag("path", d=_area(trace.openness, trace.fps, x, openness), class_="expected"),
        *_left_axis(gap, left, width - 8),
        tag("path", d=_line(trace.lip_gap, trace.fps, x, gap), class_="seen"),
    ]
    for value in ticks(0.0, seconds, 6):
        shown = _label(tick_label(value), x(value), bottom + 11, anchor="middle", class_="tick")
        parts.append(shown)
    parts.append(_label("time [s]", (left + width) / 2, height - 5, anchor="middle", class_="axis"))
    parts.append(_upright("lip gap [IOD]", 9.0, (top + bottom) / 2))
    return _drawing(width, height, f"Lip gap and openness over time, {trace.title}", parts)


def _area(values: np.ndarray, fps: float, x: Axis, y: Axis) -> str:
    points = [
        f"{coordinate(x((k + 0.5) / fps))} {coordinate(y(float(value)))}"
        for k, value in enumerate(np.nan_to_num(values))
    ]
    if not points:
        return "M0 0"
    ends = [f"{coordinate(x((k + 0.5) / fps))} {coordinate(y(0.0))}" for k in (0, len(values) - 1)]
    return f"M{ends[0]}L{'L'.join(points)}L{ends[1]}Z"


def _line(values: np.ndarray, fps: float, x: Axis, y: Axis) -> str:
    path, pen = [], "M"
    for k, value in enumerate(values):
        if np.isfinite(value):
            point = f"{coordinate(x((k + 0.5) / fps))} {coordinate(y(float(value)))}"
            path.append(pen + point)
        pen = "L" if np.isfinite(value) else "M"
    return "".join(path) or "M0 0"


def _left_axis(axis: Axis, left: float, right: float) -> list[str]:
    parts = []
    for value in ticks(axis.low, axis.high, 3):
        y = axis(value)
        parts.append(tag("line", x1=left, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(_label(tick_label(value), left - 5, y, anchor="end", class_="tick"))
    return parts


def scatter(
    points: Float[np.ndarray, "n 2"],
    people: Sequence[str],
    order: Sequence[str],
    axes: tuple[str, str],
    title: str,
) -> str:
    """Return points coloured by person; the name appears under the pointer.

    Args:
        points: Where each voice lies.
        people: Who speaks it.
        order: All persons; gives each colour and marker.
        axes: Labels of the axes.
        title: What is seen, for those who listen to the page.
    """
    width, height, left, bottom = 300.0, 290.0, 26.0, 262.0
    low, high = points.min(0), points.max(0)
    side = max(1e-9, float((high - low).max())) * 0.54
    middle = (low + high) / 2
    x = Axis(float(middle[0]) - side, float(middle[0]) + side, left, width - 6)
    y = Axis(float(middle[1]) - side, float(middle[1]) + side, bottom, 6.0)
    frame = tag("rect", x=left, y=6, width=width - 6 - left, height=bottom - 6, class_="frame")
    rank = {person: index for index, person in enumerate(order)}
    marks = [
        marker(rank[person], x(float(point[0])), y(float(point[1])), tag("title", text(person)))
        for point, person in zip(points, people, strict=True)
    ]
    labels = [
        _label(axes[0], (left + width) / 2, height - 12, anchor="middle", class_="axis"),
        _upright(axes[1], 14.0, (bottom + 6) / 2),
    ]
    return _drawing(width, height, title, [frame, *marks, *labels])


def marker(index: int, x: float, y: float, *children: str) -> str:
    """Return the mark of the person of that number: colours first, then shapes."""
    shape = MARKERS[index // COLOURS % len(MARKERS)]
    style = f"fill:{colour_of(index)}"
    if shape == "circle":
        return tag("circle", *children, cx=x, cy=y, r=4, class_="mark", style=style)
    outline = {
        "square": "-3.5 -3.5H3.5V3.5H-3.5Z",
        "triangle": "0 -4.5L4.3 3.2H-4.3Z",
        "cross": "-4 -1.4H-1.4V-4H1.4V-1.4H4V1.4H1.4V4H-1.4V1.4H-4Z",
    }[shape]
    place = f"translate({coordinate(x)} {coordinate(y)})"
    return tag("path", *children, d="M" + outline, transform=place, class_="mark", style=style)


def _drawing(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    view = f"0 0 {coordinate(width)} {coordinate(height)}"
    return tag("svg", *parts, viewBox=view, role="img", aria_label=title)


def _label(
    content: str, x: float, y: float, *, anchor: str = "start", class_: str | None = None
) -> str:
    return tag("text", text(content), x=x, y=y, text_anchor=anchor, dy="0.35em", class_=class_)


def _upright(content: str, x: float, y: float) -> str:
    turn = f"rotate(-90 {coordinate(x)} {coordinate(y)})"
    return tag("text", text(content), x=x, y=y, text_anchor="middle", transform=turn, class_="axis")


def _name(name: str, x: float, y: float, most: int = 15) -> str:
    shown = name if len(name) <= most else name[: most - 1] + "\u2026"
    title = tag("title", text(name)) if shown != name else ""
    return tag("text", title, text(shown), x=x, y=y, text_anchor="end", dy="0.35em")
