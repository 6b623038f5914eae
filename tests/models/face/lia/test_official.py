"""The published layout, and a forward pass written from its names alone."""

import argparse
import math

import pytest
import torch
from torch.nn import functional

from facevox.core.errors import CheckpointError, ConfigError
from facevox.models.face.lia.config import paper, small, tiny
from facevox.models.face.lia.discriminator import Discriminator
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.lia.official import (
    load_official,
    load_official_discriminator,
    to_official,
)

CONFIG = tiny()


def filtered(x, taps, up=1, pad=(0, 0)):
    """Insert zeros, pad, and convolve, channel by channel."""
    batch, channels, height, width = x.shape
    spread = x.new_zeros(batch, channels, height * up, width * up)
    spread[..., ::up, ::up] = x
    padded = functional.pad(spread, (*pad, *pad)).flatten(0, 1)[:, None]
    made = functional.conv2d(padded, taps.flip(0, 1)[None, None])
    return made[:, 0].unflatten(0, (batch, channels))


def activated(x, bias):
    return functional.leaky_relu(x + bias, 0.2) * math.sqrt(2)


def convolved(x, weight, stride=1, padding=0):
    scale = 1 / math.sqrt(weight[0].numel())
    return functional.conv2d(x, weight * scale, stride=stride, padding=padding)


