import torch

from facevox.nn.noise import seeded_noise


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
