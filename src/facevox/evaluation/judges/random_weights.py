"""Weights for twins of judges in tests: random, repeatable, and alive in deep networks."""

import torch
from torch import nn


def fill_randomly(network: nn.Module, seed: int = 0) -> None:
    """Draw the weights of all convolutions and linear layers anew, then set `eval`.

    The spread is He's, which keeps what goes through at its strength; torch's own makes it
    fade to nothing within some twenty layers.  The global random state is left alone.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    network.eval().requires_grad_(False)
