"""The network from phones to mouth shapes: dilated convolutions over 10 ms hops.

It is written with slices, products and sums only, so that the same function
trains on torch tensors and runs on numpy arrays; speaking needs no torch.

Reference:
    van den Oord et al., WaveNet: a generative model for raw audio, 2016
    (dilated residual convolutions; here non-causal).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from facevox.core.motion import NUM_MOUTH
from facevox.models.face.phone_features import NUM_FEATURES

WIDTH = 64
KERNEL = 5
DILATIONS = (1, 2, 4, 8, 8)
CONTEXT = (KERNEL - 1) // 2 * sum(DILATIONS)
"""Hops that an output sees to each side."""

NUM_OUTPUTS = NUM_MOUTH + 1
"""Coefficients of the mouth basis, then the lip gap in units of `GAP_UNIT`."""

GAP_UNIT = 0.08
"""Typical opening while speaking [IOD]."""


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of all weights."""
    shapes: dict[str, tuple[int, ...]] = {
        "input.weight": (NUM_FEATURES, WIDTH),
        "input.bias": (WIDTH,),
        "output.weight": (WIDTH, NUM_OUTPUTS),
        "output.bias": (NUM_OUTPUTS,),
        "gain": (NUM_OUTPUTS,),
    }
    for index in range(len(DILATIONS)):
        shapes[f"block{index}.taps"] = (KERNEL, WIDTH, WIDTH)
        shapes[f"block{index}.bias"] = (WIDTH,)
        shapes[f"block{index}.mix"] = (WIDTH, WIDTH)
    return shapes


def multiply_adds_per_hop() -> int:
    """Return the multiply-adds of one hop: every weight of a product is used once."""
    products = (np.prod(shape) for name, shape in weight_shapes().items() if "bias" not in name)
    return int(sum(products))


def initial_weights(seed: int) -> dict[str, np.ndarray]:
    """Return random weights from which training starts."""
    generator = np.random.default_rng(seed)
    weights = {}
    for name, shape in weight_shapes().items():
        if name == "gain":
            weights[name] = np.ones(shape, np.float32)
        elif name.endswith("bias"):
            weights[name] = np.zeros(shape, np.float32)
        else:
            fan_in = np.prod(shape[:-1])
            shrink = 0.3 if name.endswith("mix") else 1.0
            weights[name] = generator.normal(size=shape) * shrink * np.sqrt(2.0 / fan_in)
    return {name: value.astype(np.float32) for name, value in weights.items()}


def mouth_network(features: Any, weights: Mapping[str, Any]) -> Any:
    """Return the outputs for the hops that have `CONTEXT` hops on both sides.

    Args:
        features: (..., hops + 2 * CONTEXT, NUM_FEATURES), numpy or torch.
        weights: Arrays of the same kind as `features`, as `weight_shapes` says.

    Returns:
        (..., hops, NUM_OUTPUTS).
    """
    state = features @ weights["input.weight"] + weights["input.bias"]
    for index, dilation in enumerate(DILATIONS):
        taps = weights[f"block{index}.taps"]
        length = state.shape[-2] - (KERNEL - 1) * dilation
        hidden = weights[f"block{index}.bias"]
        for tap in range(KERNEL):
            start = tap * dilation
            hidden = hidden + state[..., start : start + length, :] @ taps[tap]
        hidden = hidden * (hidden > 0)
        middle = (KERNEL - 1) // 2 * dilation
        state = state[..., middle : middle + length, :] + hidden @ weights[f"block{index}.mix"]
    return (state @ weights["output.weight"] + weights["output.bias"]) * weights["gain"]
