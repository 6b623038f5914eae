"""The published layouts, written down by rule from the paper's sizes and not from our modules."""

import functools
import sys
import types

import pytest
import torch

from facevox.core.errors import CheckpointError, InputError
from facevox.core.state_dict import load_strictly
from facevox.models.speech.matcha.config import paper, paper_multi
from facevox.models.speech.matcha.matcha import MatchaTTS, MatchaVoice
from facevox.models.speech.matcha.official import load_official


def conv(name, out, into, kernel):
    return {f"{name}.weight": (out, into, kernel), f"{name}.bias": (out,)}


def linear(name, out, into):
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def glow_norm(name, channels):
    return {f"{name}.gamma": (channels,), f"{name}.beta": (channels,)}


def torch_norm(name, channels):
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}


def encoder_layout(width):
    """Symbols 178, 192 channels before the speaker, `width` after; 6 layers, filter 768."""
    keys = {"encoder.emb.weight": (178, 192)}
    for i in range(3):
        keys |= conv(f"encoder.prenet.conv_layers.{i}", 192, 192, 5)
        keys |= glow_norm(f"encoder.prenet.norm_layers.{i}", 192)
    keys |= conv("encoder.prenet.proj", 192, 192, 1)
    for i in range(6):
        for part in "qkvo":
            keys |= conv(f"encoder.encoder.attn_layers.{i}.conv_{part}", width, width, 1)
        keys |= glow_norm(f"encoder.encoder.norm_layers_1.{i}", width)
        keys |= conv(f"encoder.encoder.ffn_layers.{i}.conv_1", 768, width, 3)
        keys |= conv(f"encoder.encoder.ffn_layers.{i}.conv_2", width, 768, 3)
        keys |= glow_norm(f"encoder.encoder.norm_layers_2.{i}", width)
    keys |= conv("encoder.proj_m", 80, width, 1)
    keys |= conv("encoder.proj_w.conv_1", 256, width, 3) | glow_norm("encoder.proj_w.norm_1", 256)
    keys |= conv("encoder.proj_w.conv_2", 256, 256, 3) | glow_norm("encoder.proj_w.norm_2", 256)
    return keys | conv("encoder.proj_w.proj", 1, 256, 1)


def resnet(name, into):
    keys = linear(f"{name}.mlp.1", 256, 1024) | conv(f"{name}.res_conv", 256, into, 1)
    for block, channels in (("block1", into), ("block2", 256)):
        keys |= conv(f"{name}.{block}.block.0", 256, channels, 3)
        keys |= torch_norm(f"{name}.{block}.block.1", 256)
    return keys


def transformer(name):
    keys = torch_norm(f"{name}.norm1", 256) | torch_norm(f"{name}.norm3", 256)
    keys |= {f"{name}.attn1.to_{part}.weight": (128, 256) for part in "qkv"}
    keys |= linear(f"{name}.attn1.to_out.0", 256, 128)
    keys |= linear(f"{name}.ff.net.0.proj", 1024, 256) | linear(f"{name}.ff.net.2", 256, 1024)
    return keys | {f"{name}.ff.net.0.alpha": (1024,), f"{name}.ff.net.0.beta": (1024,)}


def decoder_layout(into):
    base = "decoder.estimator"
    keys = linear(f"{base}.time_mlp.linear_1", 1024, into)
    keys |= linear(f"{base}.time_mlp.linear_2", 1024, 1024)
    blocks = {"down_blocks.0": into, "down_blocks.1": 256, "mid_blocks.0": 256}
    blocks |= {"mid_blocks.1": 256, "up_blocks.0": 512, "up_blocks.1": 512}
    for name, channels in blocks.items():
        keys |= resnet(f"{base}.{name}.0", channels) | transformer(f"{base}.{name}.1.0")
    keys |= conv(f"{base}.down_blocks.0.2.conv", 256, 256, 3)
    keys |= conv(f"{base}.down_blocks.1.2", 256, 256, 3)
    keys |= conv(f"{base}.up_blocks.0.2.conv", 256, 256, 4)
    keys |= conv(f"{base}.up_blocks.1.2", 256, 256, 3)
    keys |= conv(f"{base}.final_block.block.0", 256, 256, 3)
    keys |= torch_norm(f"{base}.final_block.block.1", 256)
    return keys | conv(f"{base}.final_proj", 80, 256, 1)


