"""Losses, drawing, padding, streams and learning of the motion sampler."""

import math

import pytest
import torch

from facevox.core.checkpoint import load_module, save_checkpoint
from facevox.core.errors import ConfigError
from facevox.models.face.ttsf.motion_sampler import MotionSampler
from facevox.models.face.ttsf.sampler_config import (
    MotionSamplerConfig,
    PriorConfig,
    paper,
    small,
    tiny,
)
from facevox.nn.flow_matching import integrate
from facevox.nn.unet1d import UnetConfig

STEPS = 2


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


Q = torch.linalg.qr(noise(16, 4, seed=9))[0]
F_M0, F_LIP = noise(2, 4, seed=1) @ Q.T, noise(2, 40, 16, seed=2)


def sampler(seed=0, **changes):
    torch.manual_seed(seed)
    network = MotionSampler(tiny().model_copy(update=changes))
    torch.nn.init.normal_(network.unet.final_proj.weight, std=0.3)
    network.normaliser.mean.fill_(0.2)
    network.normaliser.variance.fill_(0.5)
    return network.eval()


def test_the_sizes():
    assert paper().prior.dim == 256
    assert (paper().prior.layers, paper().prior.heads, paper().prior.kernel) == (4, 4, 31)
    assert paper().unet.channels == (256, 256)
    assert paper().normaliser.compressed_dim == 16
    assert small().prior.dim == 128
    assert small().unet.channels == (128, 128)


@pytest.mark.parametrize(
    "changes",
    [{"unet": UnetConfig()}, {"prior": PriorConfig(kernel=4)}, {"prior": PriorConfig(heads=3)}],
)
def test_impossible_settings_are_refused(changes):
    with pytest.raises(ConfigError):
        MotionSamplerConfig(**changes)


def window(lengths=(32, 20)):
    f_m = noise(2, 32, 4, seed=3) @ Q.T
    mask = torch.arange(32) < torch.tensor(lengths)[:, None]
    return f_m, F_LIP[:, :32], mask


