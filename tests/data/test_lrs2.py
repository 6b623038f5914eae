import pytest

from facevox.core.errors import ConfigError, DataError
from facevox.data.corpora import list_recordings
from facevox.data.lrs2 import list_clips, read_text


@pytest.fixture(params=["main", "mvlrs_v1/main"])
def corpus(tmp_path, request):
    for folder, number, text in (("64", "00002", "HE'S GOT 30 {LG} YEARS"), ("63", "00001", "YES")):
        place = tmp_path / request.param / folder
        place.mkdir(parents=True)
        (place / f"{number}.mp4").touch()
        (place / f"{number}.txt").write_text(f"Text:  {text}\nConf:  4\n\nWORD START\n")
    (tmp_path / "test.txt").write_text("64/00002 NF\n63/00001 MV 2\n\n")
    return tmp_path


def test_clips_of_the_list(corpus):
    first, second = list_clips(corpus)
    assert (first.name, first.identity, first.text) == ("63-00001", "63", "yes.")
    assert second.text == "he's got 30 years."
    assert second.video.is_file()
    assert list_recordings("lrs2", corpus, list="test.txt") == (first, second)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda c: (c / "test.txt").unlink(), "no list.*test.txt"),
        (lambda c: (c / "test.txt").write_text("\n"), "empty"),
        (lambda c: (c / "test.txt").write_text("63_00001\n"), "FOLDER/NNNNN, got '63_00001'"),
        (lambda c: (c / "test.txt").write_text("../63/00001\n"), "got '../63/00001'"),
        (lambda c: (c / "test.txt").write_text("63/00001\n63/00001\n"), "63/00001 twice"),
        (lambda c: next(c.glob("**/00002.mp4")).unlink(), "1 files.*main/64/00002.mp4"),
        (lambda c: next(c.glob("**/00001.txt")).unlink(), "1 files.*main/63/00001.txt"),
        (lambda c: next(c.glob("**/00001.txt")).write_text("YES"), "first line.*got 'YES'"),
        (lambda c: next(c.glob("**/00001.txt")).write_text("Text: {LG}\n"), "first line"),
    ],
)
def test_what_is_wrong_is_named(corpus, break_it, message):
    break_it(corpus)
    with pytest.raises(DataError, match=message):
        list_clips(corpus)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"not LRS2.*expected"):
        list_clips(tmp_path)


def test_an_unknown_selection_is_refused(corpus):
    with pytest.raises(ConfigError, match="cannot be selected"):
        list_recordings("lrs2", corpus, held_out=3)


def test_a_transcript_that_is_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match="cannot be read"):
        read_text(tmp_path / "a.txt")
