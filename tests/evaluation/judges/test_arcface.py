import numpy as np
import pytest
import torch

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.arcface import (
    IResNet,
    load_arcface_iresnet50,
    load_arcface_iresnet100,
    tiny,
)


def batch_norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def official_layout(blocks: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of InsightFace's `iresnet`, written down from its published definition."""
    layout = {"conv1.weight": (64, 3, 3, 3)} | batch_norm("bn1", 64) | {"prelu.weight": (64,)}
    before = 64
    for level, (channels, count) in enumerate(zip((64, 128, 256, 512), blocks, strict=True), 1):
        for number in range(count):
            block = f"layer{level}.{number}"
            layout |= batch_norm(f"{block}.bn1", before)
            layout[f"{block}.conv1.weight"] = (channels, before, 3, 3)
            layout |= batch_norm(f"{block}.bn2", channels)
            layout[f"{block}.prelu.weight"] = (channels,)
            layout[f"{block}.conv2.weight"] = (channels, channels, 3, 3)
            layout |= batch_norm(f"{block}.bn3", channels)
            if number == 0:
                layout[f"{block}.downsample.0.weight"] = (channels, before, 1, 1)
                layout |= batch_norm(f"{block}.downsample.1", channels)
            before = channels
    layout |= batch_norm("bn2", 512) | {"fc.weight": (512, 25088), "fc.bias": (512,)}
    return layout | batch_norm("features", 512)


def constants(layout: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    values = torch.rand(len(layout), generator=torch.Generator().manual_seed(0)) + 0.5
    return {
        name: torch.tensor(7)
        if name.endswith("tracked")
        else values[k : k + 1].clone().expand(shape)
        for k, (name, shape) in enumerate(layout.items())
    }


@pytest.mark.parametrize(
    ("load", "blocks", "parameters"),
    [
        (load_arcface_iresnet50, (3, 4, 14, 3), 43_590_848),  # published: 43.59 M
        (load_arcface_iresnet100, (3, 13, 30, 3), 65_156_160),  # published: 65.16 M
    ],
)
def test_official_layout_goes_in_and_comes_out(tmp_path, load, blocks, parameters):
    state = constants(official_layout(blocks))
    torch.save(state, tmp_path / "backbone.pth")
    network = load(tmp_path / "backbone.pth")
    loaded = network.state_dict()
    assert set(loaded) == set(state)
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    assert not network.training
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("fault", ["missing", "unknown", "expected"])
def test_another_layout_is_refused_by_name(tmp_path, fault):
    state = constants(official_layout((3, 4, 14, 3)))
    if fault == "missing":
        del state["layer3.13.conv2.weight"]
    elif fault == "unknown":
        state["layer3.14.conv2.weight"] = torch.zeros(1)
    else:
        state["layer3.13.conv2.weight"] = torch.zeros(3)
    torch.save(state, tmp_path / "backbone.pth")
    with pytest.raises(CheckpointError, match=r"layer3\.1[34]\.conv2\.weight") as caught:
        load_arcface_iresnet50(tmp_path / "backbone.pth")
    assert fault in str(caught.value)


def test_fifty_layers_are_not_a_hundred(tmp_path):
    torch.save(constants(official_layout((3, 4, 14, 3))), tmp_path / "backbone.pth")
    with pytest.raises(CheckpointError, match=r"missing layer2\.4"):
        load_arcface_iresnet100(tmp_path / "backbone.pth")


def test_the_official_network_ends_in_512_numbers():
    with torch.device("meta"):
        assert IResNet().eval()(torch.empty(2, 3, 112, 112)).shape == (2, 512)


def test_embeddings_are_unit_vectors_and_the_same_each_time():
    torch.manual_seed(0)
    network = tiny()
    faces = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), np.uint8)
    embeddings = network.embed(faces)
    assert embeddings.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    assert (network.embed(faces) == embeddings).all()
