import pytest
import torch
from torch import nn

from facevox.nn.normed_convolution import SpectralNorm, WeightNorm, fold_weight_norm


@pytest.mark.parametrize(
    ("plain", "shape"),
    [
        (nn.Conv1d(3, 4, 5, padding=2, dilation=1), (2, 3, 20)),
        (nn.ConvTranspose1d(4, 2, 8, 4, padding=2), (2, 4, 9)),
        (nn.Conv2d(1, 3, (5, 1), (3, 1), padding=(2, 0)), (2, 1, 21, 2)),
    ],
)
def test_starts_as_the_plain_convolution_and_folds_back(plain, shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    holder = nn.Sequential(WeightNorm(plain))
    torch.testing.assert_close(holder(x), plain(x))
    with torch.no_grad():
        holder[0].weight_g.mul_(1.7)
    before = holder(x)
    fold_weight_norm(holder)
    assert set(holder.state_dict()) == {"0.weight", "0.bias"}
    torch.testing.assert_close(holder(x), before, rtol=0, atol=1e-5)


def test_weight_norm_agrees_with_torch():
    plain = nn.ConvTranspose1d(4, 2, 8, 4, padding=2)
    ours = WeightNorm(plain)
    theirs = nn.utils.parametrizations.weight_norm(plain)
    assert ours.weight_g.shape == theirs.parametrizations.weight.original0.shape
    torch.testing.assert_close(ours.weight, theirs.weight)


def test_length_is_free_and_direction_has_no_length():
    layer = WeightNorm(nn.Conv1d(3, 4, 5))
    before = layer.weight.clone()
    with torch.no_grad():
        layer.weight_v.mul_(3.0)
    torch.testing.assert_close(layer.weight, before)


def test_spectral_norm_is_one_after_some_calls():
    layer = SpectralNorm(nn.Conv1d(6, 8, 3))
    for _ in range(50):
        layer(torch.zeros(1, 6, 10))
    layer.eval()
    largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
    torch.testing.assert_close(largest, torch.tensor(1.0), rtol=1e-3, atol=0)
    assert set(layer.state_dict()) == {"weight_orig", "weight_u", "weight_v", "bias"}
