"""The discriminator: single pictures -> how real they look.

Reference:
    Karras et al., Analyzing and improving the image quality of StyleGAN, CVPR 2020 (the
    residual one).
"""

import itertools

from jaxtyping import Float
from torch import Tensor, nn

from facevox.models.face.lia.config import GeneratorConfig
from facevox.nn.adversarial import with_deviation
from facevox.nn.equalized import ConvLayer, DownBlock, EqualizedLinear


class Discriminator(nn.Module):
    """Residual blocks as in the encoder, then one score.

    Args:
        config: Sizes of the generator, whose widths it has.
        group: Pictures that are compared with each other; batches are multiples of it, or
            smaller.
    """

    def __init__(self, config: GeneratorConfig, group: int = 4) -> None:
        super().__init__()
        widths = [config.channels[side] for side in reversed(config.sides)]
        last = widths[-1]
        self.group = group
        self.stem = ConvLayer(3, widths[0], 1)
        self.blocks = nn.ModuleList(
            DownBlock(narrow, wide) for narrow, wide in itertools.pairwise(widths)
        )
        self.last = ConvLayer(last + 1, last, 3)
        self.hidden = EqualizedLinear(last * 16, last, activated=True)
        self.score = EqualizedLinear(last, 1)

    def forward(self, pictures: Float[Tensor, "batch 3 side side"]) -> Float[Tensor, "batch 1"]:
        """Return scores in float32, higher for what looks real.

        Args:
            pictures: Values about [-1, 1].

        Raises:
            ValueError: If the batch cannot be divided into groups.
        """
        x = self.stem(pictures)
        for block in self.blocks:
            x = block(x)
        x = self.last(with_deviation(x, self.group))
        return self.score(self.hidden(x.flatten(1).float()))
