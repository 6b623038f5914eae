"""Losses of discriminator and generator, against known values."""

import math

import pytest
import torch

from facevox.nn.adversarial import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    with_deviation,
)


def test_losses_at_zero_and_far_away():
    zero, far = torch.zeros(3, 1), torch.full((3, 1), 50.0)
    assert discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert discriminator_loss(far, -far).item() == pytest.approx(0.0, abs=1e-6)
    assert generator_loss(zero).item() == pytest.approx(math.log(2))
    assert generator_loss(-far).item() == pytest.approx(50.0)


def test_penalty_of_a_linear_score():
    pictures = torch.randn(4, 3, 5, 5, requires_grad=True)
    weight = torch.randn(3, 5, 5, requires_grad=True)
    scores = (pictures * weight).sum((1, 2, 3))[:, None]
    penalty = gradient_penalty(scores, pictures, 10.0)
    assert penalty.item() == pytest.approx(5.0 * weight.square().sum().item(), rel=1e-5)
    penalty.backward()
    torch.testing.assert_close(weight.grad, 10.0 * weight.detach())


def test_deviation_of_groups_by_loops():
    x = torch.randn(8, 2, 3, 3)
    made = with_deviation(x, 4)
    assert made.shape == (8, 3, 3, 3)
    assert torch.equal(made[:, :2], x)
    for index in range(8):
        group = x[index % 2 :: 2]
        wanted = (group.var(0, correction=0) + 1e-8).sqrt().mean()
        torch.testing.assert_close(made[index, 2], wanted.expand(3, 3))


def test_small_batches_are_one_group():
    assert with_deviation(torch.ones(1, 2, 3, 3))[0, 2, 0, 0].item() == pytest.approx(1e-4)
    with pytest.raises(ValueError, match="multiple of 4"):
        with_deviation(torch.ones(5, 2, 3, 3))
