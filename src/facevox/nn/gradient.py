"""What happens to gradients on their way back."""

from torch import Tensor


def scale_gradient(x: Tensor, share: float) -> Tensor:
    """Return `x` with its gradient multiplied by `share`; 0 stops it."""
    if share == 0.0:
        return x.detach()
    return x * share + x.detach() * (1.0 - share)
