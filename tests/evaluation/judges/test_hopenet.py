import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.hopenet import Hopenet, cut_head, load_hopenet, tiny


def official_layout() -> dict[str, tuple[int, ...]]:
    """Names and shapes of `hopenet_robust_alpha1.pkl`; torch 0.2 wrote no counters."""

    def batch_norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
        parts = ("weight", "bias", "running_mean", "running_var")
        return {f"{name}.{part}": (channels,) for part in parts}

    layout = {"conv1.weight": (64, 3, 7, 7)} | batch_norm("bn1", 64)
    before = 64
    for level, (channels, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
        for number in range(count):
            block = f"layer{level}.{number}"
            layout[f"{block}.conv1.weight"] = (channels, before, 1, 1)
            layout |= batch_norm(f"{block}.bn1", channels)
            layout[f"{block}.conv2.weight"] = (channels, channels, 3, 3)
            layout |= batch_norm(f"{block}.bn2", channels)
            layout[f"{block}.conv3.weight"] = (4 * channels, channels, 1, 1)
            layout |= batch_norm(f"{block}.bn3", 4 * channels)
            if number == 0:
                layout[f"{block}.downsample.0.weight"] = (4 * channels, before, 1, 1)
                layout |= batch_norm(f"{block}.downsample.1", 4 * channels)
            before = 4 * channels
    for name in ("fc_yaw", "fc_pitch", "fc_roll"):
        layout |= {f"{name}.weight": (66, 2048), f"{name}.bias": (66,)}
    return layout | {"fc_finetune.weight": (3, 2051), "fc_finetune.bias": (3,)}


def constants() -> dict[str, torch.Tensor]:
    layout = official_layout()
    values = torch.rand(len(layout), generator=torch.Generator().manual_seed(0)) + 0.5
    return {
        name: values[k : k + 1].clone().expand(shape)
        for k, (name, shape) in enumerate(layout.items())
    }


class OldPickler(pickle.Pickler):
    """Writes tensors with the four arguments of torch 0.2."""

    def reducer_override(self, obj):
        if isinstance(obj, torch.Tensor):
            storage = obj._typed_storage()
            shape = (obj.storage_offset(), tuple(obj.shape), obj.stride())
            return torch._utils._rebuild_tensor, (storage, *shape)
        return NotImplemented


def save_as_torch_0_2_on_a_gpu(state, path):
    """A bare pickle of `torch.cuda` storages, as old torch wrote it."""
    old = SimpleNamespace(__name__="old", Pickler=OldPickler, dump=pickle.dump)
    torch.save(state, path, pickle_module=old, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    assert b"ctorch\nFloatStorage\n" in content
    content = content.replace(b"ctorch\nFloatStorage\n", b"ctorch.cuda\nFloatStorage\n")
    path.write_bytes(content.replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0"))


def test_the_old_file_goes_in_and_comes_out(tmp_path):
    state = constants()
    save_as_torch_0_2_on_a_gpu(state, tmp_path / "hopenet_robust_alpha1.pkl")
    network = load_hopenet(tmp_path / "hopenet_robust_alpha1.pkl")
    loaded = network.state_dict()
    counters = {name for name in loaded if name.endswith("num_batches_tracked")}
    assert set(loaded) - counters == set(state)
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    assert not network.training
    # ResNet-50 has 25 557 032 parameters, 2 049 000 of them in its own last layer.
    heads = 3 * (2048 * 66 + 66) + 2051 * 3 + 3
    assert sum(p.numel() for p in network.parameters()) == 25_557_032 - 2_049_000 + heads


@pytest.mark.parametrize("fault", ["missing", "unknown", "expected"])
def test_another_layout_is_refused_by_name(tmp_path, fault):
    state = constants()
    if fault == "missing":
        del state["fc_yaw.weight"]
    elif fault == "unknown":
        state["fc_yaw.weights"] = torch.zeros(1)
    else:
        state["fc_yaw.weight"] = torch.zeros(66, 512)
    torch.save(state, tmp_path / "hopenet.pkl")
    with pytest.raises(CheckpointError, match=r"fc_yaw\.weight") as caught:
        load_hopenet(tmp_path / "hopenet.pkl")
    assert fault in str(caught.value)


def test_the_official_network_gives_2048_features():
    with torch.device("meta"):
        features, angles = Hopenet().eval()(torch.empty(2, 3, 224, 224))
    assert features.shape == (2, 2048)
    assert angles.shape == (2, 3)


@pytest.mark.parametrize(("bins", "angle"), [((33,), 0.0), ((0,), -99.0), ((40, 41), 22.5)])
def test_bins_become_degrees(bins, angle):
    network = tiny()
    for layer in (network.fc_yaw, network.fc_pitch, network.fc_roll):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.constant_(layer.bias, -1e4)
        layer.bias.data[list(bins)] = 0.0
    _, angles = network.look([np.zeros((224, 224, 3), np.uint8)])
    np.testing.assert_allclose(angles, angle, atol=1e-3)


def test_looking_in_batches_changes_nothing():
    torch.manual_seed(0)
    network = tiny()
    heads = list(np.random.default_rng(0).integers(0, 256, (18, 224, 224, 3), np.uint8))
    features, angles = network.look(heads)
    assert features.shape == (18, 128)
    assert angles.shape == (18, 3)
    alone, _ = network.look(heads[17:])
    np.testing.assert_allclose(alone[0], features[17], atol=1e-5)


def outline(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    landmarks = np.full((478, 3), (x0 + x1) / 2, np.float32)
    landmarks[:, 1] = (y0 + y1) / 2
    landmarks[234, 0], landmarks[454, 0], landmarks[152, 1], landmarks[105, 1] = x0, x1, y1, y0
    return landmarks


def test_the_crop_has_the_published_margins():
    y, x = np.mgrid[:400, :400]
    ramp = np.stack([x // 2, y // 2, np.zeros_like(x)], -1).astype(np.uint8)
    head = cut_head(ramp, outline(150, 160, 250, 260))  # 100 to 300 across, 85 to 285 down
    assert head.shape == (224, 224, 3)
    np.testing.assert_allclose(head[112, [1, -2], 0], (50, 149), atol=2)
    np.testing.assert_allclose(head[[1, -2], 112, 1], (42, 142), atol=2)


def test_the_crop_ends_where_the_picture_ends():
    white = np.full((100, 100, 3), 255, np.uint8)
    assert cut_head(white, outline(-5, 20, 60, 130)).min() == 255
    assert cut_head(white, outline(300, 300, 400, 400)).shape == (224, 224, 3)
