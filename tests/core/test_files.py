import errno
import os
import stat

import pytest

from facevox.core.errors import MediaError
from facevox.core.files import (
    check_writable,
    explain_os_error,
    make_folder,
    temporary_twin,
    write_atomically,
)


def test_write_replaces_the_whole_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old and long")
    assert write_atomically(path, b"new") == path
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_stopped_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(error), temporary_twin(path) as twin:
        twin.write_bytes(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_full_disk_is_explained(tmp_path):
    path = tmp_path / "a.bin"
    with pytest.raises(MediaError, match="The disk is full"), temporary_twin(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_unwritable_targets_are_explained(tmp_path):
    with pytest.raises(MediaError, match="is a folder"):
        check_writable(tmp_path)
    with pytest.raises(MediaError, match="does not exist"):
        check_writable(tmp_path / "absent" / "a.mp4")
    denied = explain_os_error(PermissionError(errno.EACCES, "denied"), tmp_path / "a.mp4")
    assert denied.startswith("No permission to write")


def test_make_folder(tmp_path):
    assert make_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(MediaError, match="is a file"):
        make_folder(tmp_path / "file")


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    for write in (lambda path: write_atomically(path, b"x"), lambda path: make_folder(path)):
        with pytest.raises(MediaError, match="is a file, not a folder"):
            write(tmp_path / "file" / "below" / "x")
