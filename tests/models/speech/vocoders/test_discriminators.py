import pytest
import torch

from facevox.models.speech.vocoders.discriminators import (
    PERIODS,
    PeriodDiscriminators,
    ScaleDiscriminators,
    SpectrogramDiscriminators,
)


def period_rule(periods):
    sizes = [1, 32, 128, 512, 1024, 1024]
    shapes = {}
    for i in range(len(periods)):
        for j in range(5):
            name = f"discriminators.{i}.convs.{j}"
            shapes[f"{name}.weight_v"] = (sizes[j + 1], sizes[j], 5, 1)
            shapes[f"{name}.weight_g"] = (sizes[j + 1], 1, 1, 1)
            shapes[f"{name}.bias"] = (sizes[j + 1],)
        name = f"discriminators.{i}.conv_post"
        shapes[f"{name}.weight_v"] = (1, 1024, 3, 1)
        shapes[f"{name}.weight_g"] = (1, 1, 1, 1)
        shapes[f"{name}.bias"] = (1,)
    return shapes


def scale_rule():
    layers = [(128, 1, 15), (128, 32, 41), (256, 8, 41), (512, 16, 41)]
    layers += [(1024, 32, 41), (1024, 64, 41), (1024, 1024, 5)]
    named = {f"convs.{j}": layer for j, layer in enumerate(layers)} | {"conv_post": (1, 1024, 3)}
    shapes = {}
    for i in range(3):
        for name, (rows, columns, kernel) in named.items():
            key = f"discriminators.{i}.{name}"
            shapes[f"{key}.bias"] = (rows,)
            if i:
                shapes[f"{key}.weight_g"] = (rows, 1, 1)
                shapes[f"{key}.weight_v"] = (rows, columns, kernel)
            else:
                shapes[f"{key}.weight_orig"] = (rows, columns, kernel)
                shapes[f"{key}.weight_u"] = (rows,)
                shapes[f"{key}.weight_v"] = (columns * kernel,)
    return shapes


@pytest.mark.parametrize(
    ("make", "rule"),
    [(PeriodDiscriminators, lambda: period_rule(PERIODS)), (ScaleDiscriminators, scale_rule)],
)
def test_layout_of_the_published_checkpoints(make, rule):
    with torch.device("meta"):
        network = make()
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes == rule()


@pytest.mark.parametrize(
    "network",
    [
        PeriodDiscriminators((2, 3), 1 / 16),
        ScaleDiscriminators(2, 1 / 8),
        SpectrogramDiscriminators(channels=4),
    ],
)
def test_scores_and_features_with_gradients_to_all(network):
    waveform = (
        torch.randn(2, 3201, generator=torch.Generator().manual_seed(0)) * 0.1
    ).requires_grad_()
    scores, features = network(waveform)
    assert len(scores) == len(features) == len(network.discriminators)
    assert all(score.shape[0] == 2 for score in scores)
    sum((m**2).sum() for maps in features for m in maps).backward()
    assert float(waveform.grad.abs().max()) > 0
    for name, parameter in network.named_parameters():
        assert float(parameter.grad.abs().max()) > 0, name


def test_period_puts_equal_phases_in_columns():
    seen = []
    network = PeriodDiscriminators((3,), 1 / 16)
    network.discriminators[0].convs[0].register_forward_pre_hook(
        lambda _, args: seen.append(args[0])
    )
    network(torch.arange(10.0).unsqueeze(0))
    assert seen[0].shape == (1, 1, 4, 3)
    assert seen[0][0, 0, :3, 0].tolist() == [0.0, 3.0, 6.0]


def test_silence_has_finite_gradients():
    waveform = torch.zeros(1, 3200, requires_grad=True)
    scores, _ = SpectrogramDiscriminators(channels=4)(waveform)
    sum(score.sum() for score in scores).backward()
    assert torch.isfinite(waveform.grad).all()
