"""What the documents say is true: snippets run, options and links exist."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from facevox.app.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.M | re.S)


def test_the_readme_snippet_runs(lite, astronaut, tmp_path, monkeypatch, capsys):
    from PIL import Image

    Image.fromarray(astronaut).resize((192, 192)).save(tmp_path / "portrait.jpg")
    monkeypatch.chdir(tmp_path)
    (snippet,) = blocks(ROOT / "README.md", "python")
    exec(compile(snippet, "README.md", "exec"), {"__name__": "readme"})
    assert (tmp_path / "hello.mp4").stat().st_size > 1000
    assert "Another sentence." in capsys.readouterr().out


def commands() -> list[list[str]]:
    lines = [
        line for path in DOCUMENTS for block in blocks(path, "") for line in block.splitlines()
    ]
    words = [shlex.split(line, comments=True) for line in lines if line.startswith("facevox ")]
    return [row for row in words if len(row) > 1 and not row[1].startswith("-")]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_in_documents_exist(words):
    group = words[1] in {row.name for row in app.registered_groups}
    help_text = CliRunner().invoke(app, [*words[1 : 2 + group], "--help"]).output
    assert "Usage" in help_text, f"there is no command {words[1]}"
    for word in words:
        if word.startswith("-") and len(word) > 1:
            assert word in help_text, f"{words[1]} has no option {word}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_files_named_in_the_architecture_exist():
    text = (ROOT / "docs/architecture.md").read_text()
    for name in re.findall(r"\b(?:app|systems|core|models|evaluation)/[\w/]+\.py", text):
        assert (ROOT / "src/facevox" / name).exists(), name


def test_the_evaluation_page_lists_every_metric_with_its_figures_and_judges():
    from facevox.evaluation.metrics.catalogue import all_metrics

    rows = re.findall(
        r"^\| `([\w.-]+)` \| (.*) \| (.*) \|$", (ROOT / "docs/evaluation.md").read_text(), re.M
    )
    listed = {name: (figures, judges) for name, figures, judges in rows}
    for metric in (metric for metrics in all_metrics().values() for metric in metrics):
        figures, judges = listed[metric.name]
        assert all(figure.name in figures for figure in metric.figures), metric.name
        assert all(judge in judges for judge in metric.judges), metric.name


def test_the_snippet_of_the_evaluation_page_runs(lite, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (snippet,) = blocks(ROOT / "docs/evaluation.md", "python")
    exec(compile(snippet, "evaluation.md", "exec"), {"__name__": "page"})
    assert "Estimate(" in capsys.readouterr().out
    assert (tmp_path / "REPORT" / "index.html").is_file()
