"""Identity, motion and lips -> one style for each layer of the synthesis network.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, equation 1 (layers 1 to 7 are moved, 6 and 7 by
    the lips alone).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from facevox.models.face.lia.config import GeneratorConfig

_MOVED, _LIPS = range(1, 8), (6, 7)


class StyleFusion(nn.Module):
    """Adds motion and lips to the identity, each in its own layers.

    Args:
        config: Mode and layers.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.mode, self.num_styles = config.fusion, config.num_styles
        self.moved, self.lips = moved_layers(config)
        dim = config.style_dim
        self.projection = nn.Linear(2 * dim, dim) if self.mode == "project" else None

    def forward(
        self,
        f_id: Float[Tensor, "batch style"],
        f_m: Float[Tensor, "batch style"],
        f_lip: Float[Tensor, "batch style"] | None = None,
    ) -> Float[Tensor, "batch layers style"]:
        """Return the styles.

        Args:
            f_id: Identity of the source.
            f_m: Motion of the target.
            f_lip: Lips of the target; None moves the lips' layers by f_m, as before the audio
                layers exist.
        """
        moved = f_id + f_m
        lips = moved if f_lip is None else self._lips(f_id, f_m, f_lip)
        layers = [
            lips if index in self.lips else moved if index in self.moved else f_id
            for index in range(self.num_styles)
        ]
        return torch.stack(layers, 1)

    def _lips(self, f_id: Tensor, f_m: Tensor, f_lip: Tensor) -> Tensor:
        if self.projection is not None:
            return f_id + self.projection(torch.cat([f_m, f_lip], -1))
        return f_id + f_lip if self.mode == "replace" else f_id + f_m + f_lip


def moved_layers(config: GeneratorConfig) -> tuple[frozenset[int], frozenset[int]]:
    """Return the indices of styles that f_m moves, and those that f_lip does.

    With the map "levels" every style of a resolution counts: the published seven levels are
    4 to 256 px, the lips in the two finest.
    """
    if config.layer_map == "styles":
        indices = range(config.num_styles)
        lips = frozenset(index for index in _LIPS if index in indices)
        return frozenset(index for index in _MOVED if index in indices) - lips, lips
    # style 0 belongs to 4 px; two styles follow for each further resolution, and the last flow
    level = [0, *((index + 1) // 2 for index in range(1, config.num_styles - 1))]
    level.append(level[-1])
    lips = frozenset(index for index, place in enumerate(level) if place >= max(level) - 1)
    return frozenset(range(config.num_styles)) - lips, lips
