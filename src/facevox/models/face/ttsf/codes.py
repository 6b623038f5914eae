"""Mouth, head and expression in numbers <-> the generator's features.

The channels of `core.motion.Motion` are what renderers share; these linear maps carry them to
f_lip and to alpha and back, so that every control of a user acts on its own.
"""

from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from facevox.core.motion import NUM_MOUTH, Motion
from facevox.models.face.lia.mean_flow import EYES

MOUTH_CHANNELS = {"mouth": NUM_MOUTH, "lip_gap": 1, "tongue": 1, "lip_roll": 1}
"""Channels of `Motion` that speech moves, and how many numbers each has."""

OTHER_CHANNELS = {"head_pose": 3, "breath": 1, "eyelids": 1, "gaze": 2, "brows": 1, "smile": 1}
"""All others."""

MOUTH_NUMBERS = sum(MOUTH_CHANNELS.values())
OTHER_NUMBERS = sum(OTHER_CHANNELS.values())

_MOUTH_UNITS = (1.0,) * 6 + (0.1, 1.0, 1.0)
_OTHER_UNITS = (8.0, 5.0, 4.5, 1.0, 1.0, 6.0, 4.0, 1.0, 1.0)
_SHARES = ("tongue", "lip_roll", "eyelids")


def numbers_of(
    motion: Motion,
) -> tuple[Float32[np.ndarray, "frames 9"], Float32[np.ndarray, "frames 9"]]:
    """Return the numbers of the mouth and all others, side by side."""
    mouth, others = (
        np.column_stack([getattr(motion, name) for name in names])
        for names in (MOUTH_CHANNELS, OTHER_CHANNELS)
    )
    return mouth.astype(np.float32), others.astype(np.float32)


def motion_of(
    mouth: Float32[np.ndarray, "frames 9"],
    others: Float32[np.ndarray, "frames 9"],
    fps: Fraction = Fraction(25),
) -> Motion:
    """Return the motion that has these numbers, kept within what its channels can be.

    Args:
        mouth: Numbers of the mouth.
        others: Numbers of head and expression.
        fps: Video frames per second.
    """
    channels = _split(mouth, MOUTH_CHANNELS) | _split(others, OTHER_CHANNELS)
    channels["lip_gap"] = np.maximum(channels["lip_gap"], 0)
    channels |= {name: np.clip(channels[name], 0, 1) for name in _SHARES}
    return Motion.rest(len(mouth), fps).with_channels(**channels)


class MouthCode(nn.Module):
    """The nine numbers of a mouth <-> f_lip.

    Args:
        style_dim: Size of f_lip.
    """

    units: Tensor

    def __init__(self, style_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(MOUTH_NUMBERS, style_dim)
        self.register_buffer("units", torch.tensor(_MOUTH_UNITS), persistent=False)

    def forward(self, mouth: Float[Tensor, "*batch 9"]) -> Float[Tensor, "*batch style"]:
        """Return f_lip."""
        return self.linear(mouth / self.units)

    def rest(self) -> Float[Tensor, " style"]:
        """Return f_lip of lips at rest."""
        return self.linear.bias

    def read(self, f_lip: Float[Tensor, "*batch style"]) -> Float[Tensor, "*batch 9"]:
        """Return the numbers whose f_lip is nearest."""
        inverse = torch.linalg.pinv(self.linear.weight)
        return (f_lip - self.linear.bias) @ inverse.T * self.units


def flow_controls(
    mouth: Float[Tensor, "frames 9"],
    others: Float[Tensor, "frames 9"],
    place: Float[Tensor, " 3"],
) -> Float[Tensor, "frames controls"]:
    """Return the controls of the generator's mean flows.

    Args:
        mouth: Numbers of the mouth.
        others: Numbers of head and expression, relative to the source.
        place: Where the source's mouth lies (`mouth_place`).
    """
    face = (others / others.new_tensor(_OTHER_UNITS))[:, OTHER_NUMBERS - EYES :]
    mouth = mouth / mouth.new_tensor(_MOUTH_UNITS)
    return torch.cat([mouth, face, place.to(mouth).expand(len(mouth), -1)], 1)


class MotionCode(nn.Module):
    """Changes of the nine other numbers <-> changes of alpha.

    Args:
        motion_dim: Directions of the motion dictionary.
    """

    units: Tensor

    def __init__(self, motion_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.3 * torch.randn(OTHER_NUMBERS, motion_dim))
        self.register_buffer("units", torch.tensor(_OTHER_UNITS), persistent=False)

    def forward(self, change: Float[Tensor, "*batch 9"]) -> Float[Tensor, "*batch motion"]:
        """Return the change of alpha that goes with a change of the numbers."""
        return (change / self.units) @ self.weight

    def read(self, change: Float[Tensor, "*batch motion"]) -> Float[Tensor, "*batch 9"]:
        """Return the numbers that explain a change of alpha best."""
        return change @ torch.linalg.pinv(self.weight) * self.units

    def scaled(
        self, change: Float[Tensor, "*batch motion"], gains: Float[Tensor, " 9"]
    ) -> Float[Tensor, "*batch motion"]:
        """Return a change of alpha with each readable control scaled by its own gain.

        What reads as none of them stays.
        """
        inverse = torch.linalg.pinv(self.weight)
        return change + (change @ inverse * (gains - 1)) @ self.weight


def _split(rows: np.ndarray, widths: dict[str, int]) -> dict[str, np.ndarray]:
    parts = np.split(rows, np.cumsum(list(widths.values()))[:-1], axis=1)
    return {
        name: part[:, 0] if width == 1 else part
        for (name, width), part in zip(widths.items(), parts, strict=True)
    }
