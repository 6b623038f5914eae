"""`facevox train` from the command line."""

import json
import signal
import sys

import pytest
from command_line import run
from tiny_recipe import TinyTask

from facevox.recipes import registry


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(registry.RECIPES, "tiny", ("tiny_recipe:TinyTask", "the cube of a number"))


def test_the_list_names_recipes(capsys):
    code, out, _ = run(capsys, "train", "--list")
    assert code == 0
    assert "tiny: the cube of a number" in out
    assert "vocoder: " in out


def test_a_run_from_start_to_export(capsys, tmp_path):
    folder = tmp_path / "run"
    words = ["train", "tiny", "--data", tmp_path, "-o", folder, "--preset", "wide", "--steps", 3]
    code, out, err = run(capsys, *words, "--set", "model.dropout=0", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["step"] == 3
    card = json.loads((folder / "export" / "generator.json").read_text())
    assert card["config"]["model"] == {"width": 16, "dropout": 0.0, "norm": True}
    assert card["command"].startswith("facevox train tiny --data")
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "not an empty folder; choose another, or go on with --resume" in err
    code, _, err = run(capsys, "train", "tiny", "-o", folder, "--resume", "--steps", 5)
    assert code == 0
    assert "step 5/5" in err


def test_a_signal_saves_and_says_how_to_go_on(capsys, tmp_path, monkeypatch):
    made = TinyTask.step

    def step(self, context, batch):
        if context.step == 1:
            signal.raise_signal(signal.SIGINT)
        return made(self, context, batch)

    monkeypatch.setattr(TinyTask, "step", step)
    code, _, err = run(capsys, "train", "tiny", "--data", tmp_path, "-o", tmp_path / "run")
    assert code == 130
    assert "Stopped and saved at step 2; go on with --resume." in err


def test_the_dry_run_tells_the_cost_and_writes_nothing(capsys, tmp_path):
    code, out, _ = run(capsys, "train", "tiny", "--data", tmp_path, "--dry-run")
    assert code == 0
    for word in ("generator 41, critic 33", "multiply-adds", "measured on", "epochs in all"):
        assert word in out
    code, out, _ = run(capsys, "train", "tiny", "--data", tmp_path, "--dry-run", "--json")
    assert json.loads(out)["cost"]["parameters"] == {"generator": 41, "critic": 33}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "Say which recipe"),
        (["train", "tiny"], "Give the folder of the run with -o"),
        (["train", "tiny", "-o", "new"], "Give the folder of the training data with --data"),
        (
            ["train", "cooking", "-o", "new"],
            "There is no recipe 'cooking'; there are: campplus, close-up, matcha, ",
        ),
        (
            ["train", "tiny", "--data", ".", "-o", "new", "--set", "model.widht=3"],
            "did you mean 'model.width'?",
        ),
    ],
)
def test_mistakes_are_one_sentence(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named(capsys, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("facevox.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "tiny_recipe")
    monkeypatch.setitem(sys.modules, "lightning.fabric", None)
    code, _, err = run(capsys, "train", "tiny", "--data", tmp_path, "-o", tmp_path / "run")
    assert code == 2
    assert "pip install 'facevox[train]'" in err
