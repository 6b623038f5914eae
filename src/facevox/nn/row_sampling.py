"""Bilinear sampling of feature maps as weighted sums of rows.

With the channels of a pixel side by side, each result is a sum of four rows: several times
faster on a CPU than sampling channel by channel, and one map serves all flows without copies.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


class RowSampler:
    """Samples one feature map; zero beyond its border.

    Args:
        feature_map: The map; its precision is that of the results.
    """

    def __init__(self, feature_map: Float[Tensor, "1 channels side side"]) -> None:
        self.side = feature_map.shape[-1]
        # zeros around stand for all that lies outside; one more serves as a neighbour
        padded = functional.pad(feature_map, (1, 2, 1, 2))
        self._width = padded.shape[-1]
        self._rows = padded[0].permute(1, 2, 0).flatten(0, 1).contiguous()
        corners = (0, 1, self._width, self._width + 1)
        self._corners = torch.tensor(corners, dtype=torch.int32, device=feature_map.device)

    def __call__(
        self,
        x: Float[Tensor, "batch height width"],
        y: Float[Tensor, "batch height width"],
        weight: Float[Tensor, "batch height width"],
    ) -> Float[Tensor, "batch channels height width"]:
        """Return samples times weights, in channels-last order.

        Args:
            x: Where to look, -1 to 1 between the outer borders of the outermost pixels.
            y: The same downward.
            weight: Factor of each sample, such as a mask.
        """
        (column, right), (row, below) = self._split(x), self._split(y)
        first = (row * self._width + column).add_(self._width + 1.0)
        index = first.int().reshape(-1, 1) + self._corners
        below = below * weight
        above = weight - below
        lower, upper = below * right, above * right
        shares = torch.stack([above - upper, upper, below - lower, lower], -1)
        sums = functional.embedding_bag(
            index,
            self._rows,
            per_sample_weights=shares.reshape(-1, 4).to(self._rows.dtype),
            mode="sum",
        )
        return sums.unflatten(0, x.shape).permute(0, 3, 1, 2)

    def _split(self, place: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pixel at or before each place, and how far the place lies behind it."""
        pixel = (place * (self.side / 2)).add_((self.side - 1) / 2).clamp_(-1, self.side)
        whole = pixel.floor()
        return whole, pixel.sub_(whole)
