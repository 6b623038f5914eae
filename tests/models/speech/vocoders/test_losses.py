import torch

from facevox.models.speech.vocoders.losses import (
    EnergyDistance,
    MelLoss,
    StftLoss,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
)


def sounds():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 2, 6400, generator=generator) * 0.1


def test_equal_sounds_have_no_loss():
    real, other = sounds()
    for loss in (MelLoss(), StftLoss()):
        assert float(loss(real, real)) == 0
        assert float(loss(other, real)) > 0.05


def test_phase_does_not_count_but_level_does():
    real, _ = sounds()
    for loss in (MelLoss(), StftLoss()):
        assert float(loss(-real, real)) < 1e-5
    # half as loud: ln 2 in every band
    assert abs(float(MelLoss()(0.5 * real, real)) - 0.6931) < 2e-3


def test_silence_has_finite_gradients():
    made = torch.zeros(1, 6400, requires_grad=True)
    real = sounds()[0][:1]
    (StftLoss()(made, real) + MelLoss()(made, real)).backward()
    assert torch.isfinite(made.grad).all()


def test_least_squares():
    ones, zeros = torch.ones(2, 5), torch.zeros(2, 7)
    assert float(discriminator_loss([ones, ones], [zeros, zeros])) == 0
    assert float(discriminator_loss([zeros], [ones])) == 2
    assert float(adversarial_loss([ones, zeros])) == 1


def test_features_sum_over_layers_and_spare_the_real_side():
    real = [[torch.ones(2, 3, requires_grad=True), torch.zeros(2, 1)]]
    made = [[torch.zeros(2, 3, requires_grad=True), torch.full((2, 1), 0.5)]]
    loss = feature_loss(real, made)
    loss.backward()
    assert loss.item() == 1.5
    assert real[0][0].grad is None
    assert made[0][0].grad is not None


def test_energy_distance_wants_noise_where_plain_distance_wants_a_tone():
    generator = torch.Generator().manual_seed(0)
    real, first, second = torch.randn(3, 8, 6400, generator=generator) * 0.1
    time = torch.arange(6400) / 16_000
    buzz = sum(torch.cos(2 * torch.pi * 100 * k * time) for k in range(1, 80)) * 0.015
    buzz = buzz.repeat(8, 1)
    loss = EnergyDistance()
    assert loss(first, second, real) < loss(buzz, buzz, real) - 0.1
    assert loss(first, second, real) < loss(0.7 * first, 0.7 * second, real)
    assert loss(first, second, real) < loss(1.4 * first, 1.4 * second, real)
    # a single noise cannot be told from a lucky guess
    assert loss(first, second, real) < loss(first, first, real) - 0.1
