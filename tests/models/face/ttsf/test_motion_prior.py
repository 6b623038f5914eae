"""The prior's mean and its likelihood."""

import math

import pytest
import torch

from facevox.models.face.ttsf.motion_prior import MotionPrior, prior_loss
from facevox.models.face.ttsf.sampler_config import tiny


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def prior():
    torch.manual_seed(0)
    return MotionPrior(16, 4, tiny().prior).eval()


def test_padding_and_neighbours_are_not_seen(prior):
    first, lips = noise(2, 16), noise(2, 20, 16)
    mask = torch.arange(20) < torch.tensor([[8], [20]])
    together = prior(first, lips, mask)
    assert (together[0, 8:] == 0).all()
    alone = prior(first[:1], lips[:1, :8], mask[:1, :8])
    torch.testing.assert_close(together[:1, :8], alone, atol=1e-5, rtol=1e-5)


def test_first_motion_and_lips_both_count(prior):
    first, lips, mask = noise(1, 16), noise(1, 6, 16), torch.ones(1, 6, dtype=torch.bool)
    mu = prior(first, lips, mask)
    assert not torch.allclose(prior(first + 1, lips, mask), mu, atol=1e-3)
    assert not torch.allclose(prior(first, lips + 1, mask), mu, atol=1e-3)


def test_the_loss_is_the_gaussian_likelihood_over_valid_frames():
    f_c, mu = noise(2, 5, 4), noise(2, 5, 4, seed=1)
    mask = torch.arange(5) < torch.tensor([[5], [3]])
    expected = -torch.distributions.Normal(mu, 1.0).log_prob(f_c)[mask].mean()
    torch.testing.assert_close(prior_loss(f_c, mu, mask), expected)
    assert float(prior_loss(mu, mu, mask)) == pytest.approx(0.5 * math.log(2 * math.pi))


def test_gradients_reach_every_parameter(prior):
    prior.train()
    mask = torch.ones(2, 6, dtype=torch.bool)
    prior_loss(noise(2, 6, 4), prior(noise(2, 16), noise(2, 6, 16), mask), mask).backward()
    for name, parameter in prior.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
