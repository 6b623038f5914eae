import numpy as np
import pytest
import torch

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.inception import Block, InceptionV3, load_inception, tiny


def units():
    """Name -> (outputs, inputs, height, width) of the kernel, as published."""
    table = {
        "Conv2d_1a_3x3": (32, 3, 3, 3),
        "Conv2d_2a_3x3": (32, 32, 3, 3),
        "Conv2d_2b_3x3": (64, 32, 3, 3),
        "Conv2d_3b_1x1": (80, 64, 1, 1),
        "Conv2d_4a_3x3": (192, 80, 3, 3),
    }
    for name, inputs, pooled in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
        table |= {
            f"Mixed_{name}.branch1x1": (64, inputs, 1, 1),
            f"Mixed_{name}.branch5x5_1": (48, inputs, 1, 1),
            f"Mixed_{name}.branch5x5_2": (64, 48, 5, 5),
            f"Mixed_{name}.branch3x3dbl_1": (64, inputs, 1, 1),
            f"Mixed_{name}.branch3x3dbl_2": (96, 64, 3, 3),
            f"Mixed_{name}.branch3x3dbl_3": (96, 96, 3, 3),
            f"Mixed_{name}.branch_pool": (pooled, inputs, 1, 1),
        }
    table |= {
        "Mixed_6a.branch3x3": (384, 288, 3, 3),
        "Mixed_6a.branch3x3dbl_1": (64, 288, 1, 1),
        "Mixed_6a.branch3x3dbl_2": (96, 64, 3, 3),
        "Mixed_6a.branch3x3dbl_3": (96, 96, 3, 3),
    }
    for name, inner in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        table |= {
            f"Mixed_{name}.branch1x1": (192, 768, 1, 1),
            f"Mixed_{name}.branch7x7_1": (inner, 768, 1, 1),
            f"Mixed_{name}.branch7x7_2": (inner, inner, 1, 7),
            f"Mixed_{name}.branch7x7_3": (192, inner, 7, 1),
            f"Mixed_{name}.branch7x7dbl_1": (inner, 768, 1, 1),
            f"Mixed_{name}.branch7x7dbl_2": (inner, inner, 7, 1),
            f"Mixed_{name}.branch7x7dbl_3": (inner, inner, 1, 7),
            f"Mixed_{name}.branch7x7dbl_4": (inner, inner, 7, 1),
            f"Mixed_{name}.branch7x7dbl_5": (192, inner, 1, 7),
            f"Mixed_{name}.branch_pool": (192, 768, 1, 1),
        }
    table |= {
        "Mixed_7a.branch3x3_1": (192, 768, 1, 1),
        "Mixed_7a.branch3x3_2": (320, 192, 3, 3),
        "Mixed_7a.branch7x7x3_1": (192, 768, 1, 1),
        "Mixed_7a.branch7x7x3_2": (192, 192, 1, 7),
        "Mixed_7a.branch7x7x3_3": (192, 192, 7, 1),
        "Mixed_7a.branch7x7x3_4": (192, 192, 3, 3),
    }
    for name, inputs in (("7b", 1280), ("7c", 2048)):
        table |= {
            f"Mixed_{name}.branch1x1": (320, inputs, 1, 1),
            f"Mixed_{name}.branch3x3_1": (384, inputs, 1, 1),
            f"Mixed_{name}.branch3x3_2a": (384, 384, 1, 3),
            f"Mixed_{name}.branch3x3_2b": (384, 384, 3, 1),
            f"Mixed_{name}.branch3x3dbl_1": (448, inputs, 1, 1),
            f"Mixed_{name}.branch3x3dbl_2": (384, 448, 3, 3),
            f"Mixed_{name}.branch3x3dbl_3a": (384, 384, 1, 3),
            f"Mixed_{name}.branch3x3dbl_3b": (384, 384, 3, 1),
            f"Mixed_{name}.branch_pool": (192, inputs, 1, 1),
        }
    return table


