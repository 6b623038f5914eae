"""A report as Markdown: tables that read well raw and rendered."""

import re
import textwrap
from collections.abc import Iterable, Sequence

from facevox.evaluation.metric import Estimate, Figure, Result
from facevox.evaluation.report.report import Report, SystemScores
from facevox.evaluation.report.wording import ARROWS, label, measured, plural, remark, short_hash

WIDTH = 140
"""Characters per line that are kept to where a cell allows it."""


class Remarks:
    """Numbered remarks below a table; the same sentence gets the same number."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def number_of(self, sentence: str) -> int:
        """Return the number of a sentence, new or known."""
        if sentence not in self.sentences:
            self.sentences.append(sentence)
        return self.sentences.index(sentence) + 1

    def lines(self) -> list[str]:
        """Return the numbered sentences, wrapped."""
        parts = [wrapped(f"{k}. ", escaped(text)) for k, text in enumerate(self.sentences, start=1)]
        return ["", *(line for part in parts for line in part)] if parts else []


def to_markdown(report: Report) -> str:
    """Return the whole report: header, tables by group, judges, failed clips, notes."""
    lines = [*_header(report), "", *_legend()]
    for title, figures in report.grouped().items():
        lines += ["", f"## {escaped(title)}", "", *_group(report, figures)]
    lines += [*_judges(report), *_systems(report)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text on one line with what Markdown or HTML would read as markup escaped.

    Code between paired backticks stays code; underscores within words stay as they are, as
    CommonMark reads them.
    """
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0 or not all(parts[1::2]):
        return _escaped_prose("`".join(parts))
    parts[0::2] = [_escaped_prose(part) for part in parts[0::2]]
    parts[1::2] = [part.replace("|", "\\|") for part in parts[1::2]]
    return "`".join(parts)


def _escaped_prose(text: str) -> str:
    text = re.sub(r"([\\`*|<])", r"\\\1", text)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)


def wrapped(lead: str, text: str) -> list[str]:
    """Return text after a list marker or none, wrapped with a hanging indent."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, align: str = "") -> list[str]:
    """Return the lines of a table with padded cells.

    Args:
        header: Names of the columns.
        rows: Cells, ready to print.
        align: `l` or `r` per column; left if left out.
    """
    align = align or "l" * len(header)
    columns = list(zip(header, *rows, strict=True))
    widths = [max(3, *map(len, cells)) for cells in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(cells, widths, align, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * (width - 1) + ":" if side == "r" else "-" * width
        for width, side in zip(widths, align, strict=True)
    ]
    return [line(header), line(rule), *(line(row) for row in rows)]


def side_by_side(
    lead: Sequence[str], columns: Sequence[Sequence[str]], *, width: int = WIDTH
) -> list[str]:
    """Return a table; columns that find no room go into further tables below it.

    Args:
        lead: First column, its header first; repeated in every table.
        columns: Further columns, their headers first.
        width: Characters per line to keep to; one column is shown in any case.
    """
    lines: list[str] = []
    chosen: list[Sequence[str]] = []
    for column in [*columns, None]:
        trial = [lead, *chosen, *([column] if column else [])]
        wide = sum(max(3, *map(len, cells)) + 3 for cells in trial) + 1
        if chosen and (column is None or wide > width):
            header, *rows = zip(lead, *chosen, strict=True)
            made = table(header, rows, align="l" + "r" * len(chosen))
            lines += ["", *made] if lines else made
            chosen = []
        if column:
            chosen.append(column)
    return lines


def _header(report: Report) -> list[str]:
    known = dict(report.facts)
    about = str(known.pop("summary", ""))
    facts = ", ".join(f"{name} {short_hash(str(value))}" for name, value in known.items())
    entries = {
        "Suite": f"{escaped(report.suite)} ({escaped(facts)})" if facts else escaped(report.suite),
        "Systems": ", ".join(
            f"{escaped(system.name)} ({plural(system.clips, 'clip')})" for system in report.systems
        ),
        "Date": escaped(report.created),
        "facevox": escaped(report.version),
        "Machine": escaped(report.machine),
    }
    lines = [f"# Evaluation: {escaped(report.suite)}", ""]
    lines += [*wrapped("", escaped(about)), ""] if about else []
    for name, text in entries.items():
        lines += wrapped("- ", f"{name}: {text}")
    fence = "~~~" if "```" in report.command else "```"
    return [*lines, "", f"{fence}sh", *report.command.splitlines(), fence]


def _legend() -> list[str]:
    text = (
        f"Each cell: value [95 % interval by bootstrap] (n = clips, unless said otherwise). "
        f"{ARROWS['higher']} higher is better, {ARROWS['lower']} lower is better, no arrow: "
        "neither. A number in brackets behind a cell points to the remark below its table."
    )
    return wrapped("", text)


def _group(report: Report, figures: Sequence[Figure]) -> list[str]:
    """Return the table of what was measured, its protocols, and why the rest was not."""
    shown = [figure for figure in figures if report.is_measured(figure.name)]
    lines: list[str] = []
    if shown:
        remarks = Remarks()
        lead = ["figure", *(escaped(label(figure)) for figure in shown)]
        columns = [
            [
                escaped(system.name),
                *(_cell(system.result(figure.name), figure, remarks) for figure in shown),
            ]
            for system in report.systems
        ]
        lines = [*side_by_side(lead, columns), *remarks.lines(), ""]
        lines += gathered((figure.name, report.protocol_of(figure)) for figure in shown)
    return [*lines, *_absent(report, [figure for figure in figures if figure not in shown])]


def gathered(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return names with what is said of each; names of which the same is said share a line."""
    said: dict[str, list[str]] = {}
    for name, sentence in rows:
        said.setdefault(sentence, []).append(name)
    return [
        line
        for sentence, names in said.items()
        for line in wrapped("- ", f"**{escaped(', '.join(names))}**: {escaped(sentence)}")
    ]


