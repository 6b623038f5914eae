import pytest
import torch

from facevox.core.checkpoint import load_module, save_checkpoint
from facevox.core.errors import CheckpointError, InputError
from facevox.models.speech.vocoders import hifigan
from facevox.models.speech.vocoders.hifigan import HifiGan, HifiGanConfig, ResidualBlock
from facevox.models.speech.vocoders.vocoder import Vocoder


def rule(channels, rates, kernels, blocks, paired):
    """Keys and shapes of the published `generator` files, from their description."""
    shapes = {}

    def layer(name, rows, columns, kernel, bias):
        shapes[f"{name}.weight_g"] = (rows, 1, 1)
        shapes[f"{name}.weight_v"] = (rows, columns, kernel)
        shapes[f"{name}.bias"] = (bias,)

    layer("conv_pre", channels, 80, 7, channels)
    for i, kernel in enumerate(kernels):
        # the first axis of a transposed convolution is its input
        layer(f"ups.{i}", channels, channels // 2, kernel, channels // 2)
        channels //= 2
        for j, (size, dilations) in enumerate(blocks):
            for d in range(len(dilations)):
                for part in ("convs1", "convs2") if paired else ("convs",):
                    name = f"resblocks.{len(blocks) * i + j}.{part}.{d}"
                    layer(name, channels, channels, size, channels)
    layer("conv_post", 1, channels, 7, 1)
    return shapes


V1_BLOCKS = [(3, (1, 3, 5)), (7, (1, 3, 5)), (11, (1, 3, 5))]
V3_BLOCKS = [(3, (1, 2)), (5, (2, 6)), (7, (3, 12))]


@pytest.mark.parametrize(
    ("config", "arguments", "millions"),
    [
        (hifigan.paper(), (512, (8, 8, 2, 2), (16, 16, 4, 4), V1_BLOCKS, True), 13.9),
        (hifigan.paper_v2(), (128, (8, 8, 2, 2), (16, 16, 4, 4), V1_BLOCKS, True), 0.92),
        (hifigan.paper_v3(), (256, (8, 8, 4), (16, 16, 8), V3_BLOCKS, False), 1.46),
    ],
)
def test_layout_of_the_published_checkpoints(config, arguments, millions):
    with torch.device("meta"):
        vocoder = HifiGan(config)
    shapes = {name: tuple(value.shape) for name, value in vocoder.state_dict().items()}
    assert shapes == rule(*arguments)
    vocoder.to_empty(device="cpu").remove_weight_norm()
    count = sum(parameter.numel() for parameter in vocoder.parameters()) / 1e6
    assert count == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize("config", [hifigan.tiny(), hifigan.small()])
def test_a_second_is_16000_samples(config):
    vocoder = HifiGan(config)
    assert isinstance(vocoder, Vocoder)
    assert vocoder.hop_length == 160
    with torch.no_grad():
        sound = vocoder(torch.randn(1, 80, 100))
    assert sound.shape == (1, 16_000)
    assert float(sound.abs().max()) <= 1


def test_rates_of_all_presets():
    hops = [c.hop_length for c in (hifigan.paper(), hifigan.paper_v3(), hifigan.wideband())]
    assert hops == [256, 256, 160]


@pytest.mark.parametrize(("kernel", "lost"), [(3, 24), (7, 72), (11, 120)])
def test_reach_of_a_residual_block(kernel, lost):
    block = ResidualBlock(2, kernel, (1, 3, 5)).double()
    for parameter in block.parameters():
        parameter.data.uniform_(0.1, 1.0)
    x = torch.ones(1, 2, 301, dtype=torch.float64, requires_grad=True)
    block(x)[0, 0, 150].backward()
    touched = torch.nonzero(x.grad[0].abs().sum(0)).flatten()
    assert int(touched.max() - touched.min()) == lost


def test_receptive_field_is_what_it_says():
    vocoder = HifiGan(hifigan.tiny()).double()
    for parameter in vocoder.parameters():
        parameter.data.uniform_(0.05, 0.1)
    mel = torch.zeros(1, 80, 61, dtype=torch.float64)
    changed = mel.clone()
    changed[:, :, 30] = 1e-3
    with torch.no_grad():
        away = (vocoder(changed) - vocoder(mel)).abs().view(61, 160).amax(1)
    touched = torch.nonzero(away).flatten()
    assert 30 - int(touched.min()) == vocoder.receptive_field
    assert int(touched.max()) - 30 <= vocoder.receptive_field


def test_folded_is_unfolded():
    torch.manual_seed(0)
    vocoder = HifiGan(hifigan.small())
    for name, parameter in vocoder.named_parameters():
        if name.endswith("weight_g"):
            parameter.data.mul_(2.0)
    mel = torch.randn(1, 80, 40)
    with torch.no_grad():
        before = vocoder(mel)
        vocoder.remove_weight_norm()
        after = vocoder(mel)
    assert not any("weight_" in name for name in vocoder.state_dict())
    torch.testing.assert_close(after, before, rtol=0, atol=1e-5)


def test_loads_strictly(tmp_path):
    vocoder = HifiGan(hifigan.tiny())
    path = save_checkpoint(tmp_path / "v.safetensors", vocoder.state_dict(), {})
    other = HifiGan(hifigan.tiny())
    load_module(other, path)
    mel = torch.randn(1, 80, 20)
    with torch.no_grad():
        assert torch.equal(other(mel), vocoder(mel))
    other.remove_weight_norm()
    with pytest.raises(CheckpointError, match=r"missing conv_post\.weight"):
        load_module(other, path)


def test_gradients_reach_every_parameter():
    torch.manual_seed(0)
    vocoder = HifiGan(hifigan.tiny())
    vocoder(torch.randn(2, 80, 20)).square().sum().backward()
    for name, parameter in vocoder.named_parameters():
        assert float(parameter.grad.abs().max()) > 0, name


@pytest.mark.parametrize(
    "change",
    [
        {"rates": (5, 4, 4)},
        {"kernels": (10, 8, 8, 4)},
        {"block_dilations": ((1, 3, 5),)},
        {"channels": 24},
        {"heads": 2},
    ],
)
def test_sizes_that_cannot_be_are_refused(change):
    with pytest.raises(ValueError):
        HifiGanConfig(**change)


def test_bad_input_is_told():
    vocoder = HifiGan(hifigan.tiny())
    with pytest.raises(InputError, match="80 mel bands, but got 64"):
        vocoder(torch.zeros(1, 64, 5))
    with pytest.raises(InputError, match="one value for each frame"):
        vocoder(torch.zeros(1, 80, 5), torch.zeros(1, 4))
