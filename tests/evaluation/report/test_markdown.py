import dataclasses

import pytest

from facevox.evaluation.metric import Estimate, Figure, NotMeasured
from facevox.evaluation.report.markdown import WIDTH, escaped, side_by_side, table, to_markdown
from facevox.evaluation.report.wording import label, measured, number, plural


def test_every_group_has_its_table_and_protocols(report):
    text = to_markdown(report)
    for title, names in report.groups.items():
        section = text.split(f"## {title}\n")[1].split("\n## ")[0]
        joined = " ".join(section.split())
        for name in names:
            figure = report.figure_named(name)
            results = [system.result(name) for system in report.systems]
            if any(isinstance(result, Estimate) for result in results):
                assert f"| {label(figure)} " in section
                assert figure.protocol in joined
            else:
                assert f"| {label(figure)} " not in section
                assert name in joined.split("Not measured of any system:")[1]
                assert all(result.reason in joined for result in results)


def test_figures_of_one_protocol_share_its_line(report):
    first, second, *rest = report.figures
    second = dataclasses.replace(second, protocol=first.protocol)
    alike = dataclasses.replace(report, figures=(first, second, *rest), groups={})
    joined = " ".join(to_markdown(alike).split())
    assert joined.count(first.protocol) == 1


def test_cells_show_value_interval_and_count_or_point_to_the_reason(report):
    text = to_markdown(report)
    assert "7.215 [6.905, 7.525] (n=48)" in text
    assert "0.613 (n=12 pairs)" in text
    section = text.split("## Lip synchrony\n")[1].split("\n## ")[0]
    assert section.count("not measured (1)") == 5
    assert "1. SyncNet's weights are not on this machine;" in section
    assert "`facevox judges add syncnet FILE`" in section
    assert "2. " not in section
    assert "[10.2, 14.6] (n=48) (1)" in text
    assert "1. Two clips were shorter than one second." in text


def test_header_judges_failures_and_notes_are_told(report):
    text = to_markdown(report)
    for part in (
        "\n\nRecordings of one speaker, sentences of six words.\n\n- Suite: grid-s1 (digest "
        "9f9f9f9f9f9f, items 48, people 12, texts 48, tracker attention-mesh, seed 0)",
        "| pocketsphinx   | pocketsphinx 5.0.4 | PyPI ",
        "| syncnet        | missing ",
        "Date: 2026-11-21T09:30:00Z",
        "facevox: 0.1.0",
        "Machine: AMD EPYC 7B13, 2 cores, no bf16 units",
        f"```sh\n{report.command}\n```",
        "| attention-mesh | ab12ab12ab12       | MediaPipe 0.10.21 ",
        "2 clips failed:\n  - p07_t1: shows no face.",
        "22050 Hz resampled to 16000: 48 clips",
    ):
        assert part in text


def test_lines_keep_to_the_width(report):
    many = dataclasses.replace(
        report,
        systems=tuple(dataclasses.replace(report.systems[1], name=f"system-{k}") for k in range(9)),
    )
    for line in to_markdown(many).splitlines():
        assert len(line) <= WIDTH
    assert to_markdown(many).count("| Lip agreement") == 3


def test_what_comes_from_outside_is_no_markup(report):
    nasty = dataclasses.replace(
        report.systems[0], name="<b>|x|*y*", failed={"a\n# b": "<script>alert(1)</script>"}
    )
    text = to_markdown(dataclasses.replace(report, systems=(nasty,)))
    assert "\\<script>" in text
    assert "\\<b>\\|x\\|\\*y\\*" in text
    assert "\n# b" not in text


def test_a_figure_that_a_system_was_never_asked_for_says_so(report):
    bare = dataclasses.replace(report.systems[0], results={})
    assert "not asked of this system" in to_markdown(dataclasses.replace(report, systems=(bare,)))


def test_figures_of_no_group_are_not_lost(report):
    groups = {"Picture": (*report.groups["Picture"], "unknown"), "Empty": ()}
    some = dataclasses.replace(report, groups=groups)
    assert list(some.grouped()) == ["Picture", "Other"]
    assert len(some.grouped()["Other"]) == 7
    assert "\n## Other\n" in to_markdown(some)
    assert "Empty" not in to_markdown(some)


def test_an_empty_report_is_still_a_page(report):
    empty = dataclasses.replace(report, groups={}, figures=(), judges={}, systems=(), facts={})
    assert to_markdown(empty).startswith("# Evaluation: grid-s1\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", "a\\|b"),
        ("grid_s1", "grid_s1"),
        ("_x_", "\\_x\\_"),
        ("run `a <b> _c_`, then *d*", "run `a <b> _c_`, then \\*d\\*"),
        ("one ` tick <", "one \\` tick \\<"),
        ("``", "\\`\\`"),
        (" two\n lines ", "two lines"),
    ],
)
def test_escaping(text, expected):
    assert escaped(text) == expected


def test_tables_are_padded_and_split_by_columns():
    assert table(["a", "bb"], [["long", "1"]], align="lr") == [
        "| a    |  bb |",
        "| ---- | --: |",
        "| long |   1 |",
    ]
    lead, one, two = ["x", "y"], ["one", "1"], ["two", "2"]
    apart = [*side_by_side(lead, [one]), "", *side_by_side(lead, [two])]
    assert side_by_side(lead, [one, two], width=15) == apart
    assert len(side_by_side(lead, [one, two])) == 3


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.8149, 2, "0.81"),
        (-0.0, 2, "0.00"),
        (-0.0004, 2, "-4.0e-04"),
        (0.0, 0, "0"),
        (1234.5, 1, "1234.5"),
    ],
)
def test_numbers(value, digits, expected):
    assert number(value, digits) == expected


def test_wording():
    figure = Figure(name="WER", unit="%", better="lower", protocol="p")
    assert label(figure) == "WER [%] \u2193"
    assert measured(Estimate(value=1.0, count=3), 1) == "1.0 (n=3)"
    assert plural(1, "clip") == "1 clip"
    assert plural(2, "person") == "2 people"
    assert NotMeasured(reason="x").reason == "x"


def test_who_judged_stands_beside_the_protocol(report):
    figure = report.figure_named("ID-SIM (CurricularFace)")
    beside = report.protocol_of(figure)
    assert beside.startswith(figure.protocol)
    assert beside.endswith("Judge: curricularface (cd34cd34cd34), attention-mesh (ab12ab12ab12).")
    assert " ".join(beside.split()) in " ".join(to_markdown(report).split())
    other = report.figure_named("WER (pocketsphinx)")
    assert report.protocol_of(other) == other.protocol
