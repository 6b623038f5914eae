import pytest
import torch

from facevox.core.errors import CheckpointError, InputError
from facevox.evaluation.judges.lpips import (
    load_alexnet,
    load_lpips_heads,
    lpips_distance,
    tiny,
)

CONVOLUTIONS = {
    0: (64, 3, 11, 11),
    3: (192, 64, 5, 5),
    6: (384, 192, 3, 3),
    8: (256, 384, 3, 3),
    10: (256, 256, 3, 3),
}
CLASSIFIER = {1: (4096, 9216), 4: (4096, 4096), 6: (1000, 4096)}


@pytest.fixture(scope="module")
def alexnet():
    generator = torch.Generator().manual_seed(0)
    state = {}
    for place, shape in CONVOLUTIONS.items():
        fan_in = shape[1] * shape[2] * shape[3]
        state[f"features.{place}.weight"] = torch.randn(shape, generator=generator) * fan_in**-0.5
        state[f"features.{place}.bias"] = torch.zeros(shape[0])
    return state


@pytest.fixture(scope="module")
def heads():
    return {
        f"lin{k}.model.1.weight": torch.rand(1, c, 1, 1)
        for k, c in enumerate((64, 192, 384, 256, 256))
    }


def with_classifier(state):
    """The six tensors that are left aside, with the published shapes but one row each."""
    for place, (_, inputs) in CLASSIFIER.items():
        state = state | {
            f"classifier.{place}.weight": torch.zeros(1, inputs),
            f"classifier.{place}.bias": torch.zeros(1),
        }
    return state


def save(state, path):
    torch.save(state, path)
    return path


def test_published_layouts_load(alexnet, heads, tmp_path):
    backbone = load_alexnet(save(with_classifier(alexnet), tmp_path / "alexnet.pth"))
    assert set(backbone.state_dict()) == set(alexnet)
    assert all(torch.equal(backbone.state_dict()[k], v) for k, v in alexnet.items())
    assert sum(p.numel() for p in backbone.parameters()) == 2_469_696
    top = load_lpips_heads(save(heads, tmp_path / "alex.pth"))
    assert all(torch.equal(top.state_dict()[k], v) for k, v in heads.items())
    assert sum(p.numel() for p in top.parameters()) == 1152
    x, y = torch.rand(2, 2, 3, 64, 64) * 2 - 1
    assert lpips_distance(backbone, top, x, y).shape == (2,)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"features.8.bias": None}, "missing features.8.bias"),
        ({"features.12.weight": torch.zeros(1)}, "unknown features.12.weight"),
        ({"classifier.2.weight": torch.zeros(1)}, "unknown classifier.2.weight"),
        (
            {"features.0.weight": torch.zeros(96, 3, 11, 11)},
            r"features.0.weight is \[96, 3, 11, 11\]",
        ),
    ],
)
def test_other_backbones_are_refused_by_name(alexnet, tmp_path, change, named):
    state = {k: v for k, v in (alexnet | change).items() if v is not None}
    with pytest.raises(CheckpointError, match=named):
        load_alexnet(save(state, tmp_path / "other.pth"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lin4.model.1.weight": None}, "missing lin4.model.1.weight"),
        ({"lin5.model.1.weight": torch.zeros(1, 256, 1, 1)}, "unknown lin5.model.1.weight"),
        (
            {"lin0.model.1.weight": torch.zeros(1, 63, 1, 1)},
            r"lin0.model.1.weight is \[1, 63, 1, 1\]",
        ),
    ],
)
def test_other_heads_are_refused_by_name(heads, tmp_path, change, named):
    state = {k: v for k, v in (heads | change).items() if v is not None}
    with pytest.raises(CheckpointError, match=named):
        load_lpips_heads(save(state, tmp_path / "other.pth"))


def test_equal_pictures_are_at_no_distance_and_noise_is_further_the_stronger_it_is():
    backbone, top = tiny()
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(2, 3, 64, 80, generator=generator) * 2 - 1
    noise = torch.randn(x.shape, generator=generator)
    assert torch.equal(lpips_distance(backbone, top, x, x), torch.zeros(2))
    distances = [lpips_distance(backbone, top, x, x + s * noise) for s in (0.01, 0.1, 0.5)]
    assert (distances[0] > 0).all()
    assert (distances[0] < distances[1]).all()
    assert (distances[1] < distances[2]).all()
    y = x.flip(3)
    torch.testing.assert_close(
        lpips_distance(backbone, top, x, y), lpips_distance(backbone, top, y, x)
    )


def test_the_formula_by_hand():
    """Unit length over channels, squared difference, weights, mean over places, sum over maps."""
    backbone, top = tiny()
    x, y = torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(2)) * 2 - 1
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(3, 1, 1)
    total = 0.0
    maps = zip(backbone((x - shift) / scale), backbone((y - shift) / scale), strict=True)
    for k, (a, b) in enumerate(maps):
        a, b = (m / (m.square().sum(1, keepdim=True).sqrt() + 1e-10) for m in (a, b))
        weight = top.state_dict()[f"lin{k}.model.1.weight"].flatten()
        total += float(((a - b).square()[0] * weight[:, None, None]).sum(0).mean())
    assert float(lpips_distance(backbone, top, x, y)) == pytest.approx(total, rel=1e-5)


def test_small_pictures_are_refused():
    backbone, top = tiny()
    x = torch.zeros(1, 3, 40, 80)
    with pytest.raises(InputError, match="at least 64 px, got 80 x 40"):
        lpips_distance(backbone, top, x, x)
