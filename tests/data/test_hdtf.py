import pytest

from facevox.core.errors import DataError
from facevox.data.corpora import list_recordings
from facevox.data.hdtf import identity_of, list_clips


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("WDA_NancyPelosi0_003", "WDA_NancyPelosi"),
        ("WDA_NancyPelosi1_000", "WDA_NancyPelosi"),
        ("WDA_LucilleRoybal-Allard_000", "WDA_LucilleRoybal-Allard"),
        ("WRA_BobCorker_000", "WRA_BobCorker"),
        ("RD_Radio11_000", "RD_Radio11"),
        ("Radio11_1", "Radio11"),
        ("somebody", "somebody"),
    ],
)
def test_who_is_shown(name, person):
    assert identity_of(name) == person


def test_clips_and_their_transcripts(tmp_path):
    for name in ("WRA_B_001", "RD_Radio2_000", "RD_Radio10_000"):
        (tmp_path / f"{name}.mp4").touch()
    (tmp_path / "WRA_B_001.txt").write_text("Thank you,\n  Mr. Chairman.\n")
    (tmp_path / "_videos_raw").mkdir()
    (tmp_path / "_videos_raw" / "WRA_B.mp4").touch()
    clips = list_clips(tmp_path)
    assert [clip.name for clip in clips] == ["RD_Radio10_000", "RD_Radio2_000", "WRA_B_001"]
    assert [clip.text for clip in clips] == [None, None, "Thank you, Mr. Chairman."]
    assert list_recordings("hdtf", tmp_path) == clips


def test_no_clip_and_an_empty_transcript_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"no HDTF clip.*expected"):
        list_clips(tmp_path)
    (tmp_path / "RD_Radio2_000.mp4").touch()
    (tmp_path / "RD_Radio2_000.txt").write_text(" \n")
    with pytest.raises(DataError, match="empty"):
        list_clips(tmp_path)
