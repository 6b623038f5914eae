"""Exponential moving average of a network's weights."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class MovingAverage:
    """Float32 average of a network's parameters; buffers are taken as they are.

    Early the decay is smaller, min(decay, (1 + n) / (10 + n)) after n updates, so that the
    random start is soon forgotten.

    Reference: the warm-up of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self._network = network
        self.values = {
            name: value.detach().float().clone() for name, value in network.named_parameters()
        }

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the network."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for name, value in self._network.named_parameters():
            average = self.values[name]
            if average.device != value.device:
                average = self.values[name] = average.to(value.device)
            average.lerp_(value.detach().float(), 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the network, and the network's own weights back afterwards."""
        own = {name: value.detach().clone() for name, value in self._network.named_parameters()}
        self._fill(self.values)
        try:
            yield
        finally:
            self._fill(own)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the averages by parameter name."""
        return dict(self.values)

    def load(self, values: Mapping[str, Tensor], updates: int) -> None:
        """Take averages and their number of updates from a checkpoint."""
        self.values = {name: values[name].float().clone() for name in self.values}
        self.updates = updates

    @torch.no_grad()
    def _fill(self, values: Mapping[str, Tensor]) -> None:
        for name, value in self._network.named_parameters():
            value.copy_(values[name])
