import json

import numpy as np
import pytest

from facevox.core.checkpoint import (
    load_card,
    load_checkpoint,
    load_module,
    save_checkpoint,
    weights_digest,
)
from facevox.core.errors import CheckpointError, MediaError

SHAPES = {"a": (2, 3), "b": (4,)}


@pytest.fixture
def path(tmp_path):
    tensors = {"a": np.ones((2, 3), np.float16), "b": np.arange(4, dtype=np.float32)}
    return save_checkpoint(tmp_path / "net.safetensors", tensors, {"data": "none"})


def test_round_trip(path):
    arrays = load_checkpoint(path, SHAPES)
    np.testing.assert_array_equal(arrays["b"], np.arange(4))
    assert arrays["a"].dtype == np.float16
    assert load_card(path) == {"data": "none"}
    assert sorted(p.name for p in path.parent.iterdir()) == ["net.json", "net.safetensors"]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({**SHAPES, "c": (1,)}, "missing c"),
        ({"a": (2, 3)}, "unknown b"),
        ({**SHAPES, "b": (5,)}, r"b is \[4\], expected \[5\]"),
        ({f"x{i}": (1,) for i in range(9)}, "missing x4 and 6 more"),
    ],
)
def test_misfits_are_named(path, shapes, message):
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path, shapes)


def test_absent_and_damaged_files(path, tmp_path):
    with pytest.raises(CheckpointError, match="no weights"):
        load_checkpoint(tmp_path / "none.safetensors")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(path)
    path.with_suffix(".json").write_text("[1]")
    with pytest.raises(CheckpointError, match="not a card"):
        load_card(path)


def test_pickle_is_never_read(tmp_path):
    import pickle

    file = tmp_path / "evil.safetensors"
    file.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CheckpointError):
        load_checkpoint(file)


def test_unwritable_folder(tmp_path):
    with pytest.raises(MediaError):
        save_checkpoint(tmp_path / "no" / "net.safetensors", {}, {})


def test_module_takes_half_precision(tmp_path):
    import torch

    net = torch.nn.Linear(3, 2)
    half = {name: value.half() for name, value in net.state_dict().items()}
    file = save_checkpoint(tmp_path / "net.safetensors", half, {})
    twin = torch.nn.Linear(3, 2)
    load_module(twin, file)
    assert twin.weight.dtype == torch.float32
    torch.testing.assert_close(twin.weight, net.weight, atol=1e-3, rtol=0)
    with pytest.raises(CheckpointError, match="weight is"):
        load_module(torch.nn.Linear(3, 3), file)
    json.loads(file.with_suffix(".json").read_text())


def test_the_digest_of_weights_knows_every_byte_and_name(tmp_path):
    path = save_checkpoint(tmp_path / "a.safetensors", {"x": np.zeros(3, np.float32)}, {})
    first = weights_digest(tmp_path)
    assert first == weights_digest(tmp_path)
    save_checkpoint(path, {"x": np.ones(3, np.float32)}, {})
    second = weights_digest(tmp_path)
    path.rename(tmp_path / "b.safetensors")
    assert len({first, second, weights_digest(tmp_path)}) == 3
