"""Conditional flow matching along straight lines, and solvers with fixed steps.

A velocity is any function of the state x and the time t in [0, 1].

Reference:
    Lipman et al., Flow matching for generative modeling, ICLR 2023 (optimal-transport
    paths); Mehta et al., Matcha-TTS: a fast TTS architecture with conditional flow
    matching, ICASSP 2024.
"""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]
"""(x: (batch, time, channels), t: (batch,)) -> dx/dt, of the shape of x."""

Solver = Literal["euler", "midpoint", "heun"]


def straight_path(
    noise: Float[Tensor, "batch time channels"],
    data: Float[Tensor, "batch time channels"],
    t: Float[Tensor, " batch"],
    sigma_min: float,
) -> tuple[Float[Tensor, "batch time channels"], Float[Tensor, "batch time channels"]]:
    """Return the point at time `t` between noise and data, and the velocity there.

    Args:
        noise: Start, from N(0, 1).
        data: End.
        t: Time of each sequence in [0, 1].
        sigma_min: Share of the noise that is left at the end.
    """
    t = t[:, None, None]
    return (1 - (1 - sigma_min) * t) * noise + t * data, data - (1 - sigma_min) * noise


def flow_matching_loss(
    velocity: Velocity,
    data: Float[Tensor, "batch time channels"],
    mask: Bool[Tensor, "batch time"],
    sigma_min: float,
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    """Return the mean squared error of the velocity at random times, over valid frames.

    Args:
        velocity: What is trained.
        data: Samples.
        mask: Valid frames.
        sigma_min: See `straight_path`.
        generator: Source of noise and times, on the CPU.
    """
    noise = torch.randn(data.shape, generator=generator).to(data)
    t = torch.rand(len(data), generator=generator).to(data)
    point, target = straight_path(noise, data, t, sigma_min)
    error = (velocity(point, t).float() - target).square().mean(-1)
    return (error * mask).sum() / mask.sum().clamp(min=1)


def integrate(
    velocity: Velocity,
    start: Float[Tensor, "batch time channels"],
    steps: int,
    solver: Solver = "euler",
) -> Float[Tensor, "batch time channels"]:
    """Follow a velocity from t = 0 to t = 1 in equal steps.

    Args:
        velocity: The field; called `steps` times by "euler", twice as often by the others.
        start: State at t = 0.
        steps: Number of steps.
        solver: "euler" (first order), "midpoint" or "heun" (second order).

    Raises:
        ValueError: If there is no step or no such solver.
    """
    if steps < 1:
        raise ValueError(f"Expected at least 1 step, got {steps}.")
    if solver not in ("euler", "midpoint", "heun"):
        raise ValueError(f"Expected the solver euler, midpoint or heun, got {solver!r}.")
    x, width = start, 1.0 / steps
    for step in range(steps):
        t = torch.full((len(x),), step * width, device=x.device, dtype=x.dtype)
        here = velocity(x, t)
        if solver == "midpoint":
            here = velocity(x + 0.5 * width * here, t + 0.5 * width)
        elif solver == "heun":
            here = 0.5 * (here + velocity(x + width * here, t + width))
        x = x + width * here
    return x
