import numpy as np
import pytest
import torch

from facevox.core.errors import CheckpointError, InputError
from facevox.evaluation.judges.checkpoint_file import load_strictly
from facevox.evaluation.judges.syncnet import SyncNet, SyncNetConfig, load_syncnet, tiny

SOUND = {0: (64, 1, 3, 3), 4: (192, 64, 3, 3), 8: (384, 192, 3, 3), 11: (256, 384, 3, 3),
         14: (256, 256, 3, 3), 18: (512, 256, 5, 4)}  # fmt: skip
PICTURE = {0: (96, 3, 5, 7, 7), 4: (256, 96, 1, 5, 5), 8: (256, 256, 1, 3, 3),
           11: (256, 256, 1, 3, 3), 14: (256, 256, 1, 3, 3), 18: (512, 256, 1, 6, 6)}  # fmt: skip
HEAD = {0: (512, 512), 3: (1024, 512)}
STREAMS = {"netcnnaud": SOUND, "netfcaud": HEAD, "netfclip": HEAD, "netcnnlip": PICTURE}

PUBLISHED_BYTES = 54_573_114
"""Size of syncnet_v2.model: its numbers and some kilobytes of names."""


def official_layout(counters: bool = True) -> dict[str, torch.Tensor]:
    """Random tensors under the names and shapes of syncnet_v2.model."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for stream, layers in STREAMS.items():
        for index, shape in layers.items():
            fan_in = int(np.prod(shape[1:]))
            state[f"{stream}.{index}.weight"] = (
                torch.randn(shape, generator=generator) / fan_in**0.5
            )
            state[f"{stream}.{index}.bias"] = torch.randn(shape[0], generator=generator) * 0.01
            if stream.startswith("netfc") and index == 3:
                continue
            for name in ("weight", "bias", "running_mean", "running_var"):
                value = torch.rand(shape[0], generator=generator) * 0.1
                state[f"{stream}.{index + 1}.{name}"] = value + name.endswith(("weight", "var"))
            if counters:
                state[f"{stream}.{index + 1}.num_batches_tracked"] = torch.tensor(7)
    return state


@pytest.fixture(scope="module")
def small() -> SyncNet:
    torch.manual_seed(1)
    return SyncNet(tiny()).eval().requires_grad_(False)


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 224, 224, 3), np.uint8)


def cepstra(steps: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(steps, 13))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("counters", [True, False])
def test_the_published_layout_loads(tmp_path, counters, zipped):
    state = official_layout(counters)
    path = tmp_path / "syncnet_v2.model"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    network = load_syncnet(path)
    assert not network.training
    kept = network.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in state.items())


def test_has_as_many_numbers_as_the_published_file():
    numbers = [v.numel() for v in SyncNet().state_dict().values() if v.is_floating_point()]
    assert sum(numbers) == 13_640_256
    assert 0 < PUBLISHED_BYTES - 4 * sum(numbers) < 20_000


@pytest.mark.parametrize("fault", ["missing", "unknown", "shape"])
def test_a_file_that_does_not_fit_is_refused(tmp_path, fault):
    state = official_layout()
    name = "netcnnlip.18.weight"
    if fault == "missing":
        del state[name]
    elif fault == "unknown":
        state[name := "netcnnlip.21.weight"] = torch.zeros(1)
    else:
        state[name] = state[name][:, :, 0]
    torch.save(state, tmp_path / "s.model")
    with pytest.raises(CheckpointError, match=name):
        load_syncnet(tmp_path / "s.model")


def test_tiny_is_the_same_topology(small):
    full = SyncNet(SyncNetConfig()).state_dict()
    assert list(small.state_dict()) == list(full)
    again = SyncNet(tiny())
    load_strictly(again, small.state_dict(), "tiny")
    assert np.array_equal(again.embed_audio(cepstra(40)), small.embed_audio(cepstra(40)))


def test_one_row_per_window(small):
    assert small.embed_video(iter(pictures(9))).shape == (5, 16)
    assert small.embed_audio(cepstra(20)).shape == (1, 16)
    assert small.embed_audio(cepstra(35)).shape == (4, 16)


def test_windows_do_not_depend_on_what_is_around_them(small):
    frames = pictures(24)
    rows = small.embed_video(iter(frames))
    for index in (0, 11, 12, 13, 19):
        alone = small.embed_video(iter(frames[index : index + 5]))
        np.testing.assert_allclose(rows[index], alone[0], rtol=1e-4, atol=1e-5)
    steps = cepstra(120)
    heard = small.embed_audio(steps)
    for index in (0, 7, 25):
        alone = small.embed_audio(steps[4 * index : 4 * index + 20])
        np.testing.assert_allclose(heard[index], alone[0], rtol=1e-4, atol=1e-5)


def test_network_sees_blue_first(small):
    frames = pictures(5)
    window = torch.from_numpy(frames[..., ::-1].transpose(3, 0, 1, 2).astype(np.float32))
    np.testing.assert_allclose(small.embed_video(iter(frames)), small.forward_video(window).numpy())


def test_too_little_is_refused(small):
    with pytest.raises(InputError, match="5 frames"):
        small.embed_video(iter(pictures(4)))
    with pytest.raises(InputError, match=r"0\.2 s"):
        small.embed_audio(cepstra(19))