def _absent(report: Report, figures: Sequence[Figure]) -> list[str]:
    """Return the figures that no system has, by reason."""
    reasons = []
    for figure in figures:
        why = {remark(system.result(figure.name)): system.name for system in report.systems}
        reasons.append((figure.name, "; ".join(why)))
    return ["", "Not measured of any system:", "", *gathered(reasons)] if reasons else []


def _cell(result: Result, figure: Figure, remarks: Remarks) -> str:
    text = (
        escaped(measured(result, figure.digits)) if isinstance(result, Estimate) else "not measured"
    )
    sentence = remark(result)
    return f"{text} ({remarks.number_of(sentence)})" if sentence else text


def _judges(report: Report) -> list[str]:
    if not report.judges:
        return []
    rows = [
        [
            escaped(name),
            "missing" if facts.get("problem") else escaped(short_hash(facts.get("sha256", ""))),
            escaped(facts.get("source", "") or "-"),
            escaped(facts.get("licence", "") or "-"),
        ]
        for name, facts in report.judges.items()
    ]
    return ["", "## Judges", "", *table(["judge", "sha256", "source", "licence"], rows)]


def _systems(report: Report) -> list[str]:
    """Return what else is known of each system: what it is, failed clips, notes."""
    lines: list[str] = []
    for system in report.systems:
        about = [*_about(system), *_failed(system), *_notes(system)]
        if about:
            lines += ["", f"### {escaped(system.name)}", "", *about]
    return ["", "## Systems", *lines] if lines else []


def _about(system: SystemScores) -> list[str]:
    known = {name: value for name, value in system.info.items() if value not in ("", [], None)}
    known.pop("name", None)
    facts = "; ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in known.items())
    return wrapped("- ", escaped(facts)) if facts else []


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return short_hash(str(value))


def _failed(system: SystemScores) -> list[str]:
    if not system.failed:
        return []
    lines = [f"- {plural(len(system.failed), 'clip')} failed:"]
    for clip, reason in system.failed.items():
        lines += wrapped("  - ", f"{escaped(clip)}: {escaped(reason)}")
    return lines


def _notes(system: SystemScores) -> list[str]:
    lines: list[str] = []
    for note, count in system.notes.items():
        lines += wrapped("- ", f"{escaped(note)}: {plural(count, 'clip')}")
    return lines
