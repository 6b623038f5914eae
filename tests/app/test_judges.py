"""`facevox judges` as a user meets it."""

import hashlib
import json

import numpy as np
import pytest
from command_line import run
from safetensors.numpy import save

from facevox.evaluation.judges.judge import JudgeCard

GOOD = save({"weight": np.arange(6, dtype=np.float32)})
SHA = hashlib.sha256(GOOD).hexdigest()
COMMON = {
    "purpose": "a test",
    "licence": "MIT",
    "source": "example.org",
    "loader": "facevox.evaluation.judges.checkpoint_file:read_state_dict",
}


@pytest.fixture(autouse=True)
def published(tmp_path, monkeypatch):
    path = tmp_path / "good.safetensors"
    path.write_bytes(GOOD)
    cards = (
        JudgeCard(name="there", origin="package", needs="numpy", install="pip install numpy", **COMMON),
        JudgeCard(name="url", origin="url", file="u.safetensors", sha256=SHA, url=path.as_uri(), **COMMON),
        JudgeCard(name="hand", origin="user", file="h.safetensors", **COMMON),
        JudgeCard(
            name="needy", origin="user", file="n.safetensors",
            needs="no_such_module", install="pip install nothing", **COMMON,
        ),
        JudgeCard(
            name="needy-package", origin="package",
            needs="no_such_module", install="pip install nothing", **COMMON,
        ),
    )  # fmt: skip
    rows = {card.name: card for card in cards}
    monkeypatch.setattr("facevox.evaluation.judges.store.JUDGES", rows)
    monkeypatch.setattr("facevox.evaluation.judges.registry.JUDGES", rows)
    monkeypatch.setenv("FACEVOX_JUDGES", str(tmp_path / "judges"))
    return path


def states(capsys) -> dict[str, dict]:
    code, out, _ = run(capsys, "judges", "list", "--json")
    assert code == 0
    return {row["name"]: row for row in json.loads(out)["judges"]}


def test_list_tells_what_is_here_and_how_to_get_the_rest(capsys, tmp_path):
    rows = states(capsys)
    assert {name: row["state"] for name, row in rows.items()} == {
        "there": "here",
        "url": "missing",
        "hand": "missing",
        "needy": "missing",
        "needy-package": "needs no_such_module",
    }
    assert rows["there"]["sha256"] == f"numpy {np.__version__}"
    assert rows["url"]["how"] == "facevox judges get url"
    assert rows["url"]["expected_sha256"] == SHA
    assert "facevox judges add hand FILE" in rows["hand"]["how"]
    assert rows["needy"]["how"].startswith(
        "pip install nothing; fetch it (example.org), then facevox"
    )
    code, out, _ = run(capsys, "judges", "list")
    assert code == 0
    assert f"numpy {np.__version__}" in out
    assert f"1 of 5 judges are here; files lie in {tmp_path / 'judges'}." in out


def test_get_and_add(capsys, published):
    code, out, err = run(capsys, "judges", "get", "url", "there", "url", "--quiet")
    assert (code, err) == (0, "")
    assert out.count("SHA-256") == 1
    assert f"SHA-256 {SHA}, as published" in out
    assert "licence: MIT" in out
    assert "there: here already" in out
    code, out, err = run(capsys, "judges", "add", "hand", published)
    assert (code, err) == (0, "")
    assert "only this file is taken" in out
    rows = states(capsys)
    assert rows["url"]["state"] == rows["hand"]["state"] == "here"
    assert rows["hand"]["sha256"] == SHA


def test_a_file_that_changed_is_listed_as_wrong(capsys, published, tmp_path):
    run(capsys, "judges", "get", "url")
    (tmp_path / "judges" / "u.safetensors").write_bytes(GOOD + b" ")
    row = states(capsys)["url"]
    assert row["state"] == "wrong file"
    assert "not the published one" in row["how"]
    assert run(capsys, "judges", "list")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["get"], "Name the judges to get"),
        (["get", "nope"], "There is no judge 'nope'"),
        (["get", "hand"], "by hand"),
        (["get", "needy-package"], "nothing to get"),
        (["add", "hand", "absent"], "no file absent"),
        (["add", "there", "absent"], "no file to add"),
    ],
)
def test_mistakes_are_sentences(capsys, arguments, message):
    code, out, err = run(capsys, "judges", *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("facevox: ")
    assert message in err
    assert len(err.splitlines()) == 1


def test_help_names_all_three(capsys):
    code, out, _ = run(capsys, "judges", "--help")
    assert code == 0
    assert all(word in out for word in ("list", "get", "add"))
