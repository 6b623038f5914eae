import pytest

from facevox.core.errors import ConfigError, DataError
from facevox.data.corpora import list_recordings
from facevox.data.voxceleb2 import list_clips


def put(root, *names):
    for name in names:
        path = root / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("part", ["mp4", "test/mp4", "dev/mp4"])
def test_clips_of_every_part(tmp_path, part):
    put(tmp_path / part, "id00017/b-_X/00002", "id00012/a_Y/00001", "id00017/b-_X/00001")
    clips = list_clips(tmp_path)
    assert [clip.name for clip in clips] == [
        "id00012-a_Y-00001", "id00017-b-_X-00001", "id00017-b-_X-00002",
    ]  # fmt: skip
    assert [clip.identity for clip in clips] == ["id00012", "id00017", "id00017"]
    assert all(clip.text is None and clip.video.is_file() for clip in clips)
    assert list_recordings("voxceleb2", tmp_path) == clips


def test_few_clips_of_a_person_come_from_many_videos(tmp_path):
    put(tmp_path / "mp4", *(f"id00001/a/{k:05d}" for k in range(1, 9)))
    put(tmp_path / "mp4", "id00001/b/00007", "id00001/b/00009", "id00002/c/00003")
    names = [clip.name for clip in list_clips(tmp_path, per_identity=3)]
    assert names == ["id00001-a-00001", "id00001-a-00002", "id00001-b-00007", "id00002-c-00003"]
    assert len(list_clips(tmp_path, per_identity=100)) == 11


def test_test_is_preferred(tmp_path):
    put(tmp_path / "test/mp4", "id00001/a/00001")
    put(tmp_path / "dev/mp4", "id00002/a/00001")
    assert [clip.identity for clip in list_clips(tmp_path)] == ["id00001"]


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"no folder mp4.*expected"):
        list_clips(tmp_path)
    (tmp_path / "mp4").mkdir()
    with pytest.raises(DataError, match=r"no VoxCeleb2 clip.*expected"):
        list_clips(tmp_path)
    put(tmp_path / "mp4", "someone/a/00001")
    with pytest.raises(DataError, match="no folder of a person"):
        list_clips(tmp_path)
    with pytest.raises(ConfigError, match="at least 1"):
        list_clips(tmp_path, per_identity=0)