def modulated(state, name, x, style, demodulated=True):
    weight = state[f"{name}.weight"]
    _, out, channels, size, _ = weight.shape
    batch = len(x)
    gain = linear(state, f"{name}.modulation", style)
    weight = weight / math.sqrt(channels * size**2) * gain[:, None, :, None, None]
    if demodulated:
        weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    grouped = x.flatten(0, 1)[None]
    if f"{name}.blur.kernel" in state:
        each = weight.transpose(1, 2).flatten(0, 1)
        made = functional.conv_transpose2d(grouped, each, stride=2, groups=batch)
        return filtered(made[0].unflatten(0, (batch, out)), state[f"{name}.blur.kernel"], 1, (1, 1))
    made = functional.conv2d(grouped, weight.flatten(0, 1), padding=size // 2, groups=batch)
    return made[0].unflatten(0, (batch, out))


def linear(state, name, x):
    weight = state[f"{name}.weight"]
    return x @ weight.T / math.sqrt(weight.shape[1]) + state[f"{name}.bias"]


def encoded(state, pictures):
    name = "enc.net_app.convs"
    x = activated(convolved(pictures, state[f"{name}.0.0.weight"]), state[f"{name}.0.1.bias"])
    maps, block = [x], 1
    while f"{name}.{block}.skip.1.weight" in state:
        b = f"{name}.{block}"
        y = convolved(x, state[f"{b}.conv1.0.weight"], padding=1)
        y = filtered(
            activated(y, state[f"{b}.conv1.1.bias"]), state[f"{b}.conv2.0.kernel"], 1, (2, 2)
        )
        y = activated(convolved(y, state[f"{b}.conv2.1.weight"], 2), state[f"{b}.conv2.2.bias"])
        skip = filtered(x, state[f"{b}.skip.0.kernel"], 1, (1, 1))
        x = (y + convolved(skip, state[f"{b}.skip.1.weight"], 2)) / math.sqrt(2)
        maps.append(x)
        block += 1
    return convolved(x, state[f"{name}.{block}.weight"])[..., 0, 0], maps[-2::-1]


def moved(state, feature):
    for index in range(5):
        feature = linear(state, f"enc.fc.{index}", feature)
    q = torch.linalg.qr(state["dec.direction.weight"] + 1e-8)[0]
    return sum(feature[:, i : i + 1] * q[:, i] for i in range(q.shape[1]))


def decoded(state, latent, maps):
    x = state["dec.input.input"].repeat(len(latent), 1, 1, 1)
    x = activated(modulated(state, "dec.conv1.conv", x, latent), state["dec.conv1.activate.bias"])
    raw = colours = None
    for scale, feature in enumerate(maps):
        for index in (2 * scale, 2 * scale + 1):
            x = modulated(state, f"dec.convs.{index}.conv", x, latent)
            x = activated(x, state[f"dec.convs.{index}.activate.bias"])
        flow = f"dec.to_flows.{scale}"
        made = modulated(state, f"{flow}.conv", x, latent, False) + state[f"{flow}.bias"]
        up = state[f"{flow}.upsample.kernel"]
        raw = made if raw is None else made + filtered(raw, up, 2, (2, 1))
        side = x.shape[-1]
        line = torch.linspace(-1, 1, side)
        grid = torch.stack([line.expand(side, side), line[:, None].expand(side, side)], -1)
        where = raw[:, :2].tanh().permute(0, 2, 3, 1) + grid
        mask = raw[:, 2:].sigmoid()
        warped = functional.grid_sample(feature, where, align_corners=False) * mask
        x = warped + x * (1 - mask)
        head = f"dec.to_rgbs.{scale}"
        made = convolved(warped, state[f"{head}.conv.0.weight"])
        made = activated(made, state[f"{head}.conv.1.bias"]) + state[f"{head}.bias"]
        up = state[f"{head}.upsample.kernel"]
        colours = made if colours is None else made + filtered(colours, up, 2, (2, 1))
    return colours


@torch.no_grad()
def test_our_network_is_the_published_one(make, pictures):
    model = make(CONFIG)
    state = to_official(model, CONFIG)
    feature, maps = encoded(state, pictures)
    driver = encoded(state, pictures.flip(0))[0]
    # LIA moves all layers of the source's feature by the driver's motion
    latent = feature + moved(state, driver)
    wanted = decoded(state, latent, maps)
    source = model.read(pictures)
    parts = model.read(pictures.flip(0)).parts
    ours = source.parts.f_id + source.parts.f_m + parts.f_m
    made = model.synthesis(ours[:, None].expand(-1, CONFIG.num_styles, -1), source.maps).picture
    assert wanted.std() > 0.1
    torch.testing.assert_close(made, wanted, atol=1e-4, rtol=0)


@pytest.fixture
def published(make, tmp_path):
    """A file with all that a published one holds."""
    model = make(CONFIG)
    discriminator = Discriminator(CONFIG)

    def write(change=None):
        parts = {
            "gen": to_official(model, CONFIG),
            "dis": to_official(discriminator, CONFIG),
            "g_optim": {"state": {0: {"step": 3}}, "param_groups": [{"lr": 0.1}]},
            "d_optim": {"state": {}, "param_groups": []},
            "args": argparse.Namespace(size=32, lr=0.002),
        }
        if change:
            change(parts)
        path = tmp_path / "vox.pt"
        torch.save(parts, path)
        return path

    write.model, write.discriminator = model, discriminator
    return write


def test_a_file_gives_the_same_networks(published):
    path = published()
    for network, wanted in (
        (load_official(path, CONFIG), published.model),
        (load_official_discriminator(path, CONFIG), published.discriminator),
    ):
        for (name, weight), (other, same) in zip(
            network.state_dict().items(), wanted.state_dict().items(), strict=True
        ):
            assert name == other
            assert torch.equal(weight, same)
        assert not network.training


def change_gen(change):
    return lambda parts: change(parts["gen"])


def drop_six(gen):
    for index in range(6):
        del gen[f"dec.convs.{index}.noise.weight"]


FAULTS = {
    "missing dec.direction.weight": change_gen(lambda g: g.pop("dec.direction.weight")),
    "missing dec.to_rgb1.bias": change_gen(lambda g: g.pop("dec.to_rgb1.bias")),
    "unknown dec.more": change_gen(lambda g: g.update({"dec.more": torch.zeros(1)})),
    r"dec.input.input is \[1, 8, 2, 2\], expected \[1, 8, 4, 4\]": change_gen(
        lambda g: g.update({"dec.input.input": torch.zeros(1, 8, 2, 2)})
    ),
    r"enc.fc.0.bias holds values that are not numbers": change_gen(
        lambda g: g["enc.fc.0.bias"].fill_(float("nan"))
    ),
    r"not the filter \[1, 3, 3, 1\]: dec.convs.2.conv.blur.kernel": change_gen(
        lambda g: g["dec.convs.2.conv.blur.kernel"].mul_(1.01)
    ),
    "dec.convs.4.noise.weight and 1 more": change_gen(drop_six),
    "holds no network 'gen'; it holds: dis": lambda parts: parts.pop("gen"),
}


@pytest.mark.parametrize("message", FAULTS)
def test_faults_are_named(published, message):
    path = published(FAULTS[message])
    with pytest.raises(CheckpointError, match=message):
        load_official(path, CONFIG)


def test_truncated_and_absent_files(published, tmp_path):
    path = published()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_official(path, CONFIG)
    with pytest.raises(CheckpointError, match="There are no weights"):
        load_official(tmp_path / "none.pt", CONFIG)


def test_other_sizes_do_not_fit(published):
    with pytest.raises(CheckpointError, match="more"):
        load_official(published())


def test_networks_of_our_own_form_have_no_published_layout():
    with pytest.raises(ConfigError, match="content 'warped'"):
        to_official(FaceGenerator(CONFIG.model_copy(update={"pixel_skip": True})), small())


@pytest.mark.parametrize(("size", "scales"), [(256, 6), (512, 7)])
def test_published_names_and_shapes(size, scales):
    with torch.device("meta"):
        model, discriminator = FaceGenerator(paper(size)), Discriminator(paper(size))
    state = {name: tuple(w.shape) for name, w in to_official(model, paper(size)).items()}
    first = paper(size).channels[size]
    known = {
        "enc.net_app.convs.0.0.weight": (first, 3, 1, 1),
        "enc.net_app.convs.0.1.bias": (1, first, 1, 1),
        "enc.net_app.convs.1.conv1.0.weight": (first, first, 3, 3),
        "enc.net_app.convs.1.conv2.0.kernel": (4, 4),
        "enc.net_app.convs.1.conv2.1.weight": (2 * first, first, 3, 3),
        "enc.net_app.convs.1.skip.1.weight": (2 * first, first, 1, 1),
        f"enc.net_app.convs.{scales + 1}.weight": (512, 512, 4, 4),
        "enc.fc.4.weight": (20, 512),
        "dec.direction.weight": (512, 20),
        "dec.conv1.conv.weight": (1, 512, 512, 3, 3),
        "dec.conv1.noise.weight": (1,),
        "dec.to_rgb1.conv.0.weight": (3, 512, 1, 1),
        f"dec.convs.{2 * scales - 2}.conv.blur.kernel": (4, 4),
        f"dec.convs.{2 * scales - 1}.conv.weight": (1, first, first, 3, 3),
        f"dec.to_rgbs.{scales - 1}.conv.0.weight": (3, first, 1, 1),
        f"dec.to_flows.{scales - 1}.conv.weight": (1, 3, first, 1, 1),
        f"dec.to_flows.{scales - 1}.conv.modulation.weight": (first, 512),
    }
    assert known.items() <= state.items()
    # stem 2, head 1, motion 10 + 1, constant 1, first 5, unused colours 3; at each scale a block
    # of 7, two convolutions of 5 with one filter, flows 5, colours 4
    assert len(state) == 23 + 27 * scales
    assert "dec.convs.1.conv.blur.kernel" not in state
    dis = to_official(discriminator, paper(size))
    assert dis["final_conv.0.weight"].shape == (512, 513, 3, 3)
    assert dis["final_linear.0.weight"].shape == (512, 8192)
