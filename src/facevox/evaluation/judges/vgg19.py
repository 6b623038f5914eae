"""VGG19 of ImageNet: features in which two pictures look alike, for perceptual losses.

The layout is torchvision's `vgg19-dcbb9e9d.pth`; what lies behind the last map is left aside.

Reference:
    Simonyan and Zisserman, Very deep convolutional networks for large-scale image
    recognition, ICLR 2015; Johnson, Alahi and Fei-Fei, Perceptual losses for real-time style
    transfer and super-resolution, ECCV 2016.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from facevox.evaluation.judges.checkpoint_file import load_strictly, read_state_dict
from facevox.evaluation.judges.random_weights import fill_randomly

CHANNELS = (64, 128, 256, 512, 512)
"""Of the five blocks."""

_CONVOLUTIONS = (2, 2, 4, 4, 1)
"""Convolutions of each block; of the last only the first is used."""

_ENDS = (1, 6, 11, 20, 29)
"""Places of relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1."""

_BEHIND = tuple(f"features.{place}" for place in (30, 32, 34))
_CLASSIFIER = tuple(f"classifier.{place}" for place in (0, 3, 6))
UNUSED = frozenset(f"{n}.{kind}" for n in _BEHIND + _CLASSIFIER for kind in ("weight", "bias"))
"""Tensors of the published file that come after relu5_1."""

_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Vgg19(nn.Module):
    """The convolutions up to relu5_1.

    Args:
        channels: Of the five blocks.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width, count in zip(channels, _CONVOLUTIONS, strict=True):
            if layers:
                layers.append(nn.MaxPool2d(2))
            for _ in range(count):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
                before = width
        self.features = nn.Sequential(*layers)
        for name, values in (("mean", _MEAN), ("spread", _SPREAD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, pictures: Float[Tensor, "n 3 h w"]) -> list[Float[Tensor, "n _c _h _w"]]:
        """Return the five maps.

        Args:
            pictures: RGB in [-1, 1]; values beyond are cut.
        """
        x = (pictures.clamp(-1, 1) / 2 + 0.5 - self.mean) / self.spread
        maps = []
        for place, layer in enumerate(self.features):
            x = layer(x)
            if place in _ENDS:
                maps.append(x)
        return maps


def perceptual_distance(
    network: Vgg19,
    made: Float[Tensor, "n 3 h w"],
    real: Float[Tensor, "n 3 h w"],
    scales: int = 1,
) -> Float[Tensor, ""]:
    """Return the L1 distance of the maps, averaged over the five, summed over scales.

    Args:
        network: The network.
        made: Pictures that learn.
        real: What they shall look like.
        scales: How often both are compared, each time at half the size.
    """
    total = made.new_zeros(())
    for scale in range(scales):
        if scale:
            made, real = (functional.avg_pool2d(x, 2) for x in (made, real))
        with torch.no_grad():
            wanted = network(real)
        found = network(made)
        pairs = zip(found, wanted, strict=True)
        total = total + torch.stack([(a - b).abs().mean() for a, b in pairs]).mean()
    return total


def tiny() -> Vgg19:
    """Return a random network of the same topology with few channels, for tests."""
    network = Vgg19((4, 4, 6, 6, 8))
    fill_randomly(network)
    return network


def load_vgg19(path: Path) -> Vgg19:
    """Load `vgg19-dcbb9e9d.pth` of torchvision.

    Raises:
        CheckpointError: If it does not fit.
    """
    state = {name: value for name, value in read_state_dict(path).items() if name not in UNUSED}
    network = Vgg19()
    load_strictly(network, state, path.name)
    return network
