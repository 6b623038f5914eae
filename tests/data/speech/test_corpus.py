import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import run
from made_speech import babble, write_sound

from facevox.core.errors import ConfigError, DataError
from facevox.data.shards import Shards
from facevox.data.speech import corpus
from facevox.data.speech.corpus import prepare_corpus
from facevox.data.speech.layouts import list_utterances
from facevox.data.speech.settings import PrepareSettings

SETTINGS = PrepareSettings(shard_megabytes=0.08, validation=0.1)
SUPPORT = Path(__file__).parents[2] / "support"


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """Sixteen recordings: one silent, one twice, one no sound."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "librispeech_train"
    for number in range(13):
        write_sound(folder / f"{number % 4}-1-{number:04d}.ogg", seconds=0.75, seed=number)
    write_sound(folder / "9-1-0001.ogg", seconds=0.75, seed=3)
    write_sound(folder / "9-1-0002.ogg", 0 * babble(1.0))
    (folder / "9-1-0003.ogg").write_bytes(b"OggS" * 50)
    return root


def prepare(collection, folder, settings=SETTINGS, **how):
    found = list_utterances("facevox-shared", collection)
    return prepare_corpus(found, folder, settings, corpus="facevox-shared", **how)


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.*"))}


@pytest.fixture(scope="module")
def whole(collection, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    prepare(collection, folder)
    return folder


def test_shards_manifest_and_report(whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["dropped"] == {"duplicate": 1, "silent": 1, "unreadable": 1}
    assert sum(part["samples"] for part in manifest["splits"].values()) == 13
    assert len(manifest["splits"]["train"]["shards"]) > 2
    train = Shards(whole, "train")
    assert len(train) == manifest["splits"]["train"]["samples"]
    for number, entry in enumerate(train.entries):
        said = json.loads(train[number]["json"])
        assert said["name"] == entry["name"]
        assert said["frames"] == entry["frames"]
    hours = sum(entry["frames"] for entry in train.entries) / 360_000
    assert manifest["splits"]["train"]["hours"] == pytest.approx(hours, abs=1e-4)
    rows = list(csv.DictReader((whole / "dropped.csv").read_text().splitlines()))
    assert {row["reason"] for row in rows} == {"duplicate", "silent", "unreadable"}
    report = (whole / "report.md").read_text()
    assert "## Dropped: 3" in report
    assert "sounds like" in report


class Killed(BaseException):
    pass


@pytest.mark.parametrize("survives", [1, 5, 8])
def test_stopped_and_run_again_is_the_same(collection, whole, tmp_path, monkeypatch, survives):
    real = corpus.prepare_all

    def dies(*args, **how):
        for number, result in enumerate(real(*args, **how)):
            if number == survives:
                raise Killed
            yield result

    monkeypatch.setattr(corpus, "prepare_all", dies)
    with pytest.raises(Killed):
        prepare(collection, tmp_path)
    assert not (tmp_path / "manifest.json").exists()
    monkeypatch.setattr(corpus, "prepare_all", real)
    prepare(collection, tmp_path)
    assert content(tmp_path) == content(whole)


def test_a_finished_run_reads_no_recording(collection, whole, monkeypatch):
    before = content(whole)

    def never(*args, **how):
        raise AssertionError("a recording was prepared again")

    monkeypatch.setattr(corpus, "prepare_all", never)
    done = []
    prepare(collection, whole, progress=done.append)
    assert content(whole) == before
    assert done[-1] == 1.0
    assert done == sorted(done)


@pytest.mark.parametrize("hurt", ["cut", "changed", "gone", "index"])
def test_a_damaged_shard_is_made_anew(collection, whole, hurt):
    before = content(whole)
    path = whole / "train-000001.tar"
    if hurt == "cut":
        path.write_bytes(before[path.name][:5000])
    elif hurt == "changed":
        path.write_bytes(before[path.name][:5000] + b"?" + before[path.name][5001:])
    elif hurt == "gone":
        path.unlink()
    else:
        path.with_suffix(".json").write_text("{}")
    prepare(collection, whole)
    assert content(whole) == before


def test_other_settings_need_another_folder(collection, whole, tmp_path):
    with pytest.raises(ConfigError, match=r"longest was 20.0, now 10.0.*another folder"):
        prepare(
            collection, whole, PrepareSettings(shard_megabytes=0.08, validation=0.1, longest=10.0)
        )
    with pytest.raises(ConfigError, match="held out was"):
        prepare(collection, whole, held_out=["0-1-0000"])
    (tmp_path / "other.tar").touch()
    with pytest.raises(ConfigError, match="holds other tar files"):
        prepare(collection, tmp_path)


def test_held_out_names_are_in_no_training_shard(collection, tmp_path):
    prepare(collection, tmp_path, held_out=["0-1-0000", "1-1-0005"])
    test = {entry["name"] for entry in Shards(tmp_path, "test").entries}
    assert test == {"librispeech_train_0-1-0000", "librispeech_train_1-1-0005"}
    assert not test & {entry["name"] for entry in Shards(tmp_path, "train").entries}


def test_nothing_left_is_told(tmp_path):
    write_sound(tmp_path / "data/reader/a.ogg", 0 * babble(1.0))
    with pytest.raises(DataError, match=r"Nothing .*report.md says why"):
        prepare(tmp_path / "data", tmp_path / "out")
    assert "silent" in (tmp_path / "out/report.md").read_text()
    assert not (tmp_path / "out/manifest.json").exists()


def test_several_processes_write_the_same(collection, whole, tmp_path):
    prepare(collection, tmp_path, jobs=2)
    assert content(tmp_path) == content(whole)


def test_an_unknown_engine_is_refused(collection, tmp_path):
    with pytest.raises(ConfigError, match="no engine 'spark'; there are: process, ray"):
        prepare(collection, tmp_path, engine="spark")


def test_a_killed_process_goes_on(collection, whole, tmp_path):
    command = [
        sys.executable, "-m", "facevox", "prepare", "facevox-shared", str(collection), "-o",
        str(tmp_path), "--set", "shard_megabytes=0.08", "--set", "validation=0.1",
    ]  # fmt: skip
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for _ in range(600):
        if list(tmp_path.glob("train-*.json")) or running.poll() is not None:
            break
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert content(tmp_path) == content(whole)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.timeout(900)
def test_ray_writes_the_same(collection, whole, tmp_path):
    pytest.importorskip("ray.data")
    command = [
        sys.executable, "-m", "facevox", "prepare", "facevox-shared", str(collection), "-o",
        str(tmp_path), "--set", "shard_megabytes=0.08", "--set", "validation=0.1", "--engine", "ray",
    ]  # fmt: skip
    quiet = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=quiet, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert content(tmp_path) == content(whole)


def test_the_command_tells_what_it_did(collection, tmp_path, capsys):
    code, out, _ = run(
        capsys, "prepare", "facevox-shared", collection, "-o", tmp_path, "--limit", 4, "--json"
    )
    assert code == 0
    assert json.loads(out)["corpus"] == "facevox-shared"
    code, out, _ = run(
        capsys, "prepare", "facevox-shared", collection, "-o", tmp_path, "--limit", 4
    )
    assert "samples" in out
    assert "dropped:" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vctk", "{data}"), "is not VCTK; expected"),
        (("vctk", "{data}/nowhere"), "There is no folder"),
        (("moon", "{data}"), "no corpus layout 'moon'"),
        (("facevox-shared", "{data}", "--set", "longest=0"), "'longest' cannot be 0"),
        (("facevox-shared", "{data}", "--set", "langest=9"), "'langest' cannot be 9"),
        (("facevox-shared", "{data}", "--set", "longest"), "takes NAME=VALUE"),
        (("facevox-shared", "{data}", "--engine", "spark"), "no engine 'spark'"),
        (("facevox-shared", "{data}", "--hold-out", "{data}/none"), "cannot be read"),
        (("facevox-shared", "{data}", "--speaker-encoder", "{data}/none"), "no checkpoint"),
    ],
)
def test_mistakes_are_one_sentence(collection, tmp_path, capsys, arguments, message):
    filled = [part.format(data=collection) for part in arguments]
    code, _, err = run(capsys, "prepare", *filled, "-o", tmp_path / "out")
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_a_cluster_that_cannot_be_reached_is_said(collection, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")

    def refuse(**_):
        raise ConnectionError("nobody answers")

    monkeypatch.setenv("RAY_ADDRESS", "ray.example:6379")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(ConfigError, match=r"RAY_ADDRESS=ray\.example:6379 cannot be reached"):
        prepare(collection, tmp_path / "out", engine="ray")
