"""A comparison as Markdown."""

from facevox.evaluation.comparison import Comparison, Row
from facevox.evaluation.metric import Estimate, Figure
from facevox.evaluation.paired_difference import BETTER, WORSE, Difference
from facevox.evaluation.report.markdown import (
    Remarks,
    escaped,
    gathered,
    side_by_side,
    table,
    wrapped,
)
from facevox.evaluation.report.wording import label, measured, number, plural, remark

ABSENT = "-"


def comparison_markdown(comparison: Comparison) -> str:
    """Return the reports, one table per group, differences to the baseline, protocols."""
    lines = ["# Comparison", "", *_reports(comparison)]
    for title, rows in comparison.groups.items():
        lines += ["", f"## {escaped(title)}", "", *_group(comparison, rows)]
    lines += ["", *difference_lines(comparison), "", "## Protocols", ""]
    lines += gathered(
        (f"{row.figure.name} ({row.apart})" if row.apart else row.figure.name, row.figure.protocol)
        for row in _all_rows(comparison)
        if _is_measured(row)
    )
    return "\n".join(lines) + "\n"


def _is_measured(row: Row) -> bool:
    return any(isinstance(result, Estimate) for result in row.results.values())


def _all_rows(comparison: Comparison) -> list[Row]:
    return [row for rows in comparison.groups.values() for row in rows]


def _reports(comparison: Comparison) -> list[str]:
    header = ["report", "suite", "date", "facevox", "machine"]
    rows = [
        [escaped(text) for text in (name, *(facts[key] for key in keys))]
        for keys in [("suite", "created", "version", "machine")]
        for name, facts in comparison.reports.items()
    ]
    lines = table(header, rows)
    if len({facts["version"] for facts in comparison.reports.values()}) > 1:
        lines += ["", "The reports were made by different versions of facevox."]
    return lines


def _group(comparison: Comparison, rows: tuple[Row, ...]) -> list[str]:
    remarks = Remarks()
    shown = [row for row in rows if _is_measured(row)]
    lead = ["figure"]
    for row in shown:
        mark = f" ({remarks.number_of(row.apart)})" if row.apart else ""
        lead.append(escaped(label(row.figure)) + mark)
    columns = [
        [escaped(column.name), *(_cell(row, column.name, remarks) for row in shown)]
        for column in comparison.columns
    ]
    lines = [*side_by_side(lead, columns), *remarks.lines()] if shown else []
    absent = [
        (row.figure.name, "; ".join({remark(result): name for name, result in row.results.items()}))
        for row in rows
        if not _is_measured(row)
    ]
    return [*lines, "", "Not measured:", "", *gathered(absent)] if absent else lines


def _cell(row: Row, column: str, remarks: Remarks) -> str:
    result = row.results.get(column)
    if result is None:
        return ABSENT
    text = (
        escaped(measured(result, row.figure.digits))
        if isinstance(result, Estimate)
        else "not measured"
    )
    sentence = remark(result)
    return f"{text} ({remarks.number_of(sentence)})" if sentence else text


def difference_lines(comparison: Comparison) -> list[str]:
    """Return the section of paired differences."""
    lines = [f"## Differences from {escaped(comparison.baseline)}", ""]
    if not comparison.differences:
        text = "No figure was measured clip by clip for two systems under one protocol."
        return [*lines, *wrapped("", text)]
    text = (
        "Mean over common clips of the system's value minus the baseline's, with a 95 % interval "
        "by bootstrap (persons are drawn where at least five are known, else clips). A difference "
        "counts if the interval leaves out 0; about one in twenty does so by chance."
    )
    lines += wrapped("", text)
    figures = {row.figure.name: row.figure for row in _all_rows(comparison)}
    for column in comparison.columns:
        found = [one for one in comparison.differences if one.system == column.name]
        if not found and column.name != comparison.baseline:
            text = f"{column.name}: nothing was measured clip by clip on the same clips."
            lines += ["", *wrapped("", escaped(text))]
        if found:
            rows = [_line(figures[one.figure], one) for one in found]
            header = ["figure", f"{column.name} - {comparison.baseline}", "clips", "verdict"]
            lines += ["", *table([*map(escaped, header)], rows, align="lrrl")]
    return lines


def _line(figure: Figure, found: Difference) -> list[str]:
    change = signed(found.value, figure.digits)
    if found.low is not None and found.high is not None:
        change += f" [{signed(found.low, figure.digits)}, {signed(found.high, figure.digits)}]"
    clips = str(found.count) + (f" ({plural(found.people, 'person')})" if found.people else "")
    strong = found.verdict in (BETTER, WORSE)
    return [
        escaped(label(figure)),
        change,
        clips,
        f"**{found.verdict}**" if strong else found.verdict,
    ]


def signed(value: float, digits: int) -> str:
    """Return a number with its sign, plus or minus."""
    text = number(value, digits)
    return text if text.startswith("-") or float(text) == 0 else f"+{text}"
