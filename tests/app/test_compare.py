"""`facevox compare` as a user meets it."""

import dataclasses
import json

import pytest
from command_line import run

from facevox.evaluation.metric import Estimate, Figure
from facevox.evaluation.report.report import Report, SystemScores
from facevox.evaluation.report.store import save_report

SYNC = Figure(name="LSE-C", unit="", better="higher", protocol="SyncNet at 25 fps.", digits=2)


def report(name: str, value: float) -> Report:
    values = {f"c{k}": value + 0.01 * k for k in range(8)}
    scores = SystemScores(
        name=name,
        clips=8,
        results={"LSE-C": Estimate(value=value, low=value - 1, high=value + 1, count=8)},
        per_clip={"LSE-C": values},
    )
    return Report(
        suite="s", created="2026-11-21", command="facevox evaluate", version="0.1", machine="cpu",
        facts={}, figures=(SYNC,), groups={"Lips": ("LSE-C",)}, judges={}, systems=(scores,),
    )  # fmt: skip


@pytest.fixture
def folders(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    save_report(report("lite", 5.0), one)
    save_report(report("lite", 6.0), two)
    return one, two


def test_markdown_on_stdout(folders, capsys):
    one, two = folders
    code, out, err = run(capsys, "compare", one, two / "report.json")
    assert (code, err) == (0, "")
    assert "lite (one)" in out
    assert "+1.00 [+1.00, +1.00]" in out
    assert "**better**" in out
    code, out, _ = run(capsys, "compare", one, two, "--baseline", "lite (two)")
    assert code == 0
    assert "-1.00 [-1.00, -1.00]" in out


def test_json_and_file(folders, capsys, tmp_path):
    code, out, _ = run(capsys, "compare", *folders, "--json")
    assert code == 0
    assert json.loads(out)["differences"][0]["verdict"] == "better"
    target = tmp_path / "out.md"
    code, out, _ = run(capsys, "compare", *folders, "-o", target)
    assert (code, out) == (0, "")
    assert target.read_text().startswith("# Comparison\n")


def test_folders_of_one_name_are_told_apart(tmp_path, capsys):
    for part in ("x", "y"):
        save_report(report("lite", 5.0), tmp_path / part / "out")
    code, out, _ = run(capsys, "compare", tmp_path / "x" / "out", tmp_path / "y" / "out")
    assert code == 0
    assert f"lite ({tmp_path / 'x' / 'out'})" in out


def mistakes(folders):
    one, two = folders
    folder = one.parent
    (folder / "notes.txt").write_text("hello")
    other = folder / "other"
    other_figure = dataclasses.replace(SYNC, name="WER")
    save_report(
        dataclasses.replace(report("b", 1.0), figures=(other_figure,), groups={"x": ("WER",)}),
        other,
    )
    newer = folder / "newer"
    path = save_report(report("b", 1.0), newer)
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    return [
        ([one], "only one system"),
        ([one, folder / "absent"], "There is no report at"),
        ([one, folder / "notes.txt"], "is not a report"),
        ([one, newer], "report format 2; this facevox reads 1"),
        ([one, other], "no figure that two of the reports one, other share"),
        ([one, one / "report.json"], "is given twice"),
        ([one, two, "--baseline", "nobody"], "choose one of: lite (one), lite (two)"),
        ([one, two, "-o", folder / "no" / "out.md"], "does not exist"),
    ]


def test_every_mistake_is_one_sentence(folders, capsys):
    for arguments, sentence in mistakes(folders):
        code, out, err = run(capsys, "compare", *arguments)
        assert code == 2, arguments
        assert not out
        assert sentence in err
        assert err.startswith("facevox: ")
        assert len(err.splitlines()) == 1
