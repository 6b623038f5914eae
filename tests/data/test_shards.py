import io
import json
import pickle
import tarfile

import pytest

from facevox.core.errors import DataError
from facevox.core.files import write_atomically
from facevox.data.shards import (
    MANIFEST,
    Shards,
    check_shard,
    read_index,
    read_manifest,
    stream_shards,
    write_index,
    write_shard,
)


def samples(count, first=0):
    for number in range(first, first + count):
        members = {"json": b"{}", "flac": bytes([number]) * (300 * number), "f0.npy": b"x" * 512}
        yield f"clip-{number}", members, {"frames": 10 * number}


@pytest.fixture
def folder(tmp_path):
    names = []
    for number in range(2):
        shard = write_shard(tmp_path / f"train-{number:06d}.tar", samples(5, 5 * number), 1e9)
        write_index(tmp_path, shard)
        names.append(shard.name)
    text = json.dumps({"format": 1, "splits": {"train": {"shards": names}}})
    write_atomically(tmp_path / MANIFEST, text.encode())
    return tmp_path


def test_what_was_written_is_read_by_number(folder):
    shards = Shards(folder, "train")
    assert len(shards) == 10
    assert [entry["frames"] for entry in shards.entries] == [10 * k for k in range(10)]
    for number in (7, 0, 9, 3):
        name, members, _ = next(samples(1, number))
        assert shards.entries[number]["name"] == name
        assert shards[number] == members
    again = pickle.loads(pickle.dumps(shards))
    assert again[3] == shards[3]


def test_a_stream_goes_on_where_it_was(folder):
    shards = Shards(folder, "train")
    everything = list(stream_shards(shards))
    assert list(stream_shards(shards, 6)) == everything[6:]


@pytest.mark.filterwarnings("ignore")
def test_other_readers_take_the_shards(folder):
    with tarfile.open(folder / "train-000000.tar") as tar:
        assert tar.getnames()[:4] == [
            "clip-0.f0.npy",
            "clip-0.flac",
            "clip-0.json",
            "clip-1.f0.npy",
        ]
    webdataset = pytest.importorskip("webdataset")
    urls = [str(folder / f"train-{k:06d}.tar") for k in range(2)]
    read = list(webdataset.WebDataset(urls, shardshuffle=False))
    assert [sample["__key__"] for sample in read] == [f"clip-{k}" for k in range(10)]
    assert read[4]["flac"] == Shards(folder, "train")[4]["flac"]


def test_the_same_samples_give_the_same_bytes(tmp_path):
    for name in ("a.tar", "b.tar"):
        write_shard(tmp_path / name, samples(4), 1e9)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_full_shard_is_closed_and_the_rest_stays(tmp_path):
    stream = samples(9)
    first = write_shard(tmp_path / "a.tar", stream, 6000.0)
    second = write_shard(tmp_path / "b.tar", stream, 1e9)
    assert 0 < len(first.entries) < 9
    assert len(first.entries) + len(second.entries) == 9
    assert (tmp_path / "a.tar").stat().st_size == first.size >= 6000


def test_a_cut_shard_is_named(folder):
    path = folder / "train-000001.tar"
    content = path.read_bytes()
    # cut between two members: to tarfile this looks whole
    path.write_bytes(content[: read_index(folder, path.name).entries[2]["offset"]])
    with tarfile.open(path) as tar:
        assert len(tar.getnames()) == 6
    with pytest.raises(DataError, match=r"train-000001.tar is damaged: .* bytes.*prepare again"):
        Shards(folder, "train")
    told = []
    rest = Shards(folder, "train", skip_damaged=True, warn=told.append)
    assert len(rest) == 5
    assert "train-000001.tar" in told[0]


def test_a_changed_byte_is_noticed(folder):
    path = folder / "train-000000.tar"
    content = bytearray(path.read_bytes())
    content[read_index(folder, path.name).entries[3]["offset"] + 700] ^= 1
    path.write_bytes(content)
    shards = Shards(folder, "train")
    with pytest.raises(DataError, match=r"train-000000.tar is damaged at clip-3"):
        list(stream_shards(shards))
    told = []
    left = [number for number, _ in stream_shards(shards, skip_damaged=True, warn=told.append)]
    assert left == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert len(told) == 1
    with pytest.raises(DataError, match="content has changed"):
        check_shard(folder, read_index(folder, path.name), thorough=True)


def test_what_is_missing_is_named(folder, tmp_path_factory):
    with pytest.raises(DataError, match=r"no split 'test'; there are: train"):
        Shards(folder, "test")
    (folder / "train-000001.tar").unlink()
    with pytest.raises(DataError, match=r"train-000001.tar is missing"):
        Shards(folder, "train")
    (folder / "train-000000.json").write_text("{")
    with pytest.raises(DataError, match=r"train-000000.json is absent or damaged"):
        Shards(folder, "train")
    with pytest.raises(DataError, match=r"no finished shards.*run facevox prepare"):
        read_manifest(tmp_path_factory.mktemp("empty"))
    (folder / MANIFEST).write_text("[]")
    with pytest.raises(DataError, match="is damaged"):
        read_manifest(folder)


def test_a_sample_is_a_piece_of_tar(folder):
    entry = read_index(folder, "train-000000.tar").entries[2]
    content = (folder / "train-000000.tar").read_bytes()[entry["offset"] :][: entry["size"]]
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert {name.partition(".")[0] for name in tar.getnames()} == {"clip-2"}
