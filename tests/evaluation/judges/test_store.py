"""Judges: fetched, added, checked, pinned, and handed out."""

import errno
import hashlib
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from facevox.core.errors import CheckpointError, InputError, MediaError, MissingPiece
from facevox.evaluation.judges import ledger, registry
from facevox.evaluation.judges.judge import JudgeCard
from facevox.evaluation.judges.store import Judges, judges_folder

GOOD = save({"weight": np.arange(6, dtype=np.float32)})
OTHER = save({"weight": np.arange(7, dtype=np.float32)})
SHA = hashlib.sha256(GOOD).hexdigest()
LOADER = "facevox.evaluation.judges.checkpoint_file:read_state_dict"


def card(name: str, **fields) -> JudgeCard:
    known = {
        "purpose": "a test",
        "source": "example.org",
        "licence": "MIT",
        "loader": LOADER,
        "origin": "user",
        "file": f"{name}.safetensors",
    }
    return JudgeCard(name=name, **known | fields)


@pytest.fixture
def published(tmp_path) -> Path:
    path = tmp_path / "published" / "good.safetensors"
    path.parent.mkdir()
    path.write_bytes(GOOD)
    return path


@pytest.fixture
def wheel(tmp_path) -> Path:
    path = tmp_path / "published" / "carrier-1.0-py3-none-any.whl"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("carrier/good.safetensors", GOOD)
        archive.writestr("carrier-1.0.dist-info/METADATA", "Name: carrier\nVersion: 1.0\n")
        archive.writestr("carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("carrier-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def judges(tmp_path, published, wheel, monkeypatch) -> Judges:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    in_wheel = {"origin": "wheel", "sha256": SHA, "carrier": "carrier==1.0"}
    cards = (
        card("by-hand"),
        card("stated", sha256=SHA),
        card("from-url", origin="url", sha256=SHA, url=published.as_uri()),
        card("any-url", origin="url", url=published.as_uri()),
        card("in-wheel", **in_wheel, member="carrier/good.safetensors"),
        card("not-in-wheel", **in_wheel, member="carrier/absent.safetensors"),
        card("no-wheel", **in_wheel | {"carrier": "absent==2.0"}, member="x"),
        card("with-package", origin="package", file="", needs="numpy", install="pip install numpy"),
        card("several", file="several/good.safetensors", beside=("config.json", "vocab.json")),
        card("needy", needs="no_such_module", install="pip install nothing"),
    )
    monkeypatch.setattr("facevox.evaluation.judges.store.JUDGES", {row.name: row for row in cards})
    return Judges(tmp_path / "judges")


def left(judges: Judges) -> list[str]:
    return sorted(path.name for path in judges.folder.iterdir()) if judges.folder.exists() else []


def is_a_sentence(error) -> bool:
    text = str(error.value)
    return text.endswith(".") and "\n" not in text and len(text) < 600


@pytest.mark.parametrize("name", ["from-url", "any-url", "in-wheel"])
def test_get_fetches_and_load_gives_the_judge(judges, name):
    done = []
    path = judges.get(name, done.append)
    assert path.read_bytes() == GOOD
    assert done[-1] == 1.0
    assert judges.problem(name) == ""
    assert judges.sha256(name) == SHA
    assert judges.load(name)["weight"].shape == (6,)
    assert judges.load(name) is judges.load(name)
    assert left(judges) == sorted(["judges.json", path.name])


def test_get_leaves_a_good_file_alone_and_mends_a_bad_one(judges, published):
    path = judges.get("from-url")
    before = path.stat().st_ino
    assert judges.get("from-url").stat().st_ino == before
    path.write_bytes(OTHER)
    assert "not the published one" in judges.problem("from-url")
    with pytest.raises(CheckpointError, match="not the published one"):
        Judges(judges.folder).load("from-url")
    assert judges.get("from-url").read_bytes() == GOOD
    assert judges.problem("from-url") == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (OTHER, "not the published one"),
        (GOOD[:-1], "not the published one"),
        (b"", "published one"),
    ],
)
def test_a_wrong_download_leaves_nothing(judges, published, content, message):
    published.write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as error:
        judges.get("from-url")
    assert is_a_sentence(error)
    assert left(judges) == []


def test_a_download_without_stated_hash_is_looked_into(judges, published):
    published.write_bytes(b"<html>not found</html>")
    with pytest.raises(CheckpointError, match="cannot be read as weights") as error:
        judges.get("any-url")
    assert is_a_sentence(error)
    assert left(judges) == []


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("no-wheel", MissingPiece, "pip could not download absent==2.0 .*pypi.org/project/absent"),
        ("by-hand", InputError, "by hand.*example.org.*facevox judges add by-hand FILE"),
        ("with-package", InputError, "nothing to get.*pip install numpy"),
        ("unknown", InputError, "no judge 'unknown'; there are: any-url"),
    ],
)
def test_get_says_why_not(judges, name, kind, message):
    with pytest.raises(kind, match=message) as error:
        judges.get(name)
    assert is_a_sentence(error)
    assert left(judges) == []


