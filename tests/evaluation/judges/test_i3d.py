import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.i3d import (
    STYLEGAN_V_SHA256,
    load_i3d,
    load_i3d_stylegan_v,
    pad_same,
    tiny,
)
from facevox.evaluation.judges.ledger import hash_file
from facevox.evaluation.judges.registry import JUDGES

MIXED = {
    # inputs, b0, b1a, b1b, b2a, b2b, b3b
    "Mixed_3b": (192, 64, 96, 128, 16, 32, 32),
    "Mixed_3c": (256, 128, 128, 192, 32, 96, 64),
    "Mixed_4b": (480, 192, 96, 208, 16, 48, 64),
    "Mixed_4c": (512, 160, 112, 224, 24, 64, 64),
    "Mixed_4d": (512, 128, 128, 256, 24, 64, 64),
    "Mixed_4e": (512, 112, 144, 288, 32, 64, 64),
    "Mixed_4f": (528, 256, 160, 320, 32, 128, 128),
    "Mixed_5b": (832, 256, 160, 320, 32, 128, 128),
    "Mixed_5c": (832, 384, 192, 384, 48, 128, 128),
}


@pytest.fixture(scope="module")
def published():
    shapes = {
        "Conv3d_1a_7x7": (64, 3, 7),
        "Conv3d_2b_1x1": (64, 64, 1),
        "Conv3d_2c_3x3": (192, 64, 3),
    }
    for name, (inputs, b0, b1a, b1b, b2a, b2b, b3b) in MIXED.items():
        shapes |= {
            f"{name}.b0": (b0, inputs, 1),
            f"{name}.b1a": (b1a, inputs, 1),
            f"{name}.b1b": (b1b, b1a, 3),
            f"{name}.b2a": (b2a, inputs, 1),
            f"{name}.b2b": (b2b, b2a, 3),
            f"{name}.b3b": (b3b, inputs, 1),
        }
    state = {}
    generator = torch.Generator().manual_seed(0)
    for name, (outputs, inputs, kernel) in shapes.items():
        shape = (outputs, inputs, kernel, kernel, kernel)
        spread = (inputs * kernel**3) ** -0.5
        state[f"{name}.conv3d.weight"] = torch.randn(shape, generator=generator) * spread
        for key, value in (
            ("weight", 1.0),
            ("bias", 0.1),
            ("running_mean", 0.0),
            ("running_var", 1.0),
        ):
            state[f"{name}.bn.{key}"] = torch.full((outputs,), value)
    state["logits.conv3d.weight"] = torch.randn((400, 1024, 1, 1, 1), generator=generator)
    state["logits.conv3d.bias"] = torch.zeros(400)
    return state


def test_the_published_layout_loads(published, tmp_path):
    torch.save(published, tmp_path / "rgb_imagenet.pt")
    network = load_i3d(tmp_path / "rgb_imagenet.pt")
    found = network.state_dict()
    assert {name for name in found if "num_batches" not in name} == set(published)
    assert all(torch.equal(found[name], value) for name, value in published.items())
    assert sum(p.numel() for p in network.parameters()) == 12_697_264
    assert network.dim == 400


def test_other_layouts_are_refused_by_name(published, tmp_path):
    extra = {"Mixed_4e.b3a.conv3d.weight": torch.zeros(1), "logits.conv3d.bias": torch.zeros(157)}
    state = published | extra
    del state["Mixed_4e.b2a.bn.running_var"]
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(CheckpointError) as refused:
        load_i3d(tmp_path / "other.pt")
    for fault in (
        "missing Mixed_4e.b2a.bn.running_var",
        "unknown Mixed_4e.b3a.conv3d.weight",
        "logits.conv3d.bias is [157], expected [400]",
    ):
        assert fault in str(refused.value)


def test_features_of_clips():
    network = tiny()
    clips = torch.rand(2, 3, 16, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = network.features(clips)
    assert features.shape == (2, network.dim) == (2, 8)
    np.testing.assert_array_equal(features, network.features(clips))
    np.testing.assert_allclose(features[:1], network.features(clips[:1]), atol=1e-6)
    backwards = network.features(clips.flip(2))
    assert np.abs(features - backwards).max() > 0


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padded"),
    [(224, 7, 2, 229), (7, 3, 2, 9), (8, 3, 2, 9), (8, 2, 2, 8), (7, 2, 2, 8), (5, 1, 1, 5)],
)
def test_padding_is_tensorflows(size, kernel, stride, padded):
    x = torch.ones(1, 1, size, 1, 1)
    y = pad_same(x, (kernel, 1, 1), (stride, 1, 1))
    assert y.shape[2] == padded
    assert (padded - kernel) // stride + 1 == -(-size // stride)
    front = int(torch.nonzero(y[0, 0, :, 0, 0])[0])
    assert front == (padded - size) // 2


class Script(torch.nn.Module):
    """Same call as the program that StyleGAN-V published."""

    def forward(
        self,
        x: torch.Tensor,
        rescale: bool = True,
        resize: bool = True,
        return_features: bool = False,
    ) -> torch.Tensor:
        scores = x.mean(dim=[3, 4]).flatten(1)
        if rescale or resize:
            scores = scores * 0
        if not return_features:
            scores = torch.softmax(scores, 1)
        return scores


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("judge") / "i3d_torchscript.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(Script()).save(str(path))
    return path


def test_the_program_is_called_as_stylegan_v_calls_it(program):
    judge = load_i3d_stylegan_v(program, hash_file(program))
    clips = torch.rand(2, 3, 16, 32, 32)
    features = judge.features(clips)
    np.testing.assert_allclose(features, clips.mean((3, 4)).flatten(1).numpy(), atol=1e-6)


def test_another_program_is_not_run(program, monkeypatch):
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was loaded"))
    with pytest.raises(CheckpointError, match="not the one that StyleGAN-V published"):
        load_i3d_stylegan_v(program)


def test_the_card_states_the_hash_that_the_loader_demands():
    assert JUDGES["i3d-stylegan-v"].sha256 == STYLEGAN_V_SHA256


def test_what_is_no_program_is_refused(tmp_path):
    path = tmp_path / "broken.pt"
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="cannot be read as TorchScript"):
        load_i3d_stylegan_v(path, hash_file(path))
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_i3d_stylegan_v(tmp_path / "absent.pt")
