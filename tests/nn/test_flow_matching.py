"""Solvers against closed forms; the loss against fields that are known."""

import math

import pytest
import torch

from facevox.nn.flow_matching import GaussianField, flow_matching_loss, integrate, straight_path

START = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("solver", ["euler", "midpoint", "heun"])
@pytest.mark.parametrize("steps", [1, 4])
def test_a_constant_field_adds_itself(solver, steps):
    field = torch.full_like(START, 0.7)
    end = integrate(lambda x, t: field, START, steps, solver)
    torch.testing.assert_close(end, START + field)


def test_euler_on_a_linear_field_equals_its_closed_form():
    rate, steps = -1.3, 7
    end = integrate(lambda x, t: rate * x, START, steps)
    torch.testing.assert_close(end, START * (1 + rate / steps) ** steps)


@pytest.mark.parametrize("solver", ["midpoint", "heun"])
def test_second_order_solvers_on_a_linear_field(solver):
    rate, steps = -1.3, 7
    factor = 1 + rate / steps + (rate / steps) ** 2 / 2
    end = integrate(lambda x, t: rate * x, START, steps, solver)
    torch.testing.assert_close(end, START * factor**steps)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
def test_halving_the_step_divides_the_error_by_the_order(solver, order):
    def error(steps):
        end = integrate(lambda x, t: torch.cos(t)[:, None, None] * x, START.double(), steps, solver)
        return float((end - START.double() * math.exp(math.sin(1.0))).abs().max())

    assert error(80) / error(160) == pytest.approx(2**order, rel=0.2)


def test_the_path_runs_from_noise_to_data_with_its_own_velocity():
    noise, data = START, START.flip(0) + 1
    zero, one = torch.zeros(2), torch.ones(2)
    assert torch.equal(straight_path(noise, data, zero, 1e-4)[0], noise)
    torch.testing.assert_close(straight_path(noise, data, one, 1e-4)[0], data + 1e-4 * noise)
    t, width = torch.tensor([0.3, 0.8]), 1e-3
    here, velocity = straight_path(noise.double(), data.double(), t.double(), 1e-4)
    there, _ = straight_path(noise.double(), data.double(), t.double() + width, 1e-4)
    torch.testing.assert_close((there - here) / width, velocity, atol=1e-8, rtol=1e-6)


def test_the_loss_of_the_true_velocity_is_zero_and_padding_does_not_count():
    data = START.clone()
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    sigma = 1e-4

    def truth(x, t):
        noise = (x - t[:, None, None] * data) / (1 - (1 - sigma) * t)[:, None, None]
        return data - (1 - sigma) * noise

    def spoilt(x, t):
        return truth(x, t) + 100.0 * ~mask.unsqueeze(-1)

    for velocity in (truth, spoilt):
        loss = flow_matching_loss(velocity, data, mask, sigma, torch.Generator().manual_seed(0))
        assert float(loss) < 1e-6
    off = flow_matching_loss(lambda x, t: truth(x, t) + 2, data, mask, sigma)
    assert float(off) == pytest.approx(4.0, rel=1e-3)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="at least 1 step"):
        integrate(lambda x, t: x, START, 0)


@pytest.mark.parametrize("spread", [0.3, 1.0, 2.0])
def test_the_gaussian_field_carries_noise_to_its_gaussian(spread):
    field = GaussianField(spread)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 50, 4, generator=generator)
    mean = torch.randn(1, 50, 4, generator=generator)
    end = integrate(lambda x, t: field.velocity(x, mean, t), noise, 400, "midpoint")
    assert torch.allclose(end, mean + spread * noise, atol=1e-3)


