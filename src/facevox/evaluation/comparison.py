"""Systems of several reports side by side, and what differs between them for sure.

Numbers stand in one row only if they mean the same: same protocol, same networks that
judged, same list of portraits and texts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from facevox.core.errors import InputError
from facevox.evaluation.clip import REAL
from facevox.evaluation.metric import Figure, Result
from facevox.evaluation.paired_difference import Difference, paired_difference
from facevox.evaluation.report.report import Report, SystemScores
from facevox.evaluation.report.wording import short_hash


@dataclass(frozen=True, kw_only=True)
class Column:
    """One system of one report.

    Attributes:
        name: Unique among all columns.
        label: Of the report.
        clips: Videos that were scored.
    """

    name: str
    label: str
    clips: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """Numbers of one figure that may be compared.

    Attributes:
        figure: What was measured.
        results: Name of a column -> what came out; columns that do not belong here are absent.
        apart: Why these are not in the first row of this figure; empty for the first.
    """

    figure: Figure
    results: dict[str, Result]
    apart: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several reports side by side.

    Attributes:
        reports: Label of a report -> suite, date, version, machine and command.
        columns: Systems.
        baseline: Name of the column that differences are taken from.
        groups: Title -> rows.
        differences: Paired, for all other columns.
    """

    reports: dict[str, dict[str, str]]
    columns: tuple[Column, ...]
    baseline: str
    groups: dict[str, tuple[Row, ...]]
    differences: tuple[Difference, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Source:
    column: Column
    report: Report
    scores: SystemScores


def compare(
    reports: Sequence[Report],
    *,
    labels: Sequence[str] | None = None,
    baseline: str | None = None,
    seed: int = 0,
) -> Comparison:
    """Put the systems of some reports side by side.

    Args:
        reports: One with several systems, or several.
        labels: What to call each report, unique; 1, 2, ... if left out.  A system whose name
            stands in several reports gets the label in brackets.
        baseline: Column that differences are taken from; the first one that is not `real` if
            left out.
        seed: Of the bootstrap.

    Raises:
        InputError: If there are fewer than two systems, no figure that two reports share, no
            column of the baseline's name, or two reports of one label.
    """
    names = list(labels or (str(k) for k in range(1, len(reports) + 1)))
    sources = _sources(reports, names)
    if len(sources) < 2:
        raise InputError(
            "There is only one system to look at; give a second report, or one of several systems."
        )
    _check_common(reports, names)
    base = _baseline(sources, baseline)
    groups = _groups(reports, sources)
    rows = [row for rows in groups.values() for row in rows if base.column.name in row.results]
    differences = [
        paired_difference(
            row.figure, base.scores, source.scores, column=source.column.name, seed=seed
        )
        for source in sources
        for row in rows
        if source is not base and source.column.name in row.results
    ]
    about = {
        label: {
            "suite": report.suite,
            "created": report.created,
            "version": report.version,
            "machine": report.machine,
            "command": report.command,
        }
        for label, report in zip(names, reports, strict=True)
    }
    return Comparison(
        reports=about,
        columns=tuple(source.column for source in sources),
        baseline=base.column.name,
        groups=groups,
        differences=tuple(found for found in differences if found),
    )


def why_apart(figure: str, first: Report, second: Report) -> str:
    """Return why the numbers of a figure in two reports do not mean the same, or nothing."""
    one, two = first.figure_named(figure), second.figure_named(figure)
    assert one is not None
    assert two is not None
    if (one.unit, one.better) != (two.unit, two.better):
        return "unit or direction differ"
    if one.protocol != two.protocol:
        return "protocols differ"
    if first.suite != second.suite:
        return f"suites differ ({first.suite} and {second.suite})"
    for name, title in (("digest", "suite lists"), ("items", "numbers of items")):
        facts = [short_hash(str(report.facts.get(name, ""))) for report in (first, second)]
        if facts[0] != facts[1]:
            return f"{title} differ ({' and '.join(facts)})"
    return _judges_apart(figure, first, second)


def _judges_apart(figure: str, first: Report, second: Report) -> str:
    pair = (first, second)
    if all(figure in report.judged_by for report in pair):
        names = [", ".join(sorted(report.judged_by[figure])) or "-" for report in pair]
        title = "judges"
    else:
        names = [str(report.facts.get("tracker", "-")) for report in pair]
        title = "trackers of landmarks"
    if names[0] != names[1]:
        return f"{title} differ ({' and '.join(names)})"
    for name in first.judged_by.get(figure, tuple(first.judges)):
        facts = [report.judges.get(name, {"problem": "not used"}) for report in pair]
        digests = [short_hash(known.get("sha256", "")) for known in facts]
        if not any(known.get("problem") for known in facts) and digests[0] != digests[1]:
            return f"judge {name} differs ({' and '.join(digests)})"
    return ""


def _sources(reports: Sequence[Report], labels: Sequence[str]) -> list[_Source]:
    if len(set(labels)) != len(reports):
        raise InputError(f"Every report needs a label of its own, got {', '.join(labels)}.")
    times = Counter(system.name for report in reports for system in report.systems)
    sources = []
    for label, report in zip(labels, reports, strict=True):
        for system in report.systems:
            name = f"{system.name} ({label})" if times[system.name] > 1 else system.name
            column = Column(name=name, label=label, clips=system.clips)
            sources.append(_Source(column, report, system))
    return sources


def _check_common(reports: Sequence[Report], labels: Sequence[str]) -> None:
    times = Counter(figure.name for report in reports for figure in report.figures)
    if not times or (len(reports) > 1 and max(times.values()) < 2):
        raise InputError(
            f"There is no figure that two of the reports {', '.join(labels)} share; evaluate "
            "with the same metrics."
        )


def _baseline(sources: Sequence[_Source], name: str | None) -> _Source:
    if name is None:
        made = [source for source in sources if source.scores.name != REAL]
        return made[0] if made else sources[0]
    exact = [source for source in sources if source.column.name == name]
    if exact:
        return exact[0]
    names = ", ".join(source.column.name for source in sources)
    raise InputError(f"There is no system {name!r} to be the baseline; choose one of: {names}.")


def _groups(reports: Sequence[Report], sources: Sequence[_Source]) -> dict[str, tuple[Row, ...]]:
    """Return rows by group, in the order of the reports; a figure stands in one group only."""
    titles: dict[str, str] = {}
    for report in reports:
        for title, figures in report.grouped().items():
            for figure in figures:
                titles.setdefault(figure.name, title)
    groups: dict[str, tuple[Row, ...]] = {title: () for title in titles.values()}
    for name, title in titles.items():
        groups[title] += tuple(_rows(name, reports, sources))
    return groups


def _rows(name: str, reports: Sequence[Report], sources: Sequence[_Source]) -> list[Row]:
    """Return one row for each set of reports whose numbers mean the same."""
    alike: list[list[Report]] = []
    for report in reports:
        if report.figure_named(name) is None:
            continue
        for known in alike:
            if not any(why_apart(name, other, report) for other in known):
                known.append(report)
                break
        else:
            alike.append([report])
    rows = []
    for known in alike:
        figure = known[0].figure_named(name)
        assert figure is not None
        results = {
            source.column.name: source.scores.result(name)
            for source in sources
            if any(source.report is report for report in known)
        }
        apart = "" if known is alike[0] else _apart_from(name, alike[0], known)
        rows.append(Row(figure=figure, results=results, apart=apart))
    return rows


def _apart_from(name: str, first: Sequence[Report], second: Sequence[Report]) -> str:
    reasons = (why_apart(name, one, two) for one in first for two in second)
    return "not comparable: " + next(filter(None, reasons))
