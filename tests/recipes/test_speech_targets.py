"""The targets: voices are drawn and cloned as announced, and verdicts follow the numbers."""

import json

import numpy as np
import pytest
from made_voice import vowels

from facevox.core.errors import CheckpointError, DataError
from facevox.core.voice import Voice
from facevox.core.waveform import write_waveform
from facevox.evaluation.metric import Estimate, NotMeasured
from facevox.evaluation.report.report import Report, SystemScores
from facevox.recipes import speech_targets
from facevox.recipes.speech_targets import clone_people, draw_voices, main


def report(columns):
    systems = tuple(
        SystemScores(name=name, clips=1, results=results) for name, results in columns.items()
    )
    return Report(
        suite="speech", created="", command="", version="", machine="", facts={}, figures=(),
        groups={}, judges={}, systems=systems,
    )  # fmt: skip


def number(value, **more):
    return Estimate(value=float(value), count=60, **more)


def default(wer, mos):
    rows = {"flite rms": (14, 3.2), "flite slt": (26, 2.9), "flite awb": (16, 3.0)}
    rows["matcha"] = (wer, mos)
    return report(
        {
            name: {"WER (pocketsphinx)": number(w), "DNSMOS overall": number(m)}
            for name, (w, m) in rows.items()
        }
    )


@pytest.mark.parametrize(
    ("wer", "mos", "reached"),
    [(13.0, 3.3, [True, True]), (14.5, 3.3, [False, True]), (14.0, 3.2, [True, False])],
)
def test_verdicts_follow_the_numbers(monkeypatch, tmp_path, capsys, wer, mos, reached):
    monkeypatch.setattr(speech_targets, "evaluate_speech", lambda *a, **k: default(wer, mos))
    main(["-o", str(tmp_path), "--only", "default"])
    found = json.loads((tmp_path / "targets.json").read_text())["default"]
    assert [row["reached"] for row in found] == reached
    assert found[1]["wanted"] == "> 3.20 (flite:rms)"
    out = capsys.readouterr().out
    assert out.count("reached") == sum(reached)
    assert out.count("MISSED") == 2 - sum(reached)


def test_what_could_not_be_measured_is_said(monkeypatch, tmp_path):
    missing = report({"flite rms": {"WER (pocketsphinx)": NotMeasured(reason="no ears")}})
    monkeypatch.setattr(speech_targets, "evaluate_speech", lambda *a, **k: missing)
    with pytest.raises(SystemExit, match="no ears"):
        main(["-o", str(tmp_path), "--only", "default"])
    with pytest.raises(SystemExit, match="needs --data"):
        main(["-o", str(tmp_path), "--only", "people"])


def test_drawn_voices_are_of_both_sexes_and_always_the_same(tmp_path):
    try:
        folder = draw_voices(tmp_path / "drawn", 6)
    except CheckpointError as error:
        pytest.skip(str(error))
    for sex in ("female", "male"):
        files = sorted((folder / sex).iterdir())
        assert len(files) == 3
        assert len({Voice.load(file).speaker_embedding for file in files}) == 3
    again = draw_voices(tmp_path / "again", 6)
    for file in folder.rglob("*.json"):
        assert file.read_bytes() == (again / file.relative_to(folder)).read_bytes()


def test_recordings_that_are_no_speech_are_not_cloned(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("noise", "hiss"):
        (tmp_path / name).mkdir()
        sound = rng.normal(0, 0.1, 48_000).astype(np.float32)
        write_waveform(tmp_path / name / "0.wav", sound, 16_000)
    try:
        with pytest.raises(DataError, match="0 people"):
            clone_people(tmp_path, tmp_path / "out", 4)
    except CheckpointError as error:
        pytest.skip(str(error))


def test_clones_and_the_other_recordings_have_one_name(tmp_path):
    for k, name in enumerate(("ann", "bob")):
        (tmp_path / "people" / name).mkdir(parents=True)
        for number_ in range(3 if name == "ann" else 1):
            sound = vowels(110 + 60 * k + number_, 6.0)
            write_waveform(tmp_path / "people" / name / f"{number_}.wav", sound, 16_000)
    try:
        voices, originals = clone_people(tmp_path / "people", tmp_path / "out", 4)
    except (CheckpointError, DataError) as error:
        pytest.skip(str(error))
    assert sorted(file.stem for file in voices.iterdir()) == ["ann", "bob"]
    assert len(list((originals / "ann").iterdir())) == 2
    assert len(list((originals / "bob").iterdir())) == 1
