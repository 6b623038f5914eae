"""Motion and identity: f = f_id + f_m, with f_m a mixture of orthogonal directions.

Reference:
    Wang et al., Latent image animator, ICLR 2022, section 3.1 (the dictionary); Jang et al.,
    Faces that Speak, CVPR 2024, section 3.2 (each picture is split by itself).
"""

import itertools
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from facevox.nn.equalized import EqualizedLinear

_DEPTH = 5


class MotionDictionary(nn.Module):
    """Orthonormal directions of motion.

    The directions are made anew from the weights while training; in evaluation they are made
    once, since QR may flip signs between libraries but not within a run.

    Args:
        style_dim: Size of a feature.
        motion_dim: Number of directions.
    """

    def __init__(self, style_dim: int, motion_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(style_dim, motion_dim))
        self._kept: tuple[int, Tensor] | None = None

    def directions(self) -> Float[Tensor, "style_dim motion_dim"]:
        """Return Q, whose columns are orthonormal."""
        if self.training or torch.is_grad_enabled():
            return self._made()
        if self._kept is None or self._kept[0] != self.weight._version:
            self._kept = (self.weight._version, self._made())
        return self._kept[1]

    def forget(self) -> None:
        """Let the directions be made anew at the next use."""
        self._kept = None

    def forward(self, alpha: Float[Tensor, "*batch motion_dim"]) -> Float[Tensor, "*batch style"]:
        """Return f_m = Q alpha; it is as long as alpha."""
        return alpha @ self.directions().T

    def project(self, feature: Float[Tensor, "*batch style"]) -> Float[Tensor, "*batch motion_dim"]:
        """Return Q^T f: the magnitudes of what lies in the directions' span."""
        return feature @ self.directions()

    def _made(self) -> Tensor:
        return torch.linalg.qr(self.weight.float() + 1e-8)[0]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a picture's feature is made of.

    Attributes:
        f_id: Identity, free of motion.
        f_m: Motion, f_id + f_m = f.
        alpha: Magnitudes of the motion's directions.
    """

    f_id: Float[Tensor, "batch style"]
    f_m: Float[Tensor, "batch style"]
    alpha: Float[Tensor, "batch motion_dim"]


class MotionExtractor(nn.Module):
    """Splits the feature of each picture into identity and motion.

    Five linear layers without activations between them give the magnitudes.  In LIA the
    feature of the source is taken as it is; here f_id = f - f_m for every picture by itself.

    Args:
        style_dim: Size of a feature.
        motion_dim: Number of directions.
    """

    def __init__(self, style_dim: int, motion_dim: int) -> None:
        super().__init__()
        sizes = [style_dim] * _DEPTH + [motion_dim]
        self.layers = nn.Sequential(*(EqualizedLinear(a, b) for a, b in itertools.pairwise(sizes)))
        self.dictionary = MotionDictionary(style_dim, motion_dim)

    def forward(self, feature: Float[Tensor, "batch style"]) -> Parts:
        """Return identity, motion and magnitudes."""
        alpha = self.layers(feature)
        f_m = self.dictionary(alpha)
        return Parts(f_id=feature - f_m, f_m=f_m, alpha=alpha)
