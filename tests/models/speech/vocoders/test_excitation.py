import math

import numpy as np
import pytest
import torch

from facevox.models.speech.vocoders.excitation import (
    cycles_at_samples,
    held_f0,
    moved_onset,
    pulse_train,
    utterance_onset,
    voicing_at_samples,
    white_noise,
)

RATE, HOP = 16_000, 160


def sound(f0):
    cycles, frequency = cycles_at_samples(f0, utterance_onset(len(f0)), RATE, HOP)
    return pulse_train(cycles, frequency, RATE)


def test_pulses_are_the_sum_of_all_harmonics():
    f0 = torch.full((1, 20), 230.0)
    cycles, frequency = cycles_at_samples(f0, utterance_onset(1), RATE, HOP)
    room = 8000 / 230
    number = torch.arange(1, 35).unsqueeze(1)
    strength = torch.ones(34, 1, dtype=torch.float64)
    strength[-1] = room - math.floor(room)
    wanted = (strength * torch.cos(2 * torch.pi * number * cycles)).sum(0) * math.sqrt(2 / room)
    torch.testing.assert_close(
        pulse_train(cycles, frequency, RATE)[0].double(), wanted, rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("f0", [55.0, 110.0, 220.0, 499.0])
def test_power_is_one_at_any_f0(f0):
    pulses = sound(torch.full((1, 100), f0))
    assert pulses.shape == (1, 16_000)
    assert float((pulses**2).mean()) == pytest.approx(1.0, abs=0.1)


def test_phase_is_the_integral_of_f0():
    track = 120 + 60 * torch.sin(torch.arange(50) / 7).unsqueeze(0)
    cycles, frequency = cycles_at_samples(track, utterance_onset(1), RATE, HOP)
    turned = torch.diff(cycles[0]) % 1.0
    wanted = (frequency[0, 1:] + frequency[0, :-1]) / 2 / RATE
    # exact but for the bends at the centres of frames
    torch.testing.assert_close(turned, wanted, rtol=0, atol=2e-4)
    assert float((turned - wanted).abs().median()) < 1e-9


def test_no_steps_when_a_harmonic_leaves():
    glide = torch.linspace(199.0, 201.0, 400).unsqueeze(0)
    cycles, frequency = cycles_at_samples(glide, utterance_onset(1), RATE, HOP)
    fixed = torch.full_like(cycles, 0.21)
    train = pulse_train(fixed, frequency, RATE)
    assert float(train.diff(dim=1).abs().max()) < 1e-3


def test_unvoiced_frames_hold_f0():
    f0 = torch.tensor([[0.0, 0.0, 100.0, 0.0, 0.0, 90.0]])
    held = held_f0(f0, torch.tensor([130.0]))
    assert held.tolist() == [[130.0, 130.0, 100.0, 100.0, 100.0, 90.0]]


def test_onsets_carry_the_phase_on():
    track = 150 + 40 * torch.sin(torch.arange(60) / 5).unsqueeze(0)
    track[:, 20:30] = 0
    start = utterance_onset(1)
    whole, _ = cycles_at_samples(track, start, RATE, HOP)
    onset = moved_onset(start, track[:, :23], HOP / RATE)
    rest, _ = cycles_at_samples(track[:, 23:], onset, RATE, HOP)
    assert onset.first_frame == 23
    # the first half frame has no neighbour before it
    away = (rest[:, 80:] - whole[:, 23 * HOP + 80 :] + 0.5) % 1.0 - 0.5
    assert float(away.abs().max()) < 1e-12


def test_noise_depends_on_position_and_seed_alone():
    seeds = torch.tensor([3, 4])
    whole = white_noise(seeds, 0, 5000)
    assert torch.equal(white_noise(seeds, 1234, 100), whole[:, 1234:1334])
    assert torch.equal(white_noise(torch.tensor([4]), 0, 5000)[0], whole[1])
    assert abs(float(torch.corrcoef(whole)[0, 1])) < 0.05


def test_noise_is_normal_and_white():
    from scipy.stats import kstest

    noise = white_noise(torch.tensor([0]), 0, 200_000)[0].double().numpy()
    assert kstest(noise, "norm").pvalue > 0.01
    spectrum = np.abs(np.fft.rfft(noise[: 390 * 512].reshape(390, 512))) ** 2
    level = spectrum.mean(0)[1:-1] / 512
    assert np.abs(level - 1).max() < 0.3
    for lag in (1, 2, 3, 160):
        assert abs(np.mean(noise[lag:] * noise[:-lag])) < 0.01


def test_voicing_fades_between_frames():
    voicing = voicing_at_samples(torch.tensor([[0.0, 120.0, 130.0, 0.0]]), HOP)[0]
    assert voicing[:81].max() == 0
    assert torch.equal(voicing[240:401], torch.ones(161))
    assert voicing[160].item() == 0.5
    assert float(voicing.diff().abs().max()) < 0.01