def layout(speakers):
    extra = 64 if speakers > 1 else 0
    keys = {"mel_mean": (), "mel_std": ()} | ({"spk_emb.weight": (speakers, 64)} if extra else {})
    return keys | encoder_layout(192 + extra) | decoder_layout(160 + extra)


def random_state(speakers):
    source = torch.Generator().manual_seed(0)
    return {
        name: 0.02 * torch.randn(shape, generator=source)
        for name, shape in layout(speakers).items()
    }


class Settings:
    """What Lightning keeps beside the weights, of a class that is not there when loading."""


class AttributeDict(dict):
    """Lightning's."""


@pytest.fixture
def lightning_file(tmp_path, monkeypatch):
    """Write a file as Lightning does, with objects of a package that is then gone."""
    gone = types.ModuleType("gone_package")
    for kind in (Settings, AttributeDict):
        monkeypatch.setattr(kind, "__module__", "gone_package")
        setattr(gone, kind.__name__, kind)

    def write(state):
        sys.modules["gone_package"] = gone
        try:
            content = {
                "epoch": 3,
                "state_dict": state,
                "hyper_parameters": AttributeDict(
                    encoder=Settings(), optimizer=functools.partial(torch.optim.Adam, lr=1e-4)
                ),
            }
            torch.save(content, tmp_path / "matcha.ckpt")
        finally:
            del sys.modules["gone_package"]
        return tmp_path / "matcha.ckpt"

    return write


@pytest.fixture(scope="module")
def single():
    return MatchaTTS(paper())


@pytest.mark.parametrize(("speakers", "config"), [(1, paper()), (109, paper_multi())])
def test_keys_and_shapes_are_the_published_ones(speakers, config):
    ours = {name: tuple(v.shape) for name, v in MatchaTTS(config).state_dict().items()}
    assert ours == layout(speakers)


def test_the_single_speaker_model_has_18_2_million_parameters(single):
    count = sum(p.numel() for p in single.parameters())
    assert count / 1e6 == pytest.approx(18.2, abs=0.05)


@pytest.mark.parametrize("speakers", [1, 109])
def test_a_lightning_file_loads_bit_by_bit_and_speaks(lightning_file, speakers):
    state = random_state(speakers)
    state["mel_mean"], state["mel_std"] = torch.tensor(-6.0), torch.tensor(2.0)
    model = load_official(lightning_file(state))
    loaded = model.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    voice = MatchaVoice(speaker_ids=torch.tensor([7, 100])) if speakers > 1 else None
    ids = torch.randint(0, 178, (2, 7), generator=torch.Generator().manual_seed(1))
    mel, plan = model.synthesise(ids, torch.tensor([7, 5]), [0, 1], voice=voice, steps=2)
    assert mel.shape == (2, 80, int(plan.mel_lengths.max()))
    assert plan.mu.shape == (2, 7, 80)
    assert plan.hidden.shape == (2, 7, 256 if speakers > 1 else 192)
    assert torch.isfinite(mel).all()
    if speakers > 1:
        with pytest.raises(InputError, match="Speakers are 0 to 108"):
            model.condition(MatchaVoice(speaker_ids=torch.tensor([109])))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s.pop("encoder.proj_m.bias"), "missing encoder.proj_m.bias"),
        (lambda s: s.update({"vocoder.bias": torch.zeros(1)}), "unknown vocoder.bias"),
        (
            lambda s: s.update({"encoder.emb.weight": torch.zeros(148, 192)}),
            r"encoder.emb.weight is \[148, 192\], expected \[178, 192\]",
        ),
        (lambda s: s["mel_std"].fill_(torch.nan), "mel_std holds values that are not numbers"),
    ],
)
def test_any_other_layout_is_refused(single, change, told):
    state = random_state(1)
    change(state)
    with pytest.raises(CheckpointError, match=told):
        load_strictly(single, state, "matcha.ckpt")


def test_a_file_of_another_network_is_refused(lightning_file):
    with pytest.raises(CheckpointError, match=r"matcha.ckpt does not fit: missing mel_mean.* more"):
        load_official(lightning_file({"generator.weight": torch.zeros(2)}))
