import pytest
from made_speech import write_sound, write_talking

from facevox.core.errors import ConfigError, DataError
from facevox.data.corpora import list_recordings
from facevox.data.speech.layouts import LAYOUTS, list_utterances
from facevox.data.speech.lrs import read_word_times


def touch(path, text=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch() if text is None else path.write_text(text)


def libritts(root):
    for subset, speaker in (("train-clean-100", "103"), ("dev-clean", "84"), ("test-other", "7")):
        name = f"{speaker}_1_000_000"
        touch(root / subset / speaker / "1" / f"{name}.wav")
        touch(root / subset / speaker / "1" / f"{name}.normalized.txt", "He said: one.\n")
        touch(root / subset / speaker / "1" / f"{name}.original.txt", "He said: 1.\n")


def librispeech(root):
    touch(root / "train-clean-100/103/1240/103-1240-0000.flac")
    touch(root / "train-clean-100/103/1240/103-1240.trans.txt", "103-1240-0000 CHAPTER ONE\n")


def vctk(root):
    for microphone in (1, 2):
        touch(root / f"wav48_silence_trimmed/p225/p225_001_mic{microphone}.flac")
    touch(root / "wav48_silence_trimmed/p280/p280_002_mic2.flac")
    touch(root / "txt/p225/p225_001.txt", "Please call Stella.\n")


def ljspeech(root):
    touch(root / "metadata.csv", "LJ001-0001|In 1455|In fourteen fifty-five\n")
    touch(root / "wavs/LJ001-0001.wav")


def lrs3(root):
    for part in ("pretrain", "trainval", "test"):
        touch(root / part / "0Fi83BHQsMA/00002.mp4")
        touch(root / part / "0Fi83BHQsMA/00002.txt", "Text:  TWO WORDS\nConf:  5\nRef: x\n")


def lrs2(root):
    for entry in ("main/63/00001", "main/64/00002", "pretrain/65/00003"):
        touch(root / f"{entry}.mp4")
        touch(root / f"{entry}.txt", "Text:  IT'S {LG} FINE\nConf:  5\n")
    touch(root / "test.txt", "64/00002 NF\n")


def voxceleb2(root):
    touch(root / "mp4/id00017/01dfn2spqyE/00001.mp4")


def hdtf(root):
    touch(root / "WDA_NancyPelosi0_003.mp4")


def grid(root):
    for speaker in ("s1", "s2"):
        touch(root / speaker / "bbaz2n.mp4")
        touch(root / speaker / "bbaz2n.align", "0 23750 sil\n23750 29500 bin\n")


def shared_collection(root):
    touch(root / "speech/vctk/metadata.csv", "p225/p225_003|Six spoons.\n")
    touch(root / "speech/vctk/p225/p225_003.ogg")
    touch(root / "speech/librispeech_train/103-1240-0000.ogg")
    touch(root / "speech/kerstin_de/a.ogg")


MADE = {
    "facevox-shared": shared_collection,
    "libritts": libritts,
    "librispeech": librispeech,
    "vctk": vctk,
    "ljspeech": ljspeech,
    "lrs2": lrs2,
    "lrs3": lrs3,
    "voxceleb2": voxceleb2,
    "hdtf": hdtf,
    "grid": grid,
}


def listed(layout, root):
    MADE[layout](root)
    return {u.name: u for u in list_utterances(layout, root)}


def test_every_layout_has_a_made_tree():
    assert MADE.keys() == LAYOUTS.keys()


def test_libritts_keeps_its_own_split(tmp_path):
    found = listed("libritts", tmp_path)
    assert {u.subset for u in found.values()} == {"train", "validation", "test"}
    one = found["103_1_000_000"]
    assert (one.speaker, one.text, one.subset) == ("ls103", "He said: one.", "train")
    inner = list_utterances("libritts", tmp_path / "train-clean-100")
    assert [(u.name, u.subset) for u in inner] == [("103_1_000_000", "train")]


def test_librispeech_is_read_in_small_letters(tmp_path):
    (one,) = listed("librispeech", tmp_path).values()
    assert (one.speaker, one.text, one.subset) == ("ls103", "chapter one.", "train")


def test_one_microphone_of_vctk(tmp_path):
    found = listed("vctk", tmp_path)
    assert found.keys() == {"p225_001", "p280_002"}
    assert found["p225_001"].sound.name == "p225_001_mic1.flac"
    assert found["p225_001"].text == "Please call Stella."
    assert found["p280_002"].text is None


def test_ljspeech_takes_the_normalised_text(tmp_path):
    (one,) = listed("ljspeech", tmp_path).values()
    assert (one.speaker, one.text) == ("lj", "In fourteen fifty-five")


def test_lrs3_has_faces_and_keeps_its_test_part(tmp_path):
    found = listed("lrs3", tmp_path)
    assert {name: u.subset for name, u in found.items()} == {
        "pretrain-0Fi83BHQsMA-00002": "train",
        "trainval-0Fi83BHQsMA-00002": None,
        "test-0Fi83BHQsMA-00002": "test",
    }
    one = found["trainval-0Fi83BHQsMA-00002"]
    assert one.video == one.sound
    assert one.text == "two words."


def test_long_clips_of_lrs3_are_cut_in_their_pauses(tmp_path):
    words = [
        (f"WORD{k}", 0.5 * k + 0.3 * (k // 10), 0.5 * k + 0.3 * (k // 10) + 0.45) for k in range(60)
    ]
    table = "\n".join(f"{w} {a:.2f} {b:.2f} 9.1" for w, a, b in words)
    text = " ".join(w for w, _, _ in words)
    touch(tmp_path / "pretrain/a/00001.mp4")
    touch(
        tmp_path / "pretrain/a/00001.txt",
        f"Text:  {text}\nConf: 5\n\nWORD START END ASDSCORE\n{table}\n",
    )
    found = list_utterances("lrs3", tmp_path)
    assert [u.name for u in found] == [f"pretrain-a-00001-{k:02d}" for k in range(3)]
    assert " ".join(u.text.rstrip(".") for u in found) == text.lower()
    for one in found:
        assert one.span[1] - one.span[0] <= 12.5
    assert [u.text.split()[0] for u in found] == ["word0", "word20", "word40"]


def test_a_bad_table_of_times_is_told(tmp_path):
    touch(tmp_path / "a.txt", "Text: A\nWORD START END ASDSCORE\nA x y z\n")
    with pytest.raises(DataError, match="expected WORD START END ASDSCORE, got 'A x y z'"):
        read_word_times(tmp_path / "a.txt")


def test_lrs2_keeps_its_lists(tmp_path):
    found = listed("lrs2", tmp_path)
    assert {name: u.subset for name, u in found.items()} == {
        "main-63-00001": None, "main-64-00002": "test", "pretrain-65-00003": "train",
    }  # fmt: skip
    assert found["main-63-00001"].text == "it's fine."


def test_faces_without_text(tmp_path):
    (one,) = listed("voxceleb2", tmp_path / "v").values()
    assert (one.text, one.speaker) == (None, "voxceleb2_id00017")
    (two,) = listed("hdtf", tmp_path / "h").values()
    assert (two.text, two.speaker) == (None, "hdtf_WDA_NancyPelosi")
    assert two.video.suffix == ".mp4"


def test_grid_says_letters(tmp_path):
    found = listed("grid", tmp_path)
    assert found.keys() == {"grid_s1_bbaz2n", "grid_s2_bbaz2n"}
    one = found["grid_s1_bbaz2n"]
    assert one.text == "bin blue at zed two now."
    assert dict(one.pronunciations)["a"] == "ey1"
    assert len(list_utterances("grid", tmp_path / "s1")) == 1


def test_the_shared_collection(tmp_path):
    found = listed("facevox-shared", tmp_path)
    assert found["vctk_p225_003"].text == "Six spoons."
    assert found["librispeech_train_103-1240-0000"].speaker == "ls103"
    assert found["kerstin_de_a"].language == "de"


def test_the_real_collection(shared):
    found = list_utterances("facevox-shared", shared / "data")
    assert len(found) > 2000
    held = {u.sound.stem for u in found if u.subset == "test"}
    clips = list_recordings("grid", shared / "data/talking/grid_s1")
    assert held == {clip.name for clip in clips}
    texts = sum(u.text is not None for u in found if u.corpus == "ljspeech")
    assert texts == 8


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wrong_folder_is_explained(layout, tmp_path):
    touch(tmp_path / "holiday.jpg")
    with pytest.raises(DataError, match=r"expected"):
        list_utterances(layout, tmp_path)
    with pytest.raises(DataError, match="There is no folder"):
        list_utterances(layout, tmp_path / "nowhere")


def test_an_unknown_layout_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no corpus layout 'libre'; there are: .*vctk"):
        list_utterances("libre", tmp_path)


def test_what_cannot_be_a_key_is_refused(tmp_path):
    write_sound(tmp_path / "speech/reader/a b.ogg", seconds=0.3)
    with pytest.raises(DataError, match="letters, digits, - and _"):
        list_utterances("facevox-shared", tmp_path)


def test_missing_files_are_named(tmp_path):
    touch(tmp_path / "lj/metadata.csv", "LJ001-0001|Hello.\n")
    (tmp_path / "lj/wavs").mkdir()
    with pytest.raises(DataError, match="1 sounds are missing, such as LJ001-0001"):
        list_utterances("ljspeech", tmp_path / "lj")
    write_talking(tmp_path / "lrs/test/id/00001.mp4", frames=2, seconds=0.3)
    with pytest.raises(DataError, match=r"has no transcript; expected 00001.txt"):
        list_utterances("lrs3", tmp_path / "lrs")
    touch(tmp_path / "lj/metadata.csv", "LJ001-0001\n")
    with pytest.raises(DataError, match=r"expected lines id\|text"):
        list_utterances("ljspeech", tmp_path / "lj")
