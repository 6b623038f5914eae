import numpy as np
import pytest
import torch

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.curricularface import CurricularFace, load_curricularface, tiny


def batch_norm(name: str, channels: int, affine: bool = True) -> dict[str, tuple[int, ...]]:
    learnt = {f"{name}.weight": (channels,), f"{name}.bias": (channels,)} if affine else {}
    counted = {f"{name}.running_mean": (channels,), f"{name}.running_var": (channels,)}
    return learnt | counted | {f"{name}.num_batches_tracked": ()}


def official_layout() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the authors' IR-101, written down from its published definition."""
    layout = {"input_layer.0.weight": (64, 3, 3, 3)}
    layout |= batch_norm("input_layer.1", 64) | {"input_layer.2.weight": (64,)}
    number, before = 0, 64
    for channels, count in ((64, 3), (128, 13), (256, 30), (512, 3)):
        for _ in range(count):
            unit = f"body.{number}"
            if before != channels:
                layout[f"{unit}.shortcut_layer.0.weight"] = (channels, before, 1, 1)
                layout |= batch_norm(f"{unit}.shortcut_layer.1", channels)
            layout |= batch_norm(f"{unit}.res_layer.0", before)
            layout[f"{unit}.res_layer.1.weight"] = (channels, before, 3, 3)
            layout[f"{unit}.res_layer.2.weight"] = (channels,)
            layout[f"{unit}.res_layer.3.weight"] = (channels, channels, 3, 3)
            layout |= batch_norm(f"{unit}.res_layer.4", channels)
            number, before = number + 1, channels
    layout |= batch_norm("output_layer.0", 512)
    layout |= {"output_layer.3.weight": (512, 25088), "output_layer.3.bias": (512,)}
    return layout | batch_norm("output_layer.4", 512, affine=False)


def constants(layout: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """A small file of the official size: every tensor repeats one number of its own."""
    values = torch.rand(len(layout), generator=torch.Generator().manual_seed(0)) + 0.5
    return {
        name: torch.tensor(7)
        if name.endswith("tracked")
        else values[k : k + 1].clone().expand(shape)
        for k, (name, shape) in enumerate(layout.items())
    }


def test_official_layout_goes_in_and_comes_out(tmp_path):
    state = constants(official_layout())
    torch.save(state, tmp_path / "CurricularFace_Backbone.pth")
    network = load_curricularface(tmp_path / "CurricularFace_Backbone.pth")
    loaded = network.state_dict()
    assert list(loaded) == list(state)
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    assert not network.training
    assert sum(p.numel() for p in network.parameters()) == 65_128_768


@pytest.mark.parametrize("fault", ["missing", "unknown", "expected"])
def test_another_layout_is_refused_by_name(tmp_path, fault):
    state = constants(official_layout())
    if fault == "missing":
        del state["body.7.res_layer.3.weight"]
    elif fault == "unknown":
        state["body.49.res_layer.3.weight"] = torch.zeros(1)
    else:
        state["body.7.res_layer.3.weight"] = torch.zeros(3)
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=r"body\.\d+\.res_layer\.3\.weight") as caught:
        load_curricularface(tmp_path / "net.pth")
    assert fault in str(caught.value)


def test_the_official_network_ends_in_512_numbers():
    with torch.device("meta"):
        network = CurricularFace().eval()
        assert network(torch.empty(2, 3, 112, 112)).shape == (2, 512)


def test_embeddings_are_unit_vectors_and_do_not_depend_on_the_batch():
    torch.manual_seed(0)
    network = tiny()
    faces = np.random.default_rng(0).integers(0, 256, (20, 112, 112, 3), np.uint8)
    embeddings = network.embed(faces)
    assert embeddings.shape == (20, 16)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(network.embed(faces[17:18])[0], embeddings[17], atol=1e-5)


def test_black_is_minus_one_and_white_is_one():
    seen = []

    class Probe(CurricularFace):
        def forward(self, x):
            seen.append(x)
            return x.mean((2, 3))

    picture = np.zeros((1, 112, 112, 3), np.uint8)
    picture[..., 0] = 255
    Probe((1, 1, 1, 1), 2, 3).embed(picture)
    red, green, blue = seen[0][0].mean((1, 2))
    assert (red, green, blue) == (1, -1, -1)
