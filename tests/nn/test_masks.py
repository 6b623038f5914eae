import torch

from facevox.nn.gradient import scale_gradient
from facevox.nn.masks import length_mask, masked_mean, padded_length, replicate_ends


def test_length_mask():
    assert length_mask(torch.tensor([2, 0, 3]), 3).tolist() == [
        [True, True, False],
        [False, False, False],
        [True, True, True],
    ]


def test_padded_length():
    assert [padded_length(n, 4) for n in (1, 4, 5, 8)] == [4, 4, 8, 8]


def test_masked_mean_counts_valid_positions_only():
    values, mask = torch.tensor([[1.0, 2.0, 99.0]]), torch.tensor([[True, True, False]])
    assert float(masked_mean(values, mask)) == 1.5
    assert float(masked_mean(values, ~mask & mask)) == 0.0


def test_a_share_of_the_gradient():
    for share in (0.0, 0.1, 1.0):
        x = torch.ones(3, requires_grad=True)
        y = scale_gradient(x, share)
        torch.testing.assert_close(y, x)
        (y.sum() + 0 * x.sum()).backward()
        torch.testing.assert_close(x.grad, torch.full((3,), share))


def test_replicated_ends_go_on_with_the_last_valid_position():
    x = torch.arange(10.0).view(2, 5, 1)
    ends = replicate_ends(x, torch.tensor([5, 2]), 1, 2)[..., 0]
    assert ends.tolist() == [[0, 0, 1, 2, 3, 4, 4, 4], [5, 5, 6, 6, 6, 6, 6, 6]]
    assert replicate_ends(x, torch.tensor([0, 1]), 0, 0)[..., 0].tolist() == [[0] * 5, [5] * 5]
