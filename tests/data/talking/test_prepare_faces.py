import json
import shutil

import numpy as np
import pytest
from command_line import run
from made_talking import TEXT, Talk, write_clip, write_counter

from facevox.data.shards import Shards
from facevox.data.speech import corpus
from facevox.data.speech.corpus import prepare_corpus
from facevox.data.speech.layouts import list_utterances
from facevox.data.speech.settings import PrepareSettings
from facevox.data.talking_samples import TalkingClip, draw_window, talking

SETTINGS = PrepareSettings(faces=True, validation=0.0)
SAID = f"Text:  {TEXT.upper().rstrip('.')}\n"
LIST = "main/5535415699068794046/00001"

TREES = {
    "grid": {"s1/bbaz2n.mp4": None, "s1/bbaz2n.align": "0 23750 sil\n23750 29500 bin\n"},
    "lrs2": {f"{LIST}.mp4": None, f"{LIST}.txt": SAID, "train.txt": f"{LIST[5:]}\n"},
    "lrs3": {"trainval/abc/50001.mp4": None, "trainval/abc/50001.txt": SAID},
    "voxceleb2": {"dev/mp4/id00012/21Uxsk56VDQ/00001.mp4": None},
    "hdtf": {"WDA_NancyPelosi0_003.mp4": None, "WDA_NancyPelosi0_003.txt": TEXT},
}
"""What lies where in each layout; the clip itself without content."""


def make_tree(layout, root, clip_file):
    for name, content in TREES[layout].items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            shutil.copy(clip_file, path)
        else:
            path.write_text(content)
    return root


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.*"))}


@pytest.mark.parametrize("layout", TREES)
def test_every_layout_gives_windows(layout, clip_file, tmp_path, quick):
    found = list_utterances(layout, make_tree(layout, tmp_path / "in", clip_file))
    manifest = prepare_corpus(found, tmp_path / "out", SETTINGS, corpus=layout)
    (split,) = manifest["splits"]
    part = manifest["splits"][split]
    assert part["samples"] == 1
    assert part["pictures"] > 40
    assert (part["with_text"] == 1) == (layout in ("lrs2", "lrs3", "hdtf"))
    shards = Shards(tmp_path / "out", split)
    (number,) = talking(shards, 5)
    entry = shards.entries[number]
    window = draw_window(TalkingClip(shards[number], entry["name"]), 5, np.random.default_rng(0))
    assert window.pictures.shape == (5, 256, 256, 3)
    assert window.mel.shape == (80, 20)
    assert window.found.all()
    assert abs(entry["lag"]) < 1.5
    if part["with_text"]:
        assert window.durations.sum() == 20
        assert entry["lag_sure"]


@pytest.fixture
def two(talking, tmp_path):
    """Two clips that sound a little different, as HDTF has them."""
    for number in range(2):
        noise = 2e-4 * np.random.default_rng(number).standard_normal(len(talking.waveform))
        sound = (talking.waveform + noise).astype(np.float32)
        write_clip(tmp_path / f"in/Radio{number}_0.mp4", Talk(talking.frames, sound))
        (tmp_path / f"in/Radio{number}_0.txt").write_text(TEXT)
    return tmp_path / "in"


class Killed(BaseException):
    pass


def test_stopped_and_run_again_is_the_same(two, tmp_path, quick, monkeypatch):
    settings = PrepareSettings(
        faces=True, validation=0.0, shard_megabytes=0.1, picture_size=96, split_by="speaker"
    )
    found = list_utterances("hdtf", two)
    prepare_corpus(found, tmp_path / "whole", settings, corpus="hdtf")
    whole = content(tmp_path / "whole")
    assert "train-000001.tar" in whole
    real = corpus.prepare_all

    def dies(*args, **how):
        for number, result in enumerate(real(*args, **how)):
            if number == 1:
                raise Killed
            yield result

    monkeypatch.setattr(corpus, "prepare_all", dies)
    with pytest.raises(Killed):
        prepare_corpus(found, tmp_path / "part", settings, corpus="hdtf")
    monkeypatch.setattr(corpus, "prepare_all", real)
    prepare_corpus(found, tmp_path / "part", settings, corpus="hdtf")
    assert content(tmp_path / "part") == whole


def test_the_command_says_what_it_kept(clip_file, tmp_path, quick, capsys):
    make_tree("lrs3", tmp_path / "in", clip_file)
    (tmp_path / "in/trainval/abc/50002.mp4").write_bytes(b"nothing" * 50)
    (tmp_path / "in/trainval/abc/50002.txt").write_text(SAID)
    code, out, _ = run(
        capsys, "prepare", "lrs3", tmp_path / "in", "-o", tmp_path / "out", "--faces",
        "--set", "picture_size=128", "--set", "validation=0",
    )  # fmt: skip
    assert code == 0
    assert "pictures" in out
    assert "1 unreadable" in out
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["settings"]["faces"] is True
    report = (tmp_path / "out/report.md").read_text()
    assert "lips against sound sure in 1 of 1, median" in report
    clip = TalkingClip(Shards(tmp_path / "out", "train")[0], "one")
    assert clip.picture(0).shape == (128, 128, 3)


def test_a_folder_from_before_there_were_faces_goes_on(clip_file, tmp_path):
    found = list_utterances("lrs3", make_tree("lrs3", tmp_path / "in", clip_file))
    settings = PrepareSettings(validation=0.0)
    prepare_corpus(found, tmp_path / "out", settings, corpus="lrs3")
    plan = json.loads((tmp_path / "out/plan.json").read_text())
    del plan["settings"]["faces"], plan["settings"]["most_lag"]
    (tmp_path / "out/plan.json").write_text(json.dumps(plan))
    prepare_corpus(found, tmp_path / "out", settings, corpus="lrs3")


def test_long_clips_without_text_are_cut_on_pictures(tmp_path):
    write_counter(tmp_path / "Radio1_0.mp4", 650)
    pieces = list_utterances("hdtf", tmp_path)
    assert [piece.name for piece in pieces] == ["Radio1_0-000", "Radio1_0-001"]
    assert [piece.span for piece in pieces] == [(0.0, 13.0), (13.0, pytest.approx(26, abs=0.1))]
    assert {piece.speaker for piece in pieces} == {"hdtf_Radio1"}
    (tmp_path / "Radio1_0.txt").write_text(TEXT)
    assert len(list_utterances("hdtf", tmp_path)) == 1


def test_clips_of_grid(shared, tmp_path):
    pytest.importorskip("pocketsphinx")
    folder = shared / "data" / "talking" / "grid_s1"
    if not folder.exists():
        pytest.skip("the clips of GRID are not here")
    found = list_utterances("grid", folder)[:600:200]
    manifest = prepare_corpus(found, tmp_path, SETTINGS, corpus="grid")
    assert manifest["dropped"] == {}
    entries = [e for split in manifest["splits"] for e in Shards(tmp_path, split).entries]
    assert len(entries) == 3
    for entry in entries:
        assert 4 * entry["pictures"] == entry["frames"]
        assert 40 < entry["iod"] < 55
        assert abs(entry["lag"]) < 2 or not entry["lag_sure"]
