"""ArcFace: improved residual network in the layout of InsightFace.

Layout of `backbone.pth` (`arcface_torch/backbones/iresnet.py`): `conv1`, `bn1`, `prelu`,
`layer1` to `layer4`, `bn2`, `fc`, `features`.

Reference:
    Deng et al., ArcFace: additive angular margin loss for deep face recognition, CVPR 2019.
    github.com/deepinsight/insightface
"""

from collections.abc import Sequence
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from facevox.evaluation.judges.checkpoint_file import loaded
from facevox.evaluation.judges.face_recogniser import FaceRecogniser

IRESNET_50, IRESNET_100 = (3, 4, 14, 3), (3, 13, 30, 3)
"""Blocks on each of the four levels."""

_STEPS = 16  # a level halves the picture, four of them


class Block(nn.Module):
    """Two convolutions with a shortcut.

    Args:
        channels_in: Channels that come in.
        channels: Channels that go out.
        stride: Of the second convolution and the shortcut.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.prelu = nn.PReLU(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        """Return the sum of both paths."""
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(y)) + self.downsample(x)


class IResNet(FaceRecogniser):
    """The network.

    Args:
        blocks: Blocks on each level.
        width: Channels of the first level; each further level has twice as many.
        dim: Length of the embedding.
        side: Side of the faces [px].
    """

    def __init__(
        self, blocks: Sequence[int] = IRESNET_100, width: int = 64, dim: int = 512, side: int = 112
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        widths = [width, *(width * 2**level for level in range(4))]
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            _level(before, channels, count)
            for before, channels, count in zip(widths[:-1], widths[1:], blocks, strict=True)
        )
        self.bn2 = nn.BatchNorm2d(widths[-1])
        self.fc = nn.Linear(widths[-1] * (side // _STEPS) ** 2, dim)
        self.features = nn.BatchNorm1d(dim)

    def forward(self, x: Float[Tensor, "n 3 112 112"]) -> Float[Tensor, "n dim"]:
        """Return the embeddings of RGB faces in [-1, 1], not normalised."""
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(self.bn2(x).flatten(1)))


def _level(channels_in: int, channels: int, count: int) -> nn.Sequential:
    first = Block(channels_in, channels, 2)
    return nn.Sequential(first, *(Block(channels, channels, 1) for _ in range(count - 1)))


def tiny() -> IResNet:
    """Return a network of the same topology with few channels, for tests."""
    return IResNet(blocks=(2, 1, 2, 1), width=4, dim=16).eval()


def load_arcface_iresnet50(path: Path) -> IResNet:
    """Return the network with 50 layers.

    Raises:
        CheckpointError: If the file is absent, damaged or of another layout.
    """
    return loaded(IResNet(IRESNET_50), path)


def load_arcface_iresnet100(path: Path) -> IResNet:
    """Return the network with 100 layers.

    Raises:
        CheckpointError: If the file is absent, damaged or of another layout.
    """
    return loaded(IResNet(IRESNET_100), path)