@pytest.fixture(scope="module")
def published():
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in units().items():
        fan_in = shape[1] * shape[2] * shape[3]
        state[f"{name}.conv.weight"] = torch.randn(shape, generator=generator) * fan_in**-0.5
        for key, value in (
            ("weight", 1.0),
            ("bias", 0.1),
            ("running_mean", 0.0),
            ("running_var", 1.0),
        ):
            state[f"{name}.bn.{key}"] = torch.full((shape[0],), value)
        state[f"{name}.bn.num_batches_tracked"] = torch.tensor(0)
    state["fc.weight"] = torch.zeros(1008, 2048)
    state["fc.bias"] = torch.zeros(1008)
    return state


@pytest.fixture(scope="module")
def loaded(published, tmp_path_factory):
    path = tmp_path_factory.mktemp("judge") / "pt_inception.pth"
    torch.save(published, path)
    return load_inception(path)


def test_the_published_layout_loads(published, loaded):
    found = loaded.state_dict()
    assert set(found) == set(published)
    assert all(torch.equal(found[name], value) for name, value in published.items())
    assert sum(p.numel() for p in loaded.parameters()) == 23_850_960
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())


def test_other_layouts_are_refused_by_name(published, tmp_path):
    state = published | {"AuxLogits.fc.bias": torch.zeros(1008), "fc.bias": torch.zeros(1000)}
    del state["Mixed_6c.branch7x7_2.conv.weight"]
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(CheckpointError) as refused:
        load_inception(tmp_path / "other.pth")
    for fault in (
        "missing Mixed_6c.branch7x7_2.conv.weight",
        "unknown AuxLogits.fc.bias",
        "fc.bias is [1000], expected [1008]",
    ):
        assert fault in str(refused.value)


def test_features_of_pictures(loaded):
    pictures = np.random.default_rng(0).integers(0, 256, (2, 40, 30, 3), dtype=np.uint8)
    features = loaded.features(pictures)
    assert features.shape == (2, loaded.dim) == (2, 2048)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert features.std() > 0.01


def test_batches_do_not_matter_and_order_of_colours_does():
    network = tiny()
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    features = network.features(pictures)
    one_by_one = np.concatenate([network.features(pictures[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(features, one_by_one, atol=1e-6)
    np.testing.assert_array_equal(features, network.features(pictures))
    assert features.shape == (3, network.dim)
    assert np.abs(features - network.features(pictures[..., ::-1])).max() > 1e-4


def test_the_twin_has_every_unit_of_the_original():
    assert set(tiny().state_dict()) == set(InceptionV3(divisor=64).state_dict())
    names = {
        name.removesuffix(".conv.weight") for name in tiny().state_dict() if "conv" in name.lower()
    }
    assert set(units()) <= {name.rsplit(".", 2)[0] for name in names} | names


def test_mean_pools_leave_the_padding_out_and_the_last_pool_is_a_maximum():
    """On a constant picture both hand on the constant, up to the very border."""
    for pool in ("mean", "max"):
        block = Block(1, {"branch_pool": [("branch_pool", 1, (1, 1))]}, pool=pool)
        assert torch.equal(block._pooled(torch.ones(1, 1, 5, 5)), torch.ones(1, 1, 5, 5))
    x = torch.arange(9.0).view(1, 1, 3, 3)
    mean, largest = (Block(1, {}, pool=pool)._pooled(x) for pool in ("mean", "max"))
    assert mean[0, 0, 0, 0] == (0 + 1 + 3 + 4) / 4
    assert largest[0, 0, 0, 0] == 4
    pools = {
        name: block.pool for name, block in tiny().named_children() if isinstance(block, Block)
    }
    assert [name for name, pool in pools.items() if pool == "max"] == ["Mixed_7c"]
    assert [name for name, pool in pools.items() if pool == "bare"] == ["Mixed_6a", "Mixed_7a"]
