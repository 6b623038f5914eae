"""Motion features f_m <-> the compressed motion f_c in which motions are sampled.

Every channel of f_m has a meaning of its own, so that small errors in it shake the picture;
an auto-encoder leaves out what does not repeat.  It works on the magnitudes alpha of the
motion dictionary's directions, which hold all of f_m.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, section 3.2.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.face.ttsf.sampler_config import NormaliserConfig
from facevox.nn.convolution import FrameConv1d
from facevox.nn.masks import replicate_ends

_SLOPE, _EPS = 0.1, 1e-5


class HeldConv1d(FrameConv1d):
    """Convolution whose sequences go on with their first and last valid frame.

    Args:
        in_dim: Channels of the input.
        out_dim: Channels of the output.
        kernel: Frames; odd.
    """

    def __init__(self, in_dim: int, out_dim: int, kernel: int) -> None:
        super().__init__(in_dim, out_dim, kernel)

    def after(
        self, x: Float[Tensor, "batch time channels"], lengths: Int[Tensor, " batch"]
    ) -> Tensor:
        """Return (batch, time, out_dim), whatever lies in `x` beyond the lengths."""
        reach = int(self.kernel_size[0]) // 2
        return self(replicate_ends(x, lengths, reach, reach))


class MotionNormaliser(nn.Module):
    """Auto-encoder over alpha, with the running mean and deviation of f_c.

    Args:
        motion_dim: Directions of the motion dictionary.
        config: Sizes.
    """

    def __init__(self, motion_dim: int, config: NormaliserConfig) -> None:
        super().__init__()
        width, dim = config.width, config.compressed_dim
        self.momentum = config.momentum
        self.encoder = nn.ModuleList(
            [
                HeldConv1d(motion_dim, width, 3),
                HeldConv1d(width, width, 3),
                HeldConv1d(width, dim, 1),
            ]
        )
        self.decoder = nn.ModuleList(
            [
                HeldConv1d(dim, width, 1),
                HeldConv1d(width, width, 3),
                HeldConv1d(width, motion_dim, 3),
            ]
        )
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("variance", torch.ones(dim))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self.mean: Tensor
        self.variance: Tensor
        self.updates: Tensor

    def forward(
        self,
        f_m: Float[Tensor, "batch frames style"],
        directions: Float[Tensor, "style motion"],
        mask: Bool[Tensor, "batch frames"],
    ) -> tuple[Float[Tensor, "batch frames dim"], Float[Tensor, "batch frames style"]]:
        """Return f_c and the reconstruction of f_m; in training, also follow mean and deviation.

        Args:
            f_m: Motion features.
            directions: Orthonormal columns Q with f_m = Q alpha.
            mask: Valid frames.
        """
        f_c = self.encode(f_m, directions, mask)
        if self.training:
            self.follow(f_c, mask)
        return f_c, self.decode(f_c, directions, mask)

    def encode(
        self,
        f_m: Float[Tensor, "batch frames style"],
        directions: Float[Tensor, "style motion"],
        mask: Bool[Tensor, "batch frames"],
    ) -> Float[Tensor, "batch frames dim"]:
        """Return f_c."""
        with torch.autocast(f_m.device.type, enabled=False):  # motions shake in half precision
            return _through(self.encoder, f_m.float() @ directions.float(), mask)

    def decode(
        self,
        f_c: Float[Tensor, "batch frames dim"],
        directions: Float[Tensor, "style motion"],
        mask: Bool[Tensor, "batch frames"],
    ) -> Float[Tensor, "batch frames style"]:
        """Return f_m, which lies in the span of the directions."""
        with torch.autocast(f_c.device.type, enabled=False):
            return _through(self.decoder, f_c.float(), mask) @ directions.float().T

    def standardised(
        self, f_c: Float[Tensor, "batch frames dim"]
    ) -> Float[Tensor, "batch frames dim"]:
        """Return f_c with mean 0 and variance 1 over what was seen in training."""
        return (f_c.float() - self.mean) * torch.rsqrt(self.variance + _EPS)

    def restored(self, x: Float[Tensor, "batch frames dim"]) -> Float[Tensor, "batch frames dim"]:
        """Return what `standardised` made `x` of."""
        return x.float() * (self.variance + _EPS).sqrt() + self.mean

    @torch.no_grad()
    def follow(
        self, f_c: Float[Tensor, "batch frames dim"], mask: Bool[Tensor, "batch frames"]
    ) -> None:
        """Move the running mean and variance towards those of a batch.

        They are plain means of the first batches, and forget from then on.
        """
        valid = f_c.float()[mask]
        if not len(valid):
            return
        self.updates += 1
        share = max(1.0 / float(self.updates), self.momentum)
        self.mean += share * (valid.mean(0) - self.mean)
        self.variance += share * ((valid - self.mean).square().mean(0) - self.variance)


def _through(layers: nn.ModuleList, x: Tensor, mask: Tensor) -> Tensor:
    """Run convolutions with leaky ReLUs between them; 0 where padded."""
    lengths = mask.sum(1)
    for index, layer in enumerate(layers):
        assert isinstance(layer, HeldConv1d)
        x = layer.after(functional.leaky_relu(x, _SLOPE) if index else x, lengths)
    return x * mask.unsqueeze(-1)
