"""The network's stated cost is what its products cost."""

import numpy as np

from facevox.models.face.mouth_network import (
    CONTEXT,
    DILATIONS,
    KERNEL,
    initial_weights,
    mouth_network,
    multiply_adds_per_hop,
)
from facevox.models.face.phone_features import NUM_FEATURES


class Counted(np.ndarray):
    """An array that counts the multiply-adds of its matrix products."""

    total = 0

    def __matmul__(self, other):
        Counted.total += int(np.prod(self.shape)) * other.shape[-1]
        return (np.asarray(self) @ np.asarray(other)).view(Counted)


def test_multiply_adds_are_those_of_the_products():
    hops = 400
    features = np.zeros((hops + 2 * CONTEXT, NUM_FEATURES), np.float32).view(Counted)
    Counted.total = 0
    mouth_network(features, initial_weights(0))
    stated = multiply_adds_per_hop()
    assert len(DILATIONS) * KERNEL < stated
    # blocks also work on the context at both ends, which a long stream shares
    assert stated <= Counted.total / hops <= stated * (hops + 2 * CONTEXT) / hops
