"""The visual encoder: a picture -> its feature f and feature maps.

Reference:
    Wang, Yang, Bremond and Dantcheva, Latent image animator, ICLR 2022.
"""

import itertools

from jaxtyping import Float
from torch import Tensor, nn

from facevox.models.face.lia.config import GeneratorConfig
from facevox.nn.equalized import ConvLayer, DownBlock, EqualizedConv2d


class VisualEncoder(nn.Module):
    """Residual blocks that halve the picture down to 4 x 4, and one convolution to a vector.

    Args:
        config: Sizes.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        widths = [config.channels[side] for side in reversed(config.sides)]
        self.stem = ConvLayer(3, widths[0], 1)
        self.blocks = nn.ModuleList(
            DownBlock(narrow, wide) for narrow, wide in itertools.pairwise(widths)
        )
        self.head = EqualizedConv2d(widths[-1], config.style_dim, 4)

    def forward(
        self, pictures: Float[Tensor, "batch 3 side side"]
    ) -> tuple[Float[Tensor, "batch style_dim"], list[Tensor]]:
        """Return the feature f, and maps (batch, channels, s, s) for s = 8, 16, ..., side.

        Args:
            pictures: Values in [-1, 1].
        """
        maps = [self.stem(pictures)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        feature = self.head(maps[-1]).flatten(1).float()
        return feature, maps[-2::-1]
