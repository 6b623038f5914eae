"""Shells stand for classes that are not there; what runs code is refused."""

import os
import sys
import types
from pathlib import Path

import pytest
import torch

from facevox.core.errors import CheckpointError
from facevox.core.state_dict import read_state_dict


class Marker:
    """Would leave a file behind if it were made from a checkpoint."""

    path = ""

    def __reduce__(self):
        return (self.maker, (self.path,))


def test_a_shell_is_neither_imported_nor_called(tmp_path):
    gone = types.ModuleType("gone_package")
    exec("import pathlib\ndef make(p): pathlib.Path(p).touch()", gone.__dict__)
    gone.make.__module__ = "gone_package"
    marker = Marker()
    marker.maker, marker.path = gone.make, str(tmp_path / "made")
    sys.modules["gone_package"] = gone
    try:
        torch.save({"state_dict": {"w": torch.ones(2)}, "extra": marker}, tmp_path / "w.ckpt")
        with pytest.raises(CheckpointError, match="cannot be read as weights"):
            read_state_dict(tmp_path / "w.ckpt")
        assert read_state_dict(tmp_path / "w.ckpt", shells=True)["w"].tolist() == [1, 1]
    finally:
        del sys.modules["gone_package"]
    assert not (tmp_path / "made").exists()


def test_a_call_of_the_system_is_refused_even_with_shells(tmp_path):
    marker = Marker()
    marker.maker, marker.path = os.system, f"touch {tmp_path / 'made'}"
    torch.save({"state_dict": {"w": torch.ones(2)}, "extra": marker}, tmp_path / "w.ckpt")
    with pytest.raises(CheckpointError):
        read_state_dict(tmp_path / "w.ckpt", shells=True)
    assert not (tmp_path / "made").exists()


def test_shells_do_not_help_a_file_without_tensors(tmp_path):
    torch.save({"state_dict": {"w": 3}}, tmp_path / "w.ckpt")
    with pytest.raises(CheckpointError, match="does not hold a dictionary of tensors"):
        read_state_dict(tmp_path / "w.ckpt", shells=True)
    with pytest.raises(CheckpointError, match="There are no weights"):
        read_state_dict(Path(tmp_path / "none.ckpt"), shells=True)
    (tmp_path / "bad.ckpt").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_state_dict(tmp_path / "bad.ckpt", shells=True)
