"""A report as one HTML file: no script, nothing fetched, light and dark, wide and narrow.

What comes from outside (names, reasons, file names) is escaped where it enters the page;
a content security policy forbids scripts and requests besides.
"""

from importlib.resources import files
from pathlib import Path

from facevox.core.files import write_atomically
from facevox.evaluation.clip import REAL
from facevox.evaluation.metric import Estimate, NotMeasured
from facevox.evaluation.report.page_pictures import lip_section, still_section, voice_section
from facevox.evaluation.report.page_sounds import sound_section
from facevox.evaluation.report.page_tables import group_section
from facevox.evaluation.report.plots import system_colours
from facevox.evaluation.report.report import Illustrations, Report, SystemScores
from facevox.evaluation.report.svg import prose, tag, text
from facevox.evaluation.report.wording import ARROWS, plural, short_hash

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"


def write_page(report: Report, illustrations: Illustrations, path: Path) -> Path:
    """Write the page, whole or not at all, and return its path.

    Args:
        report: The numbers.
        illustrations: What is shown beside them; `Illustrations()` for nothing.
        path: Of the HTML file.

    Raises:
        MediaError: If it cannot be written.
    """
    return write_atomically(path, page(report, illustrations).encode("utf-8", "replace"))


def page(report: Report, illustrations: Illustrations) -> str:
    """Return the page; the same report gives the same characters."""
    pictures = {
        "lips": lip_section(illustrations),
        "voices": voice_section(illustrations),
        "stills": still_section(illustrations),
        "sounds": sound_section(illustrations),
    }
    missing = reasons(report)
    groups = [
        group_section(report, title, figures, index, missing)
        for index, (title, figures) in enumerate(report.grouped().items(), start=1)
    ]
    body = [
        _header(report),
        _navigation(report, pictures, missing),
        _systems(report),
        _legend(report),
        *groups,
        *pictures.values(),
        _judges(report),
        _missing(missing),
        _repeat(report),
    ]
    style = files("facevox.evaluation.report").joinpath("page.css").read_text("utf-8")
    head = (
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{text(report.suite)}: evaluation of talking faces</title>"
        f"<style>\n{style}</style>"
    )
    foot = (
        f"facevox {text(report.version)}. Faces and voices of systems are synthetic. Intervals: "
        "95 %, bootstrap. This file holds all it shows."
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n<main>\n'
        + "\n".join(part for part in body if part)
        + f"\n</main>\n<footer><p>{foot}</p></footer>\n</body>\n</html>\n"
    )


def reasons(report: Report) -> dict[str, list[tuple[str, str]]]:
    """Return every reason why something was not measured, with figure and system."""
    found: dict[str, list[tuple[str, str]]] = {}
    for figure in report.figures:
        for system in report.systems:
            result = system.result(figure.name)
            if isinstance(result, NotMeasured):
                found.setdefault(result.reason, []).append((figure.name, system.name))
    return found


def summary(report: Report) -> str:
    """Return one or two sentences: systems, clips, and how much was measured."""
    counts = [
        sum(isinstance(system.result(figure.name), Estimate) for system in report.systems)
        for figure in report.figures
    ]
    complete = sum(count == len(report.systems) for count in counts)
    none = sum(count == 0 for count in counts)
    some = len(counts) - complete - none
    failed = sum(len(system.failed) for system in report.systems)
    clips = plural(sum(system.clips for system in report.systems), "clip")
    sentence = f"{plural(len(report.systems), 'system')}, {clips} scored"
    if failed:
        sentence += f", {plural(failed, 'clip')} failed"
    sentence += f". {complete} of {plural(len(counts), 'figure')} measured for every system"
    if some:
        sentence += f", {some} for some"
    if none:
        sentence += f", {none} for none"
    return sentence + "."


def _header(report: Report) -> str:
    facts = {"Suite": report.suite, "Date": report.created, "Machine": report.machine}
    facts |= {"facevox": report.version}
    facts |= {name.replace("_", " "): value for name, value in report.facts.items()}
    about = facts.pop("summary", "")
    entries = "".join(
        f"<div><dt>{text(name)}</dt>{_fact(value)}</div>" for name, value in facts.items()
    )
    described = f'<p class="soft">{prose(about)}</p>' if about else ""
    return (
        f"<h1>Evaluation: {text(report.suite)}</h1>"
        f'<p class="lead">{text(summary(report))}</p>{described}<dl class="facts">{entries}</dl>'
    )


def _fact(value: object) -> str:
    short = short_hash(str(value))
    if short == str(value):
        return tag("dd", text(_plain(value)))
    return tag("dd", tag("code", text(short)), title=value)


