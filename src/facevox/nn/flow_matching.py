"""Conditional flow matching along straight lines, and solvers with fixed steps.

A velocity is any function of the state x and the time t in [0, 1].

Reference:
    Lipman et al., Flow matching for generative modeling, ICLR 2023 (optimal-transport
    paths); Mehta et al., Matcha-TTS: a fast TTS architecture with conditional flow
    matching, ICASSP 2024.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from facevox.nn.noise import remembering

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


@dataclass(frozen=True)
class GaussianField:
    """The velocity if data were N(mean, spread^2): what a network has to add to is known.

    With x = (1 - t) z + t x1 and x1 ~ N(mean, spread^2), all of E[x1 | x], E[z | x] and the
    deviation of the velocity are linear algebra.  A network that starts from them need not
    learn to carry the noise through, which otherwise takes most of its training.

    Attributes:
        spread: Deviation of the data around the mean.

    Reference:
        Karras et al., Elucidating the design space of diffusion-based generative models,
        NeurIPS 2022, section 5 (the idea, for diffusion); the formulas for straight paths
        around a mean are ours.
    """

    spread: float

    def whitened(
        self,
        x: Float[Tensor, "batch time channels"],
        mean: Float[Tensor, "batch time channels"],
        t: Float[Tensor, " batch"],
    ) -> Float[Tensor, "batch time channels"]:
        """Return the state without the mean, at unit variance."""
        return (x - t[:, None, None] * mean) / self._variance(t)[:, None, None].sqrt()

    def velocity(
        self,
        x: Float[Tensor, "batch time channels"],
        mean: Float[Tensor, "batch time channels"],
        t: Float[Tensor, " batch"],
    ) -> Float[Tensor, "batch time channels"]:
        """Return E[x1 - z | x]."""
        away = x - t[:, None, None] * mean
        slope = (t * self.spread**2 - (1 - t)) / self._variance(t)
        return mean + slope[:, None, None] * away

    def deviation(self, t: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """Return the deviation of x1 - z given x."""
        return self.spread / self._variance(t).sqrt()

    def _variance(self, t: Tensor) -> Tensor:
        return (t * self.spread) ** 2 + (1 - t) ** 2


def flow_matching_loss(
    velocity: Velocity,
    data: Float[Tensor, "batch time channels"],
    mask: Bool[Tensor, "batch time"],
    sigma_min: float,
    generator: torch.Generator | None = None,
    gaussian: GaussianField | None = None,
    share_at_start: float = 0.0,
    start_mean: Float[Tensor, "batch time channels"] | None = None,
    memory: float = 0.0,
) -> Float[Tensor, ""]:
    """Return the mean squared error of the velocity at random times, over valid frames.

    Args:
        velocity: What is trained.
        data: Samples.
        mask: Valid frames.
        sigma_min: See `straight_path`.
        generator: Source of noise and times, on the CPU.
        gaussian: Errors are taken relative to those of this field, so that every time
            counts alike.
        share_at_start: Share of the sequences whose time is 0, where the velocity is the
            mean of the data.
        start_mean: Mean of the start; None is 0.
        memory: Correlation of neighbouring times in the noise; 0 is white.
    """
    noise = remembering(torch.randn(data.shape, generator=generator), memory).to(data)
    if start_mean is not None:
        noise = noise + start_mean
    t = torch.rand(len(data), generator=generator).to(data)
    if share_at_start > 0:
        t = torch.where(torch.rand(len(data), generator=generator).to(t) < share_at_start, 0.0, t)
    point, target = straight_path(noise, data, t, sigma_min)
    error = (velocity(point, t).float() - target).square().mean(-1)
    if gaussian is not None:
        error = error / gaussian.deviation(t)[:, None] ** 2
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
