"""Hopenet: yaw, pitch and roll of a head from its pixels.

Layout of `hopenet_robust_alpha1.pkl`: torchvision's ResNet-50 without `fc`, then `fc_yaw`,
`fc_pitch`, `fc_roll` (66 bins of 3 degrees) and `fc_finetune`, left over from an earlier
version, which takes no part in the answer.  The file is older than torch 0.4: a bare pickle
of tensors on a GPU, without the counters of batch normalisation.

Reference:
    Ruiz, Chong and Rehg, Fine-grained head pose estimation without keypoints, CVPRW 2018.
    github.com/natanielruiz/deep-head-pose
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from PIL import Image
from torch import Tensor, nn

from facevox.evaluation.judges.checkpoint_file import loaded

RESNET_50 = (3, 4, 6, 3)
BINS, BIN_WIDTH, FIRST_BIN = 66, 3.0, -99.0
"""Bins of an angle, their width and the first of them [deg]."""

SIDE = 224
"""Side of the picture that the network sees [px]."""

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EXPANSION = 4
_BATCH = 16

FACE_OVAL = (234, 454, 152, 58, 288, 172, 397, 136, 365)
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
"""The outline of a face between brows and chin."""


class Bottleneck(nn.Module):
    """Three convolutions with a shortcut, as in torchvision.

    Args:
        channels_in: Channels that come in.
        channels: Channels in the middle; four times as many go out.
        stride: Of the middle convolution and the shortcut.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        out = channels * _EXPANSION
        self.conv1 = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels_in != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        """Return the sum of both paths."""
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(torch.relu(self.bn2(self.conv2(y)))))
        return torch.relu(y + self.downsample(x))


class Hopenet(nn.Module):
    """The network.

    Args:
        blocks: Blocks on each of the four levels.
        width: Channels of the first level; each further level has twice as many.
    """

    def __init__(self, blocks: Sequence[int] = RESNET_50, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        wide = [width * 2**level for level in range(4)]
        narrow = [width, *(channels * _EXPANSION for channels in wide[:-1])]
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            _level(channels_in, channels, count, stride)
            for channels_in, channels, count, stride in zip(
                narrow, wide, blocks, (1, 2, 2, 2), strict=True
            )
        )
        dim = wide[-1] * _EXPANSION
        self.fc_yaw, self.fc_pitch, self.fc_roll = (nn.Linear(dim, BINS) for _ in range(3))
        self.fc_finetune = nn.Linear(dim + 3, 3)
        self.register_buffer("_bins", torch.arange(BINS, dtype=torch.float32), persistent=False)

    def forward(
        self, x: Float[Tensor, "n 3 h w"]
    ) -> tuple[Float[Tensor, "n dim"], Float[Tensor, "n 3"]]:
        """Return the pooled features and yaw, pitch, roll [deg] of normalised RGB pictures."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        features = x.mean((2, 3))
        bins = [layer(features) for layer in (self.fc_yaw, self.fc_pitch, self.fc_roll)]
        return features, torch.stack([self._angle(scores) for scores in bins], 1)

    def look(
        self, heads: Iterable[UInt8[np.ndarray, "224 224 3"]]
    ) -> tuple[Float32[np.ndarray, "n dim"], Float32[np.ndarray, "n 3"]]:
        """Return features and angles [deg] of crops from `cut_head`, RGB."""
        features, angles = [], []
        mean, deviation = torch.tensor(_MEAN), torch.tensor(_DEVIATION)
        with torch.inference_mode():
            for batch in _batches(heads):
                x = (torch.from_numpy(batch).float() / 255 - mean) / deviation
                seen, turned = self(x.permute(0, 3, 1, 2))
                features.append(seen)
                angles.append(turned)
        return torch.cat(features).numpy(), torch.cat(angles).numpy()

    def _angle(self, scores: Float[Tensor, "n bins"]) -> Float[Tensor, " n"]:
        bins = self.get_buffer("_bins")
        return (scores.softmax(1) * bins).sum(1) * BIN_WIDTH + FIRST_BIN


def cut_head(
    pixels: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"]
) -> UInt8[np.ndarray, "224 224 3"]:
    """Return the picture that the network looks at.

    The authors enlarge a detector's box by half its width on both sides, 3/4 of its height
    above and 1/4 below; in training the box was that of the 68 landmarks from brows to chin.
    Here it is that of the same outline in our landmarks.  Then, as theirs: cut off at the
    borders of the picture, short side to 224 px, middle square.
    """
    outline = landmarks[[*FACE_OVAL, *BROWS], :2]
    (x0, y0), (x1, y1) = outline.min(0), outline.max(0)
    width, height = float(x1 - x0), float(y1 - y0)
    box = (x0 - width / 2, y0 - 0.75 * height, x1 + width / 2, y1 + height / 4)
    limits = np.array([pixels.shape[1], pixels.shape[0]] * 2)
    left, top, right, bottom = np.clip(box, (0, 0, 1, 1), limits).round().astype(int).tolist()
    left, top = min(left, right - 1), min(top, bottom - 1)
    head = Image.fromarray(pixels[top:bottom, left:right])
    short = min(head.size)
    size = SIDE * head.width // short, SIDE * head.height // short
    head = head.resize(size, Image.Resampling.BILINEAR)
    x, y = round((size[0] - SIDE) / 2), round((size[1] - SIDE) / 2)
    return np.asarray(head.crop((x, y, x + SIDE, y + SIDE)))


def tiny() -> Hopenet:
    """Return a network of the same topology with few channels, for tests."""
    return Hopenet(blocks=(1, 2, 1, 1), width=4).eval()


def load_hopenet(path: Path) -> Hopenet:
    """Return the network with the authors' weights.

    Raises:
        CheckpointError: If the file is absent, damaged or of another layout.
    """
    return loaded(Hopenet(), path)


def _level(channels_in: int, channels: int, count: int, stride: int) -> nn.Sequential:
    out = channels * _EXPANSION
    first = Bottleneck(channels_in, channels, stride)
    return nn.Sequential(first, *(Bottleneck(out, channels, 1) for _ in range(count - 1)))


def _batches(heads: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    batch: list[np.ndarray] = []
    for head in heads:
        batch.append(head)
        if len(batch) == _BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
