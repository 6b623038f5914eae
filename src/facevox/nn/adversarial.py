"""What a discriminator of pictures and its opponent are trained with.

Reference:
    Goodfellow et al., Generative adversarial nets, NeurIPS 2014 (the losses that do not
    saturate); Mescheder, Geiger and Nowozin, Which training methods for GANs do actually
    converge?, ICML 2018 (R1); Karras et al., Progressive growing of GANs, ICLR 2018
    (deviation within a minibatch).
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def discriminator_loss(
    real: Float[Tensor, "batch 1"], made: Float[Tensor, "others 1"]
) -> Float[Tensor, ""]:
    """Return softplus(D(made)) + softplus(-D(real)); 2 ln 2 where nothing is told apart."""
    return functional.softplus(made).mean() + functional.softplus(-real).mean()


def generator_loss(made: Float[Tensor, "batch 1"]) -> Float[Tensor, ""]:
    """Return softplus(-D(made)): how far scores of made pictures are from real."""
    return functional.softplus(-made).mean()


def gradient_penalty(
    scores: Float[Tensor, "batch 1"],
    pictures: Float[Tensor, "batch channels height width"],
    weight: float = 10.0,
) -> Float[Tensor, ""]:
    """Return R1: half the weight times the mean squared slope of the scores at real pictures.

    Args:
        scores: Of the pictures, with their graph.
        pictures: Real ones, which take gradients.
        weight: gamma.
    """
    (slope,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
    return slope.float().square().sum((1, 2, 3)).mean() * (weight / 2)


def with_deviation(
    x: Float[Tensor, "batch channels height width"], group: int = 4
) -> Float[Tensor, "batch channels_and_one height width"]:
    """Append a channel that tells how much the pictures of a group differ.

    Args:
        x: Feature maps.
        group: Pictures in a group; a smaller batch is one group.

    Raises:
        ValueError: If the batch cannot be divided into groups.
    """
    batch, channels, height, width = x.shape
    group = min(group, batch)
    if batch % group:
        raise ValueError(f"The batch must be a multiple of {group} pictures, got {batch}.")
    # pictures of a group lie `batch / group` apart, as in published weights
    groups = x.float().reshape(group, -1, channels, height, width)
    deviation = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
    plane = deviation.repeat(group)[:, None, None, None].expand(-1, 1, height, width)
    return torch.cat([x, plane.to(x.dtype)], 1)
