import pytest
import torch

from facevox.nn.noise import remembering, seeded_noise


def test_a_sequence_depends_on_its_own_seed_alone():
    both = seeded_noise([3, 4], [5, 9], 12, 6)
    alone = seeded_noise([3], [5], 8, 6)
    assert torch.equal(both[0, :5], alone[0, :5])
    assert not both[0, 5:].any()
    assert not torch.equal(both[0, :5], both[1, :5])


def test_a_longer_sequence_begins_alike():
    assert torch.equal(seeded_noise([7], [4], 4, 3)[0], seeded_noise([7], [9], 9, 3)[0, :4])


def test_it_is_normal():
    noise = seeded_noise([1], [4000], 4000, 20)
    assert abs(float(noise.mean())) < 0.01
    assert abs(float(noise.std()) - 1) < 0.01


def test_noise_with_memory_is_normal_correlated_and_goes_on():
    white = torch.randn(400, 300, 2, generator=torch.Generator().manual_seed(0))
    made = remembering(white, 0.9)
    assert made.std(0).mean() == pytest.approx(1.0, abs=0.02)
    assert (made[:, 1:] * made[:, :-1]).mean() == pytest.approx(0.9, abs=0.02)
    rest = remembering(white[:, 100:], 0.9, made[:, 99])
    assert torch.allclose(rest, made[:, 100:], atol=1e-5)
    assert remembering(white, 0.0) is white