def test_the_gaussian_field_is_the_best_guess_for_gaussian_data():
    spread, generator = 0.5, torch.Generator().manual_seed(1)
    noise, data = (torch.randn(1, 20_000, 1, generator=generator) for _ in range(2))
    mean = torch.full_like(data, 0.7)
    data = mean + spread * data
    field = GaussianField(spread)
    for time in (0.0, 0.3, 0.8):
        t = torch.tensor([time])
        point, target = straight_path(noise, data, t, 0.0)
        error = (field.velocity(point, mean, t) - target).square().mean().sqrt()
        assert float(error) == pytest.approx(float(field.deviation(t)), rel=0.02)
        assert float(field.whitened(point, mean, t).std()) == pytest.approx(1.0, rel=0.02)


def test_errors_relative_to_the_gaussian_field_are_one_for_it():
    field, generator = GaussianField(0.5), torch.Generator().manual_seed(2)
    data = 0.5 * torch.randn(64, 50, 4, generator=generator)
    zero = torch.zeros_like(data)
    loss = flow_matching_loss(
        lambda x, t: field.velocity(x, zero, t),
        data,
        torch.ones(64, 50, dtype=torch.bool),
        0.0,
        generator,
        field,
        share_at_start=0.5,
    )
    assert float(loss) == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("time", [0.0, 0.3, 0.7, 0.95])
def test_the_gaussian_field_is_the_best_guess_on_gaussian_data(time):
    source, spread = torch.Generator().manual_seed(0), 0.55
    field, t = GaussianField(spread), torch.full((4,), time)
    mean = torch.randn(4, 5000, 2, generator=source)
    data = mean + spread * torch.randn(mean.shape, generator=source)
    noise = torch.randn(mean.shape, generator=source)
    x, velocity = straight_path(noise, data, t, 0.0)
    white = field.whitened(x, mean, t)
    left = velocity - field.velocity(x, mean, t)
    assert float(white.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(white.std()) == pytest.approx(1.0, abs=0.02)
    assert float(left.std()) == pytest.approx(float(field.deviation(t)[0]), rel=0.02)
    assert abs(float((left * white).mean())) < 0.02  # nothing of it can be told from x


def test_the_gaussian_field_leads_from_noise_to_its_data():
    mean, spread = START.flip(0) + 1, 0.55
    field = GaussianField(spread)
    end = integrate(lambda x, t: field.velocity(x, mean, t), START, 200, "heun")
    torch.testing.assert_close(end, mean + spread * START, atol=1e-3, rtol=1e-3)


def test_the_loss_against_the_gaussian_field_is_one_for_the_field_itself():
    source = torch.Generator().manual_seed(0)
    mean = torch.randn(8, 400, 4, generator=source)
    data = mean + 0.55 * torch.randn(mean.shape, generator=source)
    field = GaussianField(0.55)
    for share in (0.0, 0.5, 1.0):
        loss = flow_matching_loss(
            lambda x, t: field.velocity(x, mean, t),
            data,
            torch.ones(8, 400, dtype=torch.bool),
            1e-4,
            source,
            field,
            share,
        )
        assert float(loss) == pytest.approx(1.0, abs=0.05)


def test_around_data_that_is_its_mean_the_flow_points_to_it():
    data, mask = START + 2, torch.ones(2, 5, dtype=torch.bool)

    def straight(x, t):
        return (data - x) / (1 - t)[:, None, None]

    source = torch.Generator().manual_seed(0)
    loss = flow_matching_loss(straight, data, mask, 0.0, source, start_mean=data)
    assert float(loss) == pytest.approx(0.0, abs=1e-8)
    end = integrate(straight, data + START, 10)
    torch.testing.assert_close(end, data)


def test_a_mean_of_the_start_is_added_to_the_noise():
    seen = []
    mask, mean = torch.ones(2, 5, dtype=torch.bool), START.flip(0)
    for start_mean in (None, mean):
        flow_matching_loss(
            lambda x, t: seen.append((x, t)) or torch.zeros_like(x),
            START,
            mask,
            1e-4,
            torch.Generator().manual_seed(3),
            start_mean=start_mean,
        )
    (plain, t), (shifted, _) = seen
    torch.testing.assert_close(shifted - plain, (1 - (1 - 1e-4) * t)[:, None, None] * mean)
