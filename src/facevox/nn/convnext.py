"""ConvNeXt blocks over time: a depthwise convolution, then a small network at each frame.

Reference:
    Liu et al., A ConvNet for the 2020s, CVPR 2022; over time as in Siuzdak, Vocos, ICLR 2024.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class ConvNextBlock(nn.Module):
    """Frames -> frames of the same size, with a residual path around all.

    Args:
        dim: Features of a frame.
        kernel: Frames that the depthwise convolution spans; odd.
        expansion: Size of the hidden layer as a multiple of `dim`.
        scale: First gain of what is added to the residual path.
    """

    def __init__(self, dim: int, kernel: int = 7, expansion: int = 3, scale: float = 0.1) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.widen = nn.Linear(dim, expansion * dim)
        self.narrow = nn.Linear(expansion * dim, dim)
        self.scale = nn.Parameter(torch.full((dim,), scale))

    def forward(self, x: Float[Tensor, "batch frames dim"]) -> Float[Tensor, "batch frames dim"]:
        """Return the features after this block; frames beyond the ends count as zero."""
        hidden = self.norm(depthwise(x, self.depthwise))
        hidden = self.narrow(functional.gelu(self.widen(hidden), approximate="tanh"))
        return x + self.scale * hidden


def depthwise(
    x: Float[Tensor, "batch frames dim"], convolution: nn.Conv1d
) -> Float[Tensor, "batch frames dim"]:
    """Apply a depthwise convolution to frames that lie one after the other in memory."""
    (kernel,) = convolution.kernel_size
    frames = x.shape[1]
    padded = functional.pad(x, (0, 0, kernel // 2, kernel // 2))
    weight = convolution.weight.squeeze(1)
    # sums of shifted frames: on a CPU several times faster to train than groups=dim
    result = padded[:, :frames] * weight[:, 0]
    for tap in range(1, kernel):
        result = result + padded[:, tap : tap + frames] * weight[:, tap]
    return result if convolution.bias is None else result + convolution.bias
