"""The published network once more, as plain functions of a state dict, against ours.

Written channels first with torch's own convolutions and norms, as the specification says it.
"""

import math

import pytest
import torch
from torch.nn import functional

from facevox.models.speech.matcha.config import paper, paper_multi
from facevox.models.speech.matcha.matcha import MatchaTTS


class State:
    """A state dict seen from a prefix."""

    def __init__(self, tensors, prefix=""):
        self.tensors, self.prefix = tensors, prefix

    def __truediv__(self, name):
        return State(self.tensors, f"{self.prefix}{name}.")

    def __getitem__(self, name):
        return self.tensors[self.prefix + name]

    def conv(self, x, **options):
        return functional.conv1d(x, self["weight"], self["bias"], **options)

    def linear(self, x):
        return functional.linear(x, self["weight"], self.tensors.get(f"{self.prefix}bias"))


def glow_norm(s, x):
    mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, unbiased=False)
    normed = (x - mean) / torch.sqrt(variance + 1e-4)
    return normed * s["gamma"][:, None] + s["beta"][:, None]


def rotary(x):
    """Rotate the first half of (batch, heads, time, dim), i with i + quarter."""
    half = x.shape[-1] // 2
    theta = 10_000.0 ** (-torch.arange(0, half, 2).double() / half)
    phase = torch.polar(torch.ones(1).double(), torch.arange(x.shape[2])[:, None] * theta)
    pairs = torch.complex(*x[..., :half].double().chunk(2, -1)) * phase
    return torch.cat([pairs.real.to(x), pairs.imag.to(x), x[..., half:]], -1)


def encoder(s, ids, mask, spoken):
    m = mask[:, None].float()
    x = (functional.embedding(ids, (s / "emb")["weight"]) * math.sqrt(192)).transpose(1, 2)
    y = x
    for i in range(3):
        y = (s / f"prenet.conv_layers.{i}").conv(y * m, padding=2)
        y = torch.relu(glow_norm(s / f"prenet.norm_layers.{i}", y))
    x = (x + (s / "prenet.proj").conv(y)) * m
    if spoken is not None:
        x = torch.cat([x, spoken[:, :, None].expand(-1, -1, x.shape[2])], 1)
    for i in range(6):
        x = x * m
        a = s / f"encoder.attn_layers.{i}"
        q, k, v = ((a / f"conv_{n}").conv(x).unflatten(1, (2, -1)).transpose(2, 3) for n in "qkv")
        scores = rotary(q) @ rotary(k).transpose(2, 3) / math.sqrt(q.shape[-1])
        scores = scores.masked_fill((m[:, :, None] * m[:, :, :, None]) == 0, -1e4)
        y = (scores.softmax(-1) @ v).transpose(2, 3).flatten(1, 2)
        x = glow_norm(s / f"encoder.norm_layers_1.{i}", x + (a / "conv_o").conv(y))
        f = s / f"encoder.ffn_layers.{i}"
        y = torch.relu((f / "conv_1").conv(x * m, padding=1))
        y = (f / "conv_2").conv(y * m, padding=1) * m
        x = glow_norm(s / f"encoder.norm_layers_2.{i}", x + y)
    x = x * m
    w, y = s / "proj_w", x
    for i in (1, 2):
        y = glow_norm(w / f"norm_{i}", torch.relu((w / f"conv_{i}").conv(y * m, padding=1)))
    return (s / "proj_m").conv(x) * m, (w / "proj").conv(y * m) * m


def block(s, x, m):
    y = (s / "block.0").conv(x * m, padding=1)
    n = s / "block.1"
    return functional.mish(functional.group_norm(y, 8, n["weight"], n["bias"])) * m


