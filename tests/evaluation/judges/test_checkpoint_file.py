"""Published checkpoints: read as they are, refused in a sentence, nothing executed."""

import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.checkpoint_file import load_strictly, read_state_dict


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))


@pytest.fixture
def state(network) -> dict[str, torch.Tensor]:
    return {name: torch.rand_like(value.float()) for name, value in network.state_dict().items()}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def is_a_sentence(error) -> bool:
    text = str(error.value)
    return text.endswith(".") and "\n" not in text


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt", ".bin", ".model", ".pkl"])
@pytest.mark.parametrize("new_format", [True, False])
def test_any_name_and_both_formats_of_torch(tmp_path, state, suffix, new_format):
    path = tmp_path / f"weights{suffix}"
    torch.save(state, path, _use_new_zipfile_serialization=new_format)
    assert same(read_state_dict(path), state)


def test_safetensors(tmp_path, state):
    save_file(state, tmp_path / "weights.safetensors")
    assert same(read_state_dict(tmp_path / "weights.safetensors"), state)


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state", "model", "backbone"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_wrappers_and_prefixes_are_taken_off(tmp_path, state, wrapper, prefix):
    inside = {prefix + name: value for name, value in state.items()}
    torch.save({wrapper: inside, "step": 7, "epoch": 1.5}, tmp_path / "w.pth")
    assert same(read_state_dict(tmp_path / "w.pth"), state)


def test_only_a_leading_prefix_is_taken_off(tmp_path):
    torch.save({"module.a.module.b": torch.zeros(1)}, tmp_path / "w.pth")
    assert list(read_state_dict(tmp_path / "w.pth")) == ["a.module.b"]


def test_a_network_with_a_layer_called_model_is_no_wrapper(tmp_path):
    torch.save({"model.weight": torch.zeros(2), "model": torch.zeros(1)}, tmp_path / "w.pth")
    assert set(read_state_dict(tmp_path / "w.pth")) == {"model.weight", "model"}


class Attack:
    """Writes a file when unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("kind", ["plain pickle", "torch", "torch, old", "zip", "safetensors"])
def test_code_inside_is_refused_and_never_runs(tmp_path, kind):
    mark, path = tmp_path / "executed", tmp_path / "weights.pth"
    poison = {"weight": torch.zeros(2), "evil": Attack(mark)}
    if kind == "plain pickle":
        path.write_bytes(pickle.dumps(Attack(mark)))
    elif kind == "safetensors":
        path = tmp_path / "weights.safetensors"
        path.write_bytes(pickle.dumps(Attack(mark)))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(Attack(mark)))
            archive.writestr("archive/version", "3")
    else:
        torch.save(poison, path, _use_new_zipfile_serialization=kind == "torch")
    with pytest.raises(CheckpointError, match="cannot be read as weights") as error:
        read_state_dict(path)
    assert is_a_sentence(error)
    assert not mark.exists()


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
@pytest.mark.parametrize("name", ["w.pth", "old.pth", "w.safetensors"])
def test_a_file_cut_short(tmp_path, state, name, kept):
    path = tmp_path / name
    if name.endswith(".pth"):
        torch.save(state, path, _use_new_zipfile_serialization=name == "w.pth")
    else:
        save_file(state, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(len(whole) * kept)])
    with pytest.raises(CheckpointError, match="cannot be read as weights") as error:
        read_state_dict(path)
    assert is_a_sentence(error)


@pytest.mark.parametrize(
    "content", [[torch.zeros(2)], {"a": 1}, {"state_dict": {"a": "text"}}, torch.zeros(3), {}, 7]
)
def test_what_holds_no_tensors(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="does not hold a dictionary of tensors") as error:
        read_state_dict(tmp_path / "w.pth")
    assert is_a_sentence(error)


def test_no_file_and_a_folder(tmp_path):
    for suffix in (".pth", ".safetensors"):
        with pytest.raises(CheckpointError, match="There are no weights"):
            read_state_dict(tmp_path / f"absent{suffix}")
    with pytest.raises(CheckpointError):
        read_state_dict(tmp_path)


class TestLoadStrictly:
    def test_it_fills_and_freezes(self, network, state):
        load_strictly(network, state, "w.pth")
        assert all(
            torch.equal(
                network.state_dict()[name], state[name].to(network.state_dict()[name].dtype)
            )
            for name in state
        )
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda state: state.pop("0.weight"), "missing 0.weight"),
            (lambda state: state.update(odd=torch.zeros(1)), "unknown odd"),
            (
                lambda state: state.update({"2.weight": torch.zeros(4, 2)}),
                r"2.weight is \[4, 2\], expected \[2, 4\]",
            ),
        ],
    )
    def test_what_does_not_fit_is_named(self, network, state, change, message):
        change(state)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        with pytest.raises(CheckpointError, match=rf"^w\.pth does not fit: {message}\.$"):
            load_strictly(network, state, "w.pth")
        assert same(network.state_dict(), before)

    def test_only_five_are_named(self, network):
        with pytest.raises(CheckpointError, match="and 4 more") as error:
            load_strictly(network, {"odd": torch.zeros(1)}, "w.pth")
        assert str(error.value).count("missing") == 5

    def test_counters_of_old_files_may_be_absent(self, network, state):
        del state["1.num_batches_tracked"]
        load_strictly(network, state, "w.pth")

    def test_a_counter_of_a_layer_that_is_not_there_is_unknown(self, network, state):
        state["9.num_batches_tracked"] = torch.tensor(1)
        with pytest.raises(CheckpointError, match=r"unknown 9.num_batches_tracked"):
            load_strictly(network, state, "w.pth")

    def test_half_precision_is_taken(self, network, state):
        load_strictly(network, {name: value.half() for name, value in state.items()}, "w.pth")
        assert network[0].weight.dtype == torch.float32

    @pytest.mark.parametrize("bad", [float("nan"), float("inf")])
    def test_weights_that_are_no_numbers(self, network, state, bad):
        state["0.weight"][0, 0, 0, 0] = bad
        with pytest.raises(CheckpointError, match=r"0\.weight holds values that are not numbers"):
            load_strictly(network, state, "w.pth")
