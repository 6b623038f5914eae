"""LPIPS v0.1 on AlexNet: how different two pictures look.

Two published files make one judge: torchvision's AlexNet (`alexnet`), and the weights that say
how much each of its channels counts (`lpips-heads`, in the wheel of `lpips` 0.1.4).

Reference:
    Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric,
    CVPR 2018; github.com/richzhang/PerceptualSimilarity, BSD-2-Clause.
"""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

from facevox.core.errors import InputError
from facevox.evaluation.judges.checkpoint_file import load_strictly, loaded, read_state_dict
from facevox.evaluation.judges.random_weights import fill_randomly

SMALLEST = 64
"""Pictures must be at least this large [px]."""

CHANNELS = (64, 192, 384, 256, 256)
"""Of the five convolutions."""

UNUSED = tuple(f"classifier.{layer}.{kind}" for layer in (1, 4, 6) for kind in ("weight", "bias"))
"""Tensors of AlexNet's file that LPIPS has no use for; no others may be left over."""

_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Mean and spread of ImageNet's pictures, for pictures in [-1, 1]."""

_TINY = 1e-10


class AlexNet(nn.Module):
    """The convolutions of AlexNet; gives the features after each of them.

    Args:
        channels: Of the five convolutions.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        one, two, three, four, five = channels
        self.features = nn.ModuleDict(
            {
                "0": nn.Conv2d(3, one, 11, 4, 2),
                "3": nn.Conv2d(one, two, 5, 1, 2),
                "6": nn.Conv2d(two, three, 3, 1, 1),
                "8": nn.Conv2d(three, four, 3, 1, 1),
                "10": nn.Conv2d(four, five, 3, 1, 1),
            }
        )

    def forward(self, x: Float[Tensor, "n 3 h w"]) -> list[Float[Tensor, "n _c _h _w"]]:
        """Return five maps, after the ReLU of each convolution."""
        maps = []
        for place, convolution in self.features.items():
            if place in ("3", "6"):
                x = max_pool2d(x, 3, 2)
            x = relu(convolution(x))
            maps.append(x)
        return maps


class LpipsHeads(nn.Module):
    """How much each channel counts, for every map.

    Args:
        channels: Of the maps.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        for place, count in enumerate(channels):
            head = nn.ModuleDict(
                {"model": nn.ModuleDict({"1": nn.Conv2d(count, 1, 1, bias=False)})}
            )
            self.add_module(f"lin{place}", head)

    def forward(self, differences: list[Float[Tensor, "n _c _h _w"]]) -> Float[Tensor, " n"]:
        """Return the weighted differences, averaged over places, summed over maps."""
        total = torch.zeros(len(differences[0]), device=differences[0].device)
        for place, difference in enumerate(differences):
            weight = self.get_parameter(f"lin{place}.model.1.weight")
            total = total + nn.functional.conv2d(difference, weight).mean((1, 2, 3))
        return total


@torch.inference_mode()
def lpips_distance(
    backbone: AlexNet,
    heads: LpipsHeads,
    first: Float[Tensor, "n 3 h w"],
    second: Float[Tensor, "n 3 h w"],
) -> Float[Tensor, " n"]:
    """Return how different pictures look, one number a pair.

    Args:
        backbone: AlexNet.
        heads: Its weights of channels.
        first: RGB in [-1, 1], at least 64 px wide and high.
        second: What they are compared with.

    Raises:
        InputError: If the pictures are too small.
    """
    if min(first.shape[2:]) < SMALLEST:
        raise InputError(
            f"LPIPS needs pictures of at least {SMALLEST} px, "
            f"got {first.shape[3]} x {first.shape[2]}."
        )
    shift = first.new_tensor(_SHIFT).view(1, 3, 1, 1)
    scale = first.new_tensor(_SCALE).view(1, 3, 1, 1)
    maps = backbone((torch.cat((first, second)) - shift) / scale)
    differences = []
    for features in maps:
        unit = features / (features.norm(dim=1, keepdim=True) + _TINY)
        differences.append((unit[: len(first)] - unit[len(first) :]).square())
    return heads(differences)


def tiny() -> tuple[AlexNet, LpipsHeads]:
    """Return both networks with few channels, random, for tests; weights are not negative."""
    channels = (4, 6, 8, 6, 6)
    backbone, heads = AlexNet(channels), LpipsHeads(channels)
    for network in (backbone, heads):
        fill_randomly(network)
    for parameter in heads.parameters():
        parameter.abs_()
    return backbone, heads


def load_alexnet(path: Path) -> AlexNet:
    """Load `alexnet-owt-7be5be79.pth` of torchvision; its classifier is left aside.

    Raises:
        CheckpointError: If it does not fit.
    """
    state = {name: value for name, value in read_state_dict(path).items() if name not in UNUSED}
    network = AlexNet()
    load_strictly(network, state, path.name)
    return network


def load_lpips_heads(path: Path) -> LpipsHeads:
    """Load `lpips/weights/v0.1/alex.pth` of the wheel of `lpips`.

    Raises:
        CheckpointError: If it does not fit.
    """
    return loaded(LpipsHeads(), path)