def _navigation(report: Report, pictures: dict[str, str], missing: dict) -> str:
    links = [(f"group-{k}", title) for k, title in enumerate(report.grouped(), start=1)]
    titles = {"lips": "Lips over time", "voices": "Voices", "stills": "Stills", "sounds": "Sounds"}
    links += [(name, titles[name]) for name, section in pictures.items() if section]
    links += [("judges", "Judges")] if report.judges else []
    links += [("missing", "Not measured")] if missing else []
    links += [("repeat", "Repeat")]
    items = "".join(f'<a href="#{place}">{text(title)}</a>' for place, title in links)
    return f"<nav>{items}</nav>"


def _legend(report: Report) -> str:
    dashed = (
        " A dashed line in a chart stands where recordings are."
        if any(system.name == REAL for system in report.systems)
        else ""
    )
    return (
        '<p class="soft small legend">Below each number: its 95 % interval by bootstrap and how '
        f"many clips it rests on. {ARROWS['higher']} higher is better, {ARROWS['lower']} lower is "
        f"better, no arrow: neither. Bars start at zero; whiskers are the intervals.{dashed}</p>"
    )


def _systems(report: Report) -> str:
    colours = system_colours([system.name for system in report.systems])
    cards = [
        f'<div class="system" style="--own:{colour}"><h3>{text(system.name)}</h3>'
        f"{_system(system)}</div>"
        for system, colour in zip(report.systems, colours, strict=True)
    ]
    return f'<div class="systems">{"".join(cards)}</div>' if cards else ""


def _system(system: SystemScores) -> str:
    info = dict(system.info)
    info.pop("name", None)
    parts = [f"<p>{plural(system.clips, 'clip')}</p>"]
    if summary := info.pop("summary", ""):
        parts.insert(0, f"<p>{text(summary)}</p>")
    known = {name: value for name, value in info.items() if value not in ("", [], (), None)}
    parts += [
        f"<p>{text(name.replace('_', ' '))}: {text(_plain(value))}</p>"
        for name, value in known.items()
    ]
    if system.failed:
        lines = "".join(
            f"<li>{text(clip)}: {prose(reason)}</li>" for clip, reason in system.failed.items()
        )
        count = plural(len(system.failed), "clip")
        parts.append(
            f'<details><summary class="failed small">{count} failed</summary><ul>{lines}</ul>'
            "</details>"
        )
    if system.notes:
        lines = "".join(
            f"<li>{text(note)}: {plural(count, 'clip')}</li>"
            for note, count in system.notes.items()
        )
        parts.append(
            f'<details><summary class="small">{plural(len(system.notes), "note")}</summary>'
            f"<ul>{lines}</ul></details>"
        )
    return "".join(parts)


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else short_hash(str(value))


def _judges(report: Report) -> str:
    if not report.judges:
        return ""
    rows = [_judge(name, facts) for name, facts in report.judges.items()]
    return (
        '<section id="judges"><h2>Judges</h2><p class="soft small">Networks that score; numbers '
        "of two reports compare only if these hashes are equal.</p>"
        '<table class="plain stack"><thead><tr><th>judge</th><th>sha256</th><th>source</th>'
        f"<th>licence</th></tr></thead><tbody>{''.join(rows)}</tbody></table></section>"
    )


def _judge(name: str, facts: dict[str, str]) -> str:
    digest, problem = facts.get("sha256", ""), facts.get("problem", "")
    shown = (
        tag("span", "missing", class_="failed", title=problem)
        if problem
        else tag("code", text(short_hash(digest)), class_="hash", title=digest)
    )
    cells = {
        "judge": text(name),
        "sha256": shown,
        "source": text(facts.get("source", "") or "-"),
        "licence": text(facts.get("licence", "") or "-"),
    }
    return tag("tr", *(tag("td", cell, data_column=column) for column, cell in cells.items()))


def _missing(missing: dict[str, list[tuple[str, str]]]) -> str:
    if not missing:
        return ""
    entries = []
    for index, (reason, places) in enumerate(missing.items(), start=1):
        by_figure: dict[str, list[str]] = {}
        for figure, system in places:
            by_figure.setdefault(figure, []).append(system)
        what = "; ".join(f"{figure} ({', '.join(who)})" for figure, who in by_figure.items())
        entries.append(f'<dt id="missing-{index}">{prose(reason)}</dt><dd>{text(what)}</dd>')
    return (
        '<section id="missing"><h2>Not measured</h2><p class="soft small">The reason, then what '
        f'it concerns.</p><dl class="missing">{"".join(entries)}</dl></section>'
    )


def _repeat(report: Report) -> str:
    return (
        '<section id="repeat"><h2>To repeat this</h2>'
        f"<pre><code>{text(report.command)}</code></pre></section>"
    )
