"""First motion and lips -> the mean of the compressed motion.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, section 3.2 and equation 7.
"""

import math

from jaxtyping import Bool, Float
from torch import Tensor, nn

from facevox.models.face.ttsf.sampler_config import PriorConfig
from facevox.nn.conformer import Conformer
from facevox.nn.masks import masked_mean


class MotionPrior(nn.Module):
    """Conformer over the sum of the first motion and the lips of each frame.

    Args:
        style_dim: Size of f_m and f_lip.
        out_dim: Channels of f_c.
        config: Sizes.
    """

    def __init__(self, style_dim: int, out_dim: int, config: PriorConfig) -> None:
        super().__init__()
        self.first = nn.Linear(style_dim, config.dim)
        self.lips = nn.Linear(style_dim, config.dim)
        self.conformer = Conformer(
            config.layers, config.dim, config.heads, config.kernel, config.dropout
        )
        self.out = nn.Linear(config.dim, out_dim)

    def forward(
        self,
        f_m0: Float[Tensor, "batch style"],
        f_lip: Float[Tensor, "batch frames style"],
        mask: Bool[Tensor, "batch frames"],
    ) -> Float[Tensor, "batch frames out_dim"]:
        """Return mu, the mean of standardised f_c; 0 where padded.

        Args:
            f_m0: Motion of the first frame.
            f_lip: Lips of all frames.
            mask: Valid frames.
        """
        x = self.first(f_m0).unsqueeze(1) + self.lips(f_lip)
        return self.out(self.conformer(x, mask)) * mask.unsqueeze(-1)


def prior_loss(
    f_c: Float[Tensor, "batch frames dim"],
    mu: Float[Tensor, "batch frames dim"],
    mask: Bool[Tensor, "batch frames"],
) -> Float[Tensor, ""]:
    """Return -log N(f_c; mu, 1), the mean over valid frames and channels.

    Args:
        f_c: Compressed motion, standardised.
        mu: Its predicted mean.
        mask: Valid frames.
    """
    likelihood = (f_c.float() - mu.float()).square() + math.log(2 * math.pi)
    return masked_mean(0.5 * likelihood.mean(-1), mask)
