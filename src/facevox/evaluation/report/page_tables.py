"""Tables and charts of one group of figures, for the page."""

from collections.abc import Mapping, Sequence

from facevox.evaluation.metric import Estimate, Figure, NotMeasured, Result
from facevox.evaluation.report.markdown import Remarks
from facevox.evaluation.report.plots import bars, system_colours
from facevox.evaluation.report.report import Report
from facevox.evaluation.report.svg import prose, tag, text
from facevox.evaluation.report.wording import ARROWS, interval, number, sample

_DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "neither": ""}


def group_section(
    report: Report,
    title: str,
    figures: Sequence[Figure],
    index: int,
    missing: Mapping[str, object],
) -> str:
    """Return one group: a table of its figures, remarks, and a chart for each.

    Args:
        report: Where the numbers are.
        title: Of the group.
        figures: In the group.
        index: Its number, for links.
        missing: Reasons why something was not measured, in the order of the page's list.
    """
    remarks = Remarks()
    colours = system_colours([system.name for system in report.systems])
    width = min(20, 62 // max(1, len(report.systems)))
    header = "".join(
        f'<th scope="col" style="--own:{colour};width:{width}%">{text(system.name)}</th>'
        for system, colour in zip(report.systems, colours, strict=True)
    )
    order = {reason: k for k, reason in enumerate(missing, start=1)}
    rows = [_row(report, figure, remarks, order, colours) for figure in figures]
    table = (
        '<div class="scroll"><table class="numbers stack"><thead><tr><th scope="col">figure</th>'
        f"{header}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
    notes = "".join(f"<li>{prose(sentence)}</li>" for sentence in remarks.sentences)
    listed = f'<ol class="remarks">{notes}</ol>' if notes else ""
    return (
        f'<section id="group-{index}"><h2>{text(title)}</h2>{table}{listed}'
        f"{_charts(report, figures)}</section>"
    )


def _row(
    report: Report,
    figure: Figure,
    remarks: Remarks,
    order: dict[str, int],
    colours: Sequence[str],
) -> str:
    cells = [
        tag(
            "td",
            _cell(system.result(figure.name), figure, remarks, order),
            data_column=system.name,
            style=f"--own:{colour}",
        )
        for system, colour in zip(report.systems, colours, strict=True)
    ]
    name = f'{_title(figure)}<span class="protocol">{prose(figure.protocol)}</span>'
    return f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>'


def _title(figure: Figure) -> str:
    unit = f' <span class="unit">[{text(figure.unit)}]</span>' if figure.unit else ""
    direction = _DIRECTIONS[figure.better]
    arrow = (
        f' <span class="arrow" title="{direction}">{ARROWS[figure.better]}</span>'
        if direction
        else ""
    )
    return f"{text(figure.name)}{unit}{arrow}"


def _cell(result: Result, figure: Figure, remarks: Remarks, order: dict[str, int]) -> str:
    if isinstance(result, NotMeasured):
        place = f"#missing-{order[result.reason]}"
        link = tag("a", "not measured", href=place, title=result.reason)
        return f'<span class="absent">{link}</span>'
    mark = f"<sup>{remarks.number_of(result.note)}</sup>" if result.note else ""
    pieces = filter(None, (interval(result, figure.digits), sample(result)))
    detail = " ".join(tag("span", text(piece)) for piece in pieces)
    value = number(result.value, figure.digits)
    return (
        f'<span><span class="value">{value}{mark}</span><span class="range">{detail}</span></span>'
    )


def _charts(report: Report, figures: Sequence[Figure]) -> str:
    made = []
    for figure in figures:
        results = [(system.name, system.result(figure.name)) for system in report.systems]
        if any(isinstance(result, Estimate) for _, result in results):
            made.append(
                f'<figure class="plot"><figcaption>{_title(figure)}</figcaption>'
                f"{bars(figure, results)}</figure>"
            )
    return f'<div class="plots">{"".join(made)}</div>' if made else ""
