"""Tables and charts of one group of figures, for the page."""

from collections.abc import Mapping, Sequence

from facevox.evaluation.metric import Figure, NotMeasured, Result
from facevox.evaluation.report.markdown import Remarks
from facevox.evaluation.report.plots import bars, system_colours
from facevox.evaluation.report.report import Report
from facevox.evaluation.report.svg import prose, tag, text
from facevox.evaluation.report.wording import ARROWS, interval, number, plural, sample

_DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "neither": ""}


def group_section(
    report: Report,
    title: str,
    figures: Sequence[Figure],
    index: int,
    missing: Mapping[str, object],
) -> str:
    """Return one group: tables of what was measured and what was not, remarks, charts.

    Args:
        report: Where the numbers are.
        title: Of the group.
        figures: In the group.
        index: Its number, for links.
        missing: Reasons why something was not measured, in the order of the page's list.
    """
    remarks = Remarks()
    order = {reason: k for k, reason in enumerate(missing, start=1)}
    measured = [figure for figure in figures if report.is_measured(figure.name)]
    absent = [figure for figure in figures if figure not in measured]
    table = _table(report, measured, remarks, order)
    notes = "".join(f"<li>{prose(sentence)}</li>" for sentence in remarks.sentences)
    listed = f'<ol class="remarks">{notes}</ol>' if notes else ""
    rest = ""
    if absent:
        count = plural(len(absent), "figure")
        rest = (
            f'<details class="unmeasured"><summary>{count} not measured of any system</summary>'
            f"{_table(report, absent, remarks, order)}</details>"
        )
    return (
        f'<section id="group-{index}"><h2>{text(title)}</h2>{table}{listed}'
        f"{_charts(report, measured)}{rest}</section>"
    )


def _table(
    report: Report, figures: Sequence[Figure], remarks: Remarks, order: dict[str, int]
) -> str:
    if not figures:
        return ""
    colours = system_colours([system.name for system in report.systems])
    width = min(20, 62 // max(1, len(report.systems)))
    header = "".join(
        f'<th scope="col" style="--own:{colour};width:{width}%">{text(system.name)}</th>'
        for system, colour in zip(report.systems, colours, strict=True)
    )
    before = ["", *(report.protocol_of(figure) for figure in figures)]
    rows = [
        _row(report, figure, remarks, order, colours, repeated=report.protocol_of(figure) == last)
        for figure, last in zip(figures, before, strict=False)
    ]
    return (
        '<div class="scroll"><table class="numbers stack"><thead><tr><th scope="col">figure</th>'
        f"{header}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(
    report: Report,
    figure: Figure,
    remarks: Remarks,
    order: dict[str, int],
    colours: Sequence[str],
    *,
    repeated: bool,
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
    protocol = "Protocol as above." if repeated else prose(report.protocol_of(figure))
    name = f'{_title(figure)}<span class="protocol">{protocol}</span>'
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
        made.append(
            f'<figure class="plot"><figcaption>{_title(figure)}</figcaption>'
            f"{bars(figure, results)}</figure>"
        )
    return f'<div class="plots">{"".join(made)}</div>' if made else ""
