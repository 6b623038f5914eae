import pytest
import torch

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.vgg19 import UNUSED, Vgg19, load_vgg19, perceptual_distance, tiny

PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)
"""Convolutions of torchvision's `features` up to relu5_1."""


def published():
    """The layout of the file, with zeros of one row where tensors are left aside."""
    state = Vgg19().state_dict()
    assert {name for name in state if name.endswith("weight")} == {
        f"features.{place}.weight" for place in PLACES
    }
    return state | {name: torch.zeros(1) for name in UNUSED}


def test_the_published_layout_loads(tmp_path):
    torch.save(published(), tmp_path / "vgg19-dcbb9e9d.pth")
    network = load_vgg19(tmp_path / "vgg19-dcbb9e9d.pth")
    assert sum(p.numel() for p in network.parameters()) == 12_944_960
    assert not any(p.requires_grad for p in network.parameters())
    shapes = [tuple(m.shape[1:]) for m in network(torch.zeros(1, 3, 32, 32))]
    assert shapes == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)]


@pytest.mark.parametrize("name", ["features.28.bias", "features.36.weight"])
def test_other_layouts_are_refused_by_name(tmp_path, name):
    state = published()
    if name in state:
        del state[name]
    else:
        state[name] = torch.zeros(1)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        load_vgg19(tmp_path / "other.pth")


def test_the_distance_is_zero_for_the_same_and_teaches_the_made_picture():
    network = tiny()
    generator = torch.Generator().manual_seed(0)
    real = torch.rand(2, 3, 32, 32, generator=generator) * 2 - 1
    made = torch.rand(2, 3, 32, 32, generator=generator).requires_grad_()
    assert float(perceptual_distance(network, real, real, 2)) == 0.0
    distance = perceptual_distance(network, made, real)
    distance.backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0
    assert perceptual_distance(network, made, real, 2) > distance


def test_pictures_are_normalised_as_torchvision_does():
    network = tiny()
    seen = []
    network.features[0].register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    network(torch.ones(1, 3, 32, 32))
    assert torch.allclose(seen[0][0, :, 0, 0], torch.tensor([2.2489, 2.4286, 2.6400]), atol=1e-4)
