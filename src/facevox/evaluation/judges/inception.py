"""Inception v3 as FID uses it: the TensorFlow network of 2015, in the layout of pytorch-fid.

It is not torchvision's network.  Average pools inside the blocks leave the padding out of the
mean, the last block takes a maximum where all others take a mean, there are 1008 classes,
and there is no auxiliary classifier.

Reference:
    Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016.
    Heusel et al., NeurIPS 2017; github.com/mseitzer/pytorch-fid, Apache-2.0.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, relu

from facevox.evaluation.judges.checkpoint_file import loaded
from facevox.evaluation.judges.random_weights import fill_randomly

SIDE = 299
"""Side of the pictures that the network sees [px]."""

NUM_CLASSES = 1008


class ConvUnit(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int], stride: int = 1) -> None:
        super().__init__()
        same = (kernel[0] // 2, kernel[1] // 2)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, same, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Float[Tensor, "n inputs h w"]) -> Float[Tensor, "n outputs h2 w2"]:
        """Return the features."""
        return relu(self.bn(self.conv(x)))


class Block(nn.Module):
    """Units whose names say how they are joined.

    Args:
        inputs: Channels that come in.
        branches: Name of each branch -> its units as (name, channels, kernel); a unit that is
            a tuple of two stands for two units that read the same and are joined.
        stride: 2 halves the picture in the last unit of every branch, without padding.
        pool: `mean` or `max` before the branch called `branch_pool`; `bare` hands on a
            maximum of the input without a unit.
    """

    def __init__(
        self,
        inputs: int,
        branches: dict[str, list],
        *,
        stride: int = 1,
        pool: str = "mean",
    ) -> None:
        super().__init__()
        self.pool = pool
        self.paths: list[tuple[str, list[tuple[str, ...]]]] = []
        self.outputs = inputs if pool == "bare" else 0
        for branch, steps in branches.items():
            channels, path = inputs, []
            for step in steps:
                units = step if isinstance(step[0], tuple) else (step,)
                last = stride == 2 and step is steps[-1]
                for name, outputs, kernel in units:
                    unit = ConvUnit(channels, outputs, kernel, 2 if last else 1)
                    if last:
                        unit.conv.padding = (0, 0)
                    self.add_module(name, unit)
                path.append(tuple(name for name, _, _ in units))
                channels = sum(outputs for _, outputs, _ in units)
            self.paths.append((branch, path))
            self.outputs += channels

    def forward(self, x: Float[Tensor, "n inputs h w"]) -> Float[Tensor, "n outputs h2 w2"]:
        """Return all branches, one after another in the channels."""
        results = []
        for branch, path in self.paths:
            y = self._pooled(x) if branch == "branch_pool" else x
            for names in path:
                parts = [self.get_submodule(name)(y) for name in names]
                y = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
            results.append(y)
        if self.pool == "bare":
            results.append(max_pool2d(x, 3, 2))
        return torch.cat(results, 1)

    def _pooled(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        if self.pool == "max":
            return max_pool2d(x, 3, 1, 1)
        return avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class InceptionV3(nn.Module):
    """Pictures to features of the last pooling.

    Args:
        divisor: Divides all channels; 1 is the published network.

    Attributes:
        dim: Numbers in a feature; 2048 in the published network.
    """

    def __init__(self, divisor: int = 1) -> None:
        super().__init__()
        self.divisor = divisor
        k1, k3 = (1, 1), (3, 3)
        thin = self._thin
        self.Conv2d_1a_3x3 = _unpadded(3, thin(32), 3, 2)
        self.Conv2d_2a_3x3 = _unpadded(thin(32), thin(32), 3)
        self.Conv2d_2b_3x3 = ConvUnit(thin(32), thin(64), k3)
        self.Conv2d_3b_1x1 = ConvUnit(thin(64), thin(80), k1)
        self.Conv2d_4a_3x3 = _unpadded(thin(80), thin(192), 3)
        channels = thin(192)
        for name, block in (
            ("Mixed_5b", lambda c: self._block_a(c, 32)),
            ("Mixed_5c", lambda c: self._block_a(c, 64)),
            ("Mixed_5d", lambda c: self._block_a(c, 64)),
            ("Mixed_6a", self._block_b),
            ("Mixed_6b", lambda c: self._block_c(c, 128)),
            ("Mixed_6c", lambda c: self._block_c(c, 160)),
            ("Mixed_6d", lambda c: self._block_c(c, 160)),
            ("Mixed_6e", lambda c: self._block_c(c, 192)),
            ("Mixed_7a", self._block_d),
            ("Mixed_7b", lambda c: self._block_e(c, "mean")),
            ("Mixed_7c", lambda c: self._block_e(c, "max")),
        ):
            made = block(channels)
            self.add_module(name, made)
            channels = made.outputs
        self.dim = channels
        self.fc = nn.Linear(channels, NUM_CLASSES)

    def forward(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n dim"]:
        """Return the features of pictures in [0, 1], of any size."""
        x = interpolate(pictures, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(2 * x - 1)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(max_pool2d(x, 3, 2)))
        x = max_pool2d(x, 3, 2)
        for name, module in self.named_children():
            if name.startswith("Mixed"):
                x = module(x)
        return x.mean((2, 3))

    @torch.inference_mode()
    def features(self, pictures: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n dim"]:
        """Return the features of RGB pictures; `fc` is not used."""
        batch = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
        weight = self.fc.weight
        batch = batch.to(weight.device, torch.float32).div_(255)
        batch = batch.contiguous(memory_format=torch.channels_last)
        return self(batch).float().cpu().numpy()

    def _thin(self, channels: int) -> int:
        return max(channels // self.divisor, 1)

    def _block_a(self, inputs: int, pooled: int) -> Block:
        t = self._thin
        return Block(
            inputs,
            {
                "branch1x1": [("branch1x1", t(64), (1, 1))],
                "branch5x5": [("branch5x5_1", t(48), (1, 1)), ("branch5x5_2", t(64), (5, 5))],
                "branch3x3dbl": [
                    ("branch3x3dbl_1", t(64), (1, 1)),
                    ("branch3x3dbl_2", t(96), (3, 3)),
                    ("branch3x3dbl_3", t(96), (3, 3)),
                ],
                "branch_pool": [("branch_pool", t(pooled), (1, 1))],
            },
        )

    def _block_b(self, inputs: int) -> Block:
        t = self._thin
        return Block(
            inputs,
            {
                "branch3x3": [("branch3x3", t(384), (3, 3))],
                "branch3x3dbl": [
                    ("branch3x3dbl_1", t(64), (1, 1)),
                    ("branch3x3dbl_2", t(96), (3, 3)),
                    ("branch3x3dbl_3", t(96), (3, 3)),
                ],
            },
            stride=2,
            pool="bare",
        )

    def _block_c(self, inputs: int, inner: int) -> Block:
        inner, outer = self._thin(inner), self._thin(192)
        return Block(
            inputs,
            {
                "branch1x1": [("branch1x1", outer, (1, 1))],
                "branch7x7": [
                    ("branch7x7_1", inner, (1, 1)),
                    ("branch7x7_2", inner, (1, 7)),
                    ("branch7x7_3", outer, (7, 1)),
                ],
                "branch7x7dbl": [
                    ("branch7x7dbl_1", inner, (1, 1)),
                    ("branch7x7dbl_2", inner, (7, 1)),
                    ("branch7x7dbl_3", inner, (1, 7)),
                    ("branch7x7dbl_4", inner, (7, 1)),
                    ("branch7x7dbl_5", outer, (1, 7)),
                ],
                "branch_pool": [("branch_pool", outer, (1, 1))],
            },
        )

    def _block_d(self, inputs: int) -> Block:
        t = self._thin
        return Block(
            inputs,
            {
                "branch3x3": [("branch3x3_1", t(192), (1, 1)), ("branch3x3_2", t(320), (3, 3))],
                "branch7x7x3": [
                    ("branch7x7x3_1", t(192), (1, 1)),
                    ("branch7x7x3_2", t(192), (1, 7)),
                    ("branch7x7x3_3", t(192), (7, 1)),
                    ("branch7x7x3_4", t(192), (3, 3)),
                ],
            },
            stride=2,
            pool="bare",
        )

    def _block_e(self, inputs: int, pool: str) -> Block:
        t = self._thin
        return Block(
            inputs,
            {
                "branch1x1": [("branch1x1", t(320), (1, 1))],
                "branch3x3": [
                    ("branch3x3_1", t(384), (1, 1)),
                    (("branch3x3_2a", t(384), (1, 3)), ("branch3x3_2b", t(384), (3, 1))),
                ],
                "branch3x3dbl": [
                    ("branch3x3dbl_1", t(448), (1, 1)),
                    ("branch3x3dbl_2", t(384), (3, 3)),
                    (("branch3x3dbl_3a", t(384), (1, 3)), ("branch3x3dbl_3b", t(384), (3, 1))),
                ],
                "branch_pool": [("branch_pool", t(192), (1, 1))],
            },
            pool=pool,
        )


def tiny() -> InceptionV3:
    """Return the same network with a thirty-second of the channels, random, for tests."""
    network = InceptionV3(divisor=32)
    fill_randomly(network)
    return network


def load_inception(path: Path) -> InceptionV3:
    """Load `pt_inception-2015-12-05-6726825d.pth` as pytorch-fid publishes it.

    Raises:
        CheckpointError: If it does not fit.
    """
    network = loaded(InceptionV3(), path)
    for weight in network.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return network


def _unpadded(inputs: int, outputs: int, kernel: int, stride: int = 1) -> ConvUnit:
    unit = ConvUnit(inputs, outputs, (kernel, kernel), stride)
    unit.conv.padding = (0, 0)
    return unit
