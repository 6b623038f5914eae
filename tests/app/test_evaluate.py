"""`facevox evaluate` and `score` as a clumsy user meets them: one sentence, exit code 2."""

import pytest
from command_line import run


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--videos", "a=x", "--videos", "a=y"], "names 'a' twice"),
        (["--videos", "a"], "takes NAME=FOLDER"),
        (["--suite", "smoke", "--photo", "a.jpg"], "either --suite or --photo"),
        (["--suite", "smoke", "--text-file", "a.txt"], "--text-file belongs to --photo"),
        (["--suite", "smoke", "--size", "256"], "--size belongs to --photo"),
        (["--suite", "smoke", "--metrics", ""], "No metric is named"),
        (["--suite", "smoke", "--landmarks", "dnsmos"], "does not lay landmarks"),
        (["--suite", "smoke", "--system", "nobody"], "There is no system"),
        (["--suite", "nowhere"], "There is no suite"),
    ],
)
def test_mistakes_cost_one_sentence_and_leave_nothing(capsys, tmp_path, options, words):
    code, out, err = run(capsys, "evaluate", "-o", tmp_path / "report", *options)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("facevox: ")
    assert words in err
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--metrics", "efficiency"], "Efficiency is a system's"),
        (["--landmarks", "dnsmos"], "does not lay landmarks"),
        (["--metrics", ","], "No metric is named"),
    ],
)
def test_score_refuses_what_would_give_nothing(capsys, tmp_path, monkeypatch, options, words):
    monkeypatch.setattr("facevox.evaluation.score.check_intact", lambda path: None)
    code, out, err = run(capsys, "score", tmp_path / "a.mp4", *options)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert words in err


def test_score_of_a_folder_or_nothing(capsys, tmp_path):
    code, _, err = run(capsys, "score", tmp_path)
    assert code == 2
    assert "is a folder" in err
    code, _, err = run(capsys, "score", tmp_path / "absent.mp4")
    assert code == 2
    assert "There is no file" in err