def test_no_file_at_the_address(judges, published):
    published.unlink()
    with pytest.raises(MissingPiece, match=r"could not be downloaded.*judges add") as error:
        judges.get("from-url")
    assert is_a_sentence(error)
    assert left(judges) == []


class Broken:
    """A response that breaks off."""

    def __init__(self, fault: Exception | None):
        self.fault, self.headers = fault, {"Content-Length": "1000"}
        self.blocks = [GOOD, b""]

    def read(self, size):
        if self.fault and len(self.blocks) == 1:
            raise self.fault
        return self.blocks.pop(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


@pytest.mark.parametrize("fault", [None, ConnectionResetError("reset"), TimeoutError("too slow")])
def test_a_connection_that_breaks_off(judges, monkeypatch, fault):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Broken(fault))
    words = {None: "broke off after", ConnectionResetError: "reset", TimeoutError: "too slow"}
    with pytest.raises(MissingPiece, match=words[type(fault) if fault else None]) as error:
        judges.get("from-url")
    assert is_a_sentence(error)
    assert left(judges) == []


def test_a_full_disk_leaves_nothing(judges, monkeypatch, wheel):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MediaError, match="disk is full"):
        judges.add("in-wheel", wheel)
    assert left(judges) == []


def test_a_disk_that_fills_up_while_downloading(judges, monkeypatch):
    class Full(io.BytesIO):
        def write(self, block):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda self, mode: Full())
    with pytest.raises(MediaError, match="disk is full"):
        judges.get("from-url")
    assert left(judges) == []