@pytest.mark.parametrize("prior_mode", ["mean_shifted", "standard"])
@pytest.mark.parametrize("spread", [None, 0.8])
def test_gradients_reach_every_parameter_and_the_lips_but_not_the_motion(prior_mode, spread):
    network = sampler(prior_mode=prior_mode, spread=spread).train()
    f_m, f_lip, mask = window()
    f_m, f_lip = f_m.requires_grad_(), f_lip.clone().requires_grad_()
    sum(network.losses(f_m, f_lip, mask, Q).values()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    assert f_m.grad is None
    assert f_lip.grad[mask].abs().sum() > 0
    assert (f_lip.grad[~mask] == 0).all()


def test_each_loss_teaches_its_own_part():
    def taught(name):
        network = sampler().train()
        network.losses(*window(), Q)[name].backward()
        grads = [(key, value.grad) for key, value in network.named_parameters()]
        return {key.split(".")[0] for key, grad in grads if grad is not None}

    assert taught("ae") == {"normaliser"}
    assert taught("prior") == {"prior"}
    assert taught("cfm") == {"prior", "unet"}


def test_switches_of_the_gradient():
    network = sampler(motion_gradient=True, lip_gradient=False).train()
    f_m, f_lip, mask = window()
    f_m, f_lip = f_m.requires_grad_(), f_lip.clone().requires_grad_()
    sum(network.losses(f_m, f_lip, mask, Q).values()).backward()
    assert f_m.grad.abs().sum() > 0
    assert f_lip.grad is None


def test_losses_do_not_see_padding():
    network = sampler()
    f_m, f_lip, mask = window()
    spoilt = f_m.masked_fill(~mask[..., None], 50.0), f_lip.masked_fill(~mask[..., None], -50.0)
    for source in (0, 1):
        plain = network.losses(f_m, f_lip, mask, Q, torch.Generator().manual_seed(source))
        other = network.losses(*spoilt, mask, Q, torch.Generator().manual_seed(source))
        for name, value in plain.items():
            torch.testing.assert_close(other[name], value, atol=1e-5, rtol=1e-4)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    network = sampler()
    first, again = (network.sample(F_M0, F_LIP, [3, 4], Q, steps=STEPS) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.allclose(
        network.sample(F_M0, F_LIP, [5, 4], Q, steps=STEPS)[0], first[0], atol=1e-3
    )


@pytest.mark.parametrize("lengths", [(40, 7), (1, 40)])
def test_a_sequence_does_not_depend_on_its_neighbours(lengths):
    network = sampler()
    mask = torch.arange(40) < torch.tensor(lengths)[:, None]
    together = network.sample(F_M0, F_LIP, [3, 4], Q, mask, STEPS)
    assert (together[~mask] == 0).all()
    for row, length in enumerate(lengths):
        one = slice(row, row + 1)
        alone = network.sample(F_M0[one], F_LIP[one, :length], [3 + row], Q, steps=STEPS)
        torch.testing.assert_close(together[one, :length], alone, atol=1e-5, rtol=1e-4)


def test_sentences_do_not_depend_on_those_that_follow():
    network = sampler()
    alone = network.sample(F_M0, F_LIP[:, :31], [3, 4], Q, steps=STEPS)
    for rest in (F_LIP[:, 31:], -F_LIP[:, 31:40]):
        stream = network.stream(F_M0, [3, 4], Q, STEPS)
        assert torch.equal(stream.extend(F_LIP[:, :31]), alone)
        stream.extend(rest)


def test_a_stream_of_chunks_is_the_whole():
    network = sampler()
    assert network.config.chunk == 24
    stream = network.stream(F_M0, [3, 4], Q, STEPS)
    pieces = [stream.extend(part) for part in F_LIP.split(24, 1)]
    whole = network.sample(F_M0, F_LIP, [3, 4], Q, steps=STEPS)
    assert torch.equal(torch.cat(pieces, 1), whole)
    assert torch.equal(network.sample(F_M0, F_LIP[:, :24], [3, 4], Q, steps=STEPS), whole[:, :24])


def test_motions_lie_in_the_span_of_the_directions():
    motion = sampler().sample(F_M0, F_LIP, [3, 4], Q, steps=STEPS)
    torch.testing.assert_close(motion @ Q @ Q.T, motion, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("prior_mode", ["mean_shifted", "standard"])
@pytest.mark.parametrize("rate", [0.0, -0.7])
def test_euler_on_a_known_field(prior_mode, rate, monkeypatch):
    network = sampler(prior_mode=prior_mode)
    monkeypatch.setattr(network, "velocity", lambda x, mu, mask, t: rate * x + 0.3 * (rate == 0))
    lips, mask = F_LIP[:, :20], torch.ones(2, 20, dtype=torch.bool)
    z = noise(2, 20, 4, seed=7)
    with torch.no_grad():
        start = z + (network.prior(F_M0, lips, mask) if prior_mode == "mean_shifted" else 0.0)
        end = start + 0.3 if rate == 0 else start * (1 + rate / 10) ** 10
        expected = network.normaliser.decode(network.normaliser.restored(end), Q, mask)
    torch.testing.assert_close(
        network.draw(F_M0, lips, mask, z, Q, 10), expected, atol=1e-5, rtol=1e-4
    )


def test_without_temperature_the_seed_does_not_matter():
    network = sampler()
    first, second = (
        network.sample(F_M0, F_LIP, seeds, Q, steps=STEPS, temperature=0.0)
        for seeds in ([1, 2], [3, 4])
    )
    assert torch.equal(first, second)


def test_a_network_that_says_nothing_draws_the_gaussian(monkeypatch):
    network = sampler(spread=0.6)
    monkeypatch.setattr(network, "_network", lambda x, mu, mask, t: torch.zeros_like(x))
    mu, mask = noise(2, 40, 4), torch.ones(2, 40, dtype=torch.bool)
    z = noise(2, 40, 4, seed=4)
    end = integrate(lambda x, t: network.velocity(x, mu, mask, t), mu + z, 200, "heun")
    torch.testing.assert_close(end, mu + 0.6 * z, atol=1e-3, rtol=1e-3)


def test_with_a_known_gaussian_both_starts_are_one_model():
    lips, mask = F_LIP[:, :20], torch.ones(2, 20, dtype=torch.bool)
    z, found = noise(2, 20, 4, seed=7), []
    for prior_mode in ("mean_shifted", "standard"):
        network = sampler(prior_mode=prior_mode, spread=0.6)
        drawn = network.draw(F_M0, lips, mask, z, Q, 3)
        source = torch.Generator().manual_seed(0)
        found.append((drawn, network.losses(*window(), Q, source)["cfm"].detach()))
    (shifted, loss), (standard, other) = found
    torch.testing.assert_close(shifted, standard, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(loss, other, atol=1e-3, rtol=1e-3)


def test_one_sequence_can_be_learnt():
    time = torch.arange(32.0)[:, None] / 32
    alpha = torch.sin(2 * math.pi * time * torch.tensor([1.0, 2.0, 1.5, 0.5]))
    f_m, f_lip, mask = (alpha @ Q.T)[None], F_LIP[:1, :32], torch.ones(1, 32, dtype=torch.bool)
    torch.manual_seed(0)
    network = MotionSampler(tiny().model_copy(update={"spread": 0.1})).train()
    source = torch.Generator().manual_seed(0)
    rows = [part.repeat_interleave(4, 0) for part in (f_m, f_lip, mask)]
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(45):
        losses = network.losses(*rows, Q, source)
        optimiser.zero_grad()
        (losses["cfm"] + 30 * losses["ae"] + losses["prior"]).backward()
        optimiser.step()
    floor = 0.5 * math.log(2 * math.pi)
    assert float(losses["prior"].detach()) < floor + 0.1
    drawn = network.eval().sample(f_m[:, 0], f_lip, [1], Q)
    assert float((drawn - f_m).square().mean() / f_m.var()) < 0.25


def test_saved_and_loaded_it_draws_the_same(tmp_path):
    first, second = sampler(), sampler(seed=1)
    load_module(second, save_checkpoint(tmp_path / "s.safetensors", first.state_dict(), {}))
    drawn = [network.sample(F_M0, F_LIP, [3, 4], Q, steps=STEPS) for network in (first, second)]
    assert torch.equal(*drawn)