def stage(s, x, m, time):
    """A resnet block and a transformer block."""
    r = s / "0"
    y = block(r / "block1", x, m) + (r / "mlp.1").linear(functional.mish(time))[:, :, None]
    x = (block(r / "block2", y, m) + (r / "res_conv").conv(x * m)).transpose(1, 2)
    t = s / "1.0"
    y = functional.layer_norm(x, (256,), (t / "norm1")["weight"], (t / "norm1")["bias"])
    q, k, v = (
        (t / f"attn1.to_{n}").linear(y).unflatten(-1, (2, 64)).transpose(1, 2) for n in "qkv"
    )
    added = m[:, :, None]  # ones and zeros, added to the scores
    y = functional.scaled_dot_product_attention(q, k, v, attn_mask=added)
    x = x + (t / "attn1.to_out.0").linear(y.transpose(1, 2).flatten(2))
    y = functional.layer_norm(x, (256,), (t / "norm3")["weight"], (t / "norm3")["bias"])
    y = (t / "ff.net.0.proj").linear(y)
    f = t / "ff.net.0"
    y = y + torch.sin(y * f["alpha"].exp()) ** 2 / (f["beta"].exp() + 1e-9)
    return (x + (t / "ff.net.2").linear(y)).transpose(1, 2)


def velocity(s, x, mask, t):
    m = mask[:, None].float()
    half = x.shape[1] // 2
    angle = 1000 * t[:, None] * torch.exp(-math.log(10_000) / (half - 1) * torch.arange(half))
    time = (s / "time_mlp.linear_1").linear(torch.cat([angle.sin(), angle.cos()], 1))
    time = (s / "time_mlp.linear_2").linear(functional.silu(time))
    low = m[:, :, ::2]
    first = stage(s / "down_blocks.0", x, m, time)
    x = (s / "down_blocks.0.2.conv").conv(first * m, stride=2, padding=1)
    second = stage(s / "down_blocks.1", x, low, time)
    x = (s / "down_blocks.1.2").conv(second * low, padding=1)
    for i in range(2):
        x = stage(s / f"mid_blocks.{i}", x, low, time)
    x = stage(s / "up_blocks.0", torch.cat([x, second], 1), low, time)
    up = s / "up_blocks.0.2.conv"
    x = functional.conv_transpose1d(x * low, up["weight"], up["bias"], stride=2, padding=1)
    x = stage(s / "up_blocks.1", torch.cat([x, first], 1), m, time)
    x = (s / "up_blocks.1.2").conv(x * m, padding=1)
    return (s / "final_proj").conv(block(s / "final_block", x, m) * m) * m


@pytest.fixture(scope="module", params=["one speaker", "109 speakers"])
def model(request):
    torch.manual_seed(0)
    net = MatchaTTS(paper() if request.param == "one speaker" else paper_multi()).eval()
    for parameter in net.parameters():  # zeros and ones would hide what is not connected
        parameter.data += 0.02 * torch.randn_like(parameter)
    return net


def test_the_encoder_is_the_published_one(model):
    ids = torch.randint(0, 178, (2, 11), generator=torch.Generator().manual_seed(1))
    mask = torch.arange(11)[None] < torch.tensor([[11], [6]])
    spoken = model.spk_emb(torch.tensor([3, 5])) if hasattr(model, "spk_emb") else None
    with torch.no_grad():
        ours = model.encoder(ids, None, mask, spoken)
        mu, log_durations = encoder(State(model.state_dict()) / "encoder", ids, mask, spoken)
    torch.testing.assert_close(ours.mu, mu.transpose(1, 2), atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(ours.log_durations, log_durations[:, 0], atol=2e-5, rtol=1e-4)


def test_the_velocity_is_the_published_one_padding_included(model):
    source = torch.Generator().manual_seed(2)
    width = model.decoder.estimator.time_mlp.dim
    x = torch.randn(2, 20, width, generator=source)
    mask = torch.arange(20)[None] < torch.tensor([[20], [13]])
    t = torch.tensor([0.1, 0.8])
    with torch.no_grad():
        ours = model.decoder.estimator(x, mask, t)
        wanted = velocity(
            State(model.state_dict()) / "decoder.estimator", x.transpose(1, 2), mask, t
        )
    torch.testing.assert_close(ours, wanted.transpose(1, 2), atol=1e-3, rtol=1e-3)