def test_ctrl_c_leaves_nothing(judges, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judges.get("from-url", stop)
    assert left(judges) == []


def test_a_folder_that_is_a_file(judges, tmp_path):
    (tmp_path / "judges").write_text("in the way")
    with pytest.raises(MediaError, match="is a file"):
        judges.get("from-url")


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_closed(judges):
    judges.folder.mkdir(mode=0o500)
    with pytest.raises(MediaError, match="No permission"):
        judges.get("from-url")


def test_without_pip(judges, monkeypatch, tmp_path):
    empty = tmp_path / "python"
    empty.write_text("#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    empty.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(empty))
    with pytest.raises(MissingPiece, match=r"No module named pip.*pypi.org/project/carrier"):
        judges.get("in-wheel")


def test_add_pins_the_first_file(judges, published, tmp_path):
    assert judges.add("by-hand", published).read_bytes() == GOOD
    entry = json.loads((judges.folder / "judges.json").read_text())["by-hand"]
    assert entry["sha256"] == SHA
    assert entry["source"] == str(published)
    assert entry["date"].startswith("20")
    other = tmp_path / "other.safetensors"
    other.write_bytes(OTHER)
    with pytest.raises(
        CheckpointError, match=r"not the one used so far.*delete the entry"
    ) as error:
        judges.add("by-hand", other)
    assert is_a_sentence(error)
    assert (judges.folder / "by-hand.safetensors").read_bytes() == GOOD


def test_another_file_in_the_folder_is_noticed(judges, published):
    path = judges.add("by-hand", published)
    path.write_bytes(OTHER)
    assert "not the one used so far" in judges.problem("by-hand")
    with pytest.raises(CheckpointError, match="not the one used so far"):
        judges.load("by-hand")


def test_a_file_laid_into_the_folder_is_pinned_when_it_fits(judges):
    judges.folder.mkdir()
    path = judges.folder / "by-hand.safetensors"
    path.write_bytes(GOOD)
    assert judges.problem("by-hand") == ""
    judges.load("by-hand")
    path.write_bytes(OTHER)
    assert "not the one used so far" in Judges(judges.folder).problem("by-hand")


def test_a_file_that_does_not_load_is_not_added(judges, tmp_path):
    for number, content in enumerate((b"", b"not weights", GOOD[:40])):
        wrong = tmp_path / f"wrong{number}.bin"
        wrong.write_bytes(content)
        with pytest.raises(CheckpointError, match="cannot be read as weights") as error:
            judges.add("by-hand", wrong)
        assert is_a_sentence(error)
        assert left(judges) == []


def test_a_loader_that_fails_in_its_own_way(judges, published, monkeypatch):
    def fail(path):
        raise ZeroDivisionError("odd")

    monkeypatch.setattr("facevox.evaluation.judges.checkpoint_file.read_state_dict", fail)
    with pytest.raises(CheckpointError, match=r"is not judge by-hand .ZeroDivisionError: odd"):
        judges.add("by-hand", published)
    assert left(judges) == []


@pytest.mark.parametrize("name", ["absent.bin", "."])
def test_add_wants_a_file(judges, tmp_path, name):
    with pytest.raises(InputError, match=r"no file .* that can be read") as error:
        judges.add("by-hand", tmp_path / name)
    assert is_a_sentence(error)


def test_add_takes_the_wheel_itself(judges, wheel):
    assert judges.add("in-wheel", wheel).read_bytes() == GOOD
    fake = wheel.with_name("fake.whl")
    fake.write_bytes(b"no zip")
    with pytest.raises(CheckpointError, match="cannot be opened as a wheel"):
        judges.add("in-wheel", fake)
    with pytest.raises(CheckpointError, match="holds no carrier/absent"):
        judges.add("not-in-wheel", wheel)


def test_add_refuses_what_has_no_file_or_cannot_be_looked_into(judges, published):
    with pytest.raises(InputError, match="no file to add"):
        judges.add("with-package", published)
    with pytest.raises(MissingPiece, match="needs the module no_such_module"):
        judges.add("needy", published)
    assert left(judges) == []


@pytest.fixture
def several(published) -> Path:
    for name in ("config.json", "vocab.json", "unrelated.txt"):
        (published.parent / name).write_text("{}")
    return published.parent


def test_a_judge_of_several_files(judges, several):
    path = judges.add("several", several)
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "config.json", "good.safetensors", "vocab.json",
    ]  # fmt: skip
    assert judges.load("several")["weight"].shape == (6,)
    assert judges.add("several", several / "good.safetensors") == path
    assert judges.add("several", path.parent) == path
    assert left(judges) == ["judges.json", "several"]
    (path.parent / "vocab.json").unlink()
    assert "missing" in Judges(judges.folder).problem("several")


def test_a_judge_of_several_files_arrives_whole_or_not_at_all(judges, several):
    (several / "good.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="cannot be read as weights"):
        judges.add("several", several)
    (several / "vocab.json").unlink()
    with pytest.raises(InputError, match=r"vocab\.json that can be read; give the folder"):
        judges.add("several", several)
    assert left(judges) == []


def test_adding_again_hands_out_the_new_judge(judges, published, tmp_path):
    judges.add("by-hand", published)
    first = judges.load("by-hand")
    judges.add("by-hand", published)
    assert judges.load("by-hand") is not first


def test_problem_says_what_to_run(judges):
    assert "facevox judges add by-hand" in judges.problem("by-hand")
    assert "facevox judges get from-url" in judges.problem("from-url")
    assert "pip install nothing" in judges.problem("needy")
    assert judges.problem("with-package") == ""
    with pytest.raises(MissingPiece, match="get it with facevox judges get from-url"):
        judges.load("from-url")
    with pytest.raises(MissingPiece):
        judges.sha256("from-url")


def test_a_file_is_hashed_once(judges, monkeypatch):
    judges.get("from-url")
    calls = []
    monkeypatch.setattr(ledger, "hash_file", lambda file: calls.append(file) or SHA)
    assert judges.problem("from-url") == ""
    assert Judges(judges.folder).problem("from-url") == ""
    assert len(calls) == 1
    os.utime(judges.folder / "from-url.safetensors")
    judges.problem("from-url")
    assert len(calls) == 2


def test_a_damaged_ledger_is_a_sentence(judges):
    judges.get("from-url")
    for text in ("{", "[]", '{"from-url": {"odd": 1}}', '{"from-url": 3}'):
        (judges.folder / "judges.json").write_text(text)
        assert "ledger of judges" in judges.problem("from-url")


def test_a_folder_that_cannot_be_written_still_serves(judges, monkeypatch):
    judges.folder.mkdir()
    shutil.copy(judges.get("from-url"), judges.folder / "stated.safetensors")

    def closed(path, content):
        raise MediaError("No permission")

    monkeypatch.setattr(ledger, "write_atomically", closed)
    assert judges.problem("stated") == ""
    assert judges.load("stated")["weight"].shape == (6,)


def test_what_identifies_a_judge(judges):
    assert judges.sha256("with-package") == f"numpy {np.__version__}"
    judges.put("by-hand", object())
    assert judges.sha256("by-hand") == "in memory"
    assert judges.problem("by-hand") == ""


def test_the_judge_in_the_package_has_a_hash(tmp_path):
    store = Judges(tmp_path)
    member = registry.JUDGES["attention-mesh"].member
    file = Path(registry.__file__).parents[2] / member
    assert store.sha256("attention-mesh") == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("FACEVOX_JUDGES", str(tmp_path))
    assert judges_folder() == tmp_path
    monkeypatch.delenv("FACEVOX_JUDGES")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert judges_folder() == tmp_path / "facevox" / "judges"
