"""Losses of a face generator: those that need nothing else, and those that ask judges.

The released weights are trained with the former alone: a pyramid of L1 distances weighted
towards mouth and eyes, the flow where it is known, and a contrast of identities.  The judged
ones are those of the papers: VGG19 and a face recogniser, whose weights are the user's.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.errors import ConfigError, MissingPiece
from facevox.evaluation.judges.arcface import IResNet
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.judges.vgg19 import perceptual_distance
from facevox.models.face.lia.view import BELOW_EYES, SIDE
from facevox.training.settings import Settings

SPOTS = (
    (0.0, 0.1875, 0.125, 0.09375, 7.0),
    (-0.109375, -0.06640625, 0.0703125, 0.046875, 2.0),
    (0.109375, -0.06640625, 0.0703125, 0.046875, 2.0),
)
"""Mouth and eyes in the generator's square: x and y from its middle, spreads, in sides; gain."""

MOUTH_SPOT = ((0.0, 0.203125, 0.109375, 0.078125, 20.0),)
"""The mouth alone, where the painted colours are needed."""

_GRADIENTS = 0.5
_READ = 0.1
_COVERED = ((0.0, 0.203125, 0.1328125, 0.1015625, 1.0),)
_MISSING, _MISSING_SLOPE = 0.08, 8.0
_TEMPERATURE = 0.1
_TRUST_STEP, _TRUST_SLOPE = 0.02, 60.0
_USUAL_SIDE = 256

_ARCFACE_SIDE = 112
_ARCFACE_IOD = 35.2375
_ARCFACE_EYES = (55.91285, 51.59885)
"""Middle between the eyes in the 112 px picture that ArcFace expects, and their distance."""


class JudgedSettings(Settings):
    """Losses that need the weights of others (`facevox judges`).

    Attributes:
        vgg: Weight of the distance of VGG19's features; the judge `vgg19`.
        vgg_scales: Sizes at which it is taken, each half the one before; LIA takes 4.
        identity: Weight of 1 - cosine of a face recogniser's embeddings.
        recogniser: The judge that recognises.
        missing: Whether a judge that is not here turns its loss off with a warning, or ends
            the run.
    """

    vgg: float = Field(default=0.0, ge=0)
    vgg_scales: int = Field(default=1, ge=1)
    identity: float = Field(default=0.0, ge=0)
    recogniser: Literal["arcface-iresnet50", "arcface-iresnet100"] = "arcface-iresnet50"
    missing: Literal["warn", "refuse"] = "warn"


class JudgedLosses:
    """The losses whose judges are here.

    Args:
        settings: Weights.
        judges: Where the judges come from; None takes the user's.

    Raises:
        ConfigError: If a judge is missing and `settings.missing` is "refuse".
    """

    def __init__(self, settings: JudgedSettings, judges: Judges | None = None) -> None:
        self._settings = settings
        self._networks: dict[str, nn.Module] = {}
        judges = judges or Judges()
        for loss, name in (("vgg", "vgg19"), ("identity", settings.recogniser)):
            if getattr(settings, loss) > 0:
                network = _loaded(judges, name, loss, settings.missing)
                if network is not None:
                    self._networks[loss] = network

    @property
    def names(self) -> tuple[str, ...]:
        """Losses that are on."""
        return tuple(self._networks)

    def __call__(
        self, made: Float[Tensor, "batch 3 side side"], real: Float[Tensor, "batch 3 side side"]
    ) -> dict[str, Tensor]:
        """Return the losses by name, without their weights."""
        losses: dict[str, Tensor] = {}
        for name, network in self._networks.items():
            network.to(made.device)
            if name == "vgg":
                scales = self._settings.vgg_scales
                losses[name] = perceptual_distance(network, made, real, scales)  # type: ignore[arg-type]
            else:
                losses[name] = identity_distance(network, made, real)  # type: ignore[arg-type]
        return losses


def weight_map(
    side: int, spots: Sequence[tuple[float, ...]] = SPOTS
) -> Float[Tensor, "1 1 side side"]:
    """Return how much each pixel counts: most at the mouth, more at the eyes; mean 1.

    Args:
        side: Length of a side of the picture [px].
        spots: Where what counts more lies.
    """
    line = (torch.arange(side, dtype=torch.float32) + 0.5) / side - 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    weight = torch.ones(side, side)
    for across, down, wide, high, gain in spots:
        away = ((x - across) / wide).square() + ((y - down) / high).square()
        weight = weight + gain * torch.exp(-0.5 * away)
    return (weight / weight.mean())[None, None]


def pyramid_loss(
    made: Float[Tensor, "batch 3 side side"],
    real: Float[Tensor, "batch 3 side side"],
    weight: Float[Tensor, "1 1 side side"],
    levels: int,
) -> Float[Tensor, ""]:
    """Return the L1 distance at several sizes, and that of the gradients at the full one.

    Args:
        made: Pictures that learn.
        real: What they shall look like.
        weight: How much each pixel counts.
        levels: Sizes, each half the one before.
    """
    total = made.new_zeros(())
    for level in range(levels):
        if level:
            made, real, weight = (functional.avg_pool2d(x, 2) for x in (made, real, weight))
        away = made - real
        total = total + (weight * away.abs()).mean()
        if level == 0:
            across = weight[..., 1:] * away.diff(dim=-1).abs()
            down = weight[..., 1:, :] * away.diff(dim=-2).abs()
            total = total + _GRADIENTS * (across.mean() + down.mean())
    return total


def contrast_loss(
    first: Float[Tensor, "batch dim"],
    second: Float[Tensor, "some dim"],
    person: Int[Tensor, " batch"],
) -> Float[Tensor, ""]:
    """Return how hard it is to find people by another picture of them.

    Args:
        first: Identity features of one picture of each person.
        second: Those of another, for the last rows.
        person: Who it is; rows of one person all count as found.
    """
    cosine = functional.normalize(second, dim=-1) @ functional.normalize(first, dim=-1).T
    same = person[len(first) - len(second) :, None] == person[None, :]
    found = torch.log_softmax(cosine / _TEMPERATURE, 1)
    return -((found * same).sum(1) / same.sum(1)).mean()


def control_loss(
    made: Mapping[str, Tensor],
    known: Float[Tensor, "batch 9"],
) -> Float[Tensor, ""]:
    """Return how far the motion is from what is known of head, eyes and expression.

    The motion that was told by numbers and the one seen in the driver shall be the same, and
    the numbers shall be read off both.

    Args:
        made: `told` (batch, motion), `seen` (drivers, motion), and what is read off their
            distance to the source's motion: `read_told` and `read_seen`; `wanted`, the
            numbers of `OTHER_CHANNELS`, target less source, in usual deviations.
        known: 1 where they are known.
    """
    change = made["wanted"]
    first = len(change) - len(made["seen"])
    whole = known.amin(1) > 0
    away = (made["read_seen"] - change[first:]).square()
    read = (known[first:] * away).mean() if len(away) else change.new_zeros(())
    told = (made["read_told"] - change).square().mean(1)
    total = _READ * (read + (told * whole).sum() / whole.sum().clamp(min=1))
    apart = (made["seen"] - made["told"][first:]).square().mean(1)
    both = whole[first:]
    scale = made["told"].detach().var().clamp(min=1e-6)
    return total + (apart * both).sum() / both.sum().clamp(min=1) / scale


def trait_loss(read: Float[Tensor, "rows 5"], traits: Float[Tensor, "rows 5"]) -> Float[Tensor, ""]:
    """Return the squared error of traits read off the identity, over those that are known."""
    known = torch.isfinite(traits)
    return ((read - traits.nan_to_num()).square() * known).mean()


def flow_loss(
    flow: Float[Tensor, "batch side side 2"],
    displacement: Float[Tensor, "batch cells cells 2"],
    known: Float[Tensor, " batch"],
    source: Float[Tensor, "batch 3 side side"],
    target: Float[Tensor, "batch 3 side side"],
    weight: Float[Tensor, "1 1 side side"] | None = None,
) -> Float[Tensor, ""]:
    """Return how far the finest flow is from the known one, at 256 px [px].

    A place counts where the known flow explains the picture better than standing still: not
    inside an opened mouth, nor where a shadow moved.

    Args:
        flow: Of the generator: places in the source, -1 to 1.
        displacement: From each cell to the source, in the same unit.
        known: 1 for rows whose flow is known.
        source: Pictures.
        target: Pictures after the motion.
        weight: How much each pixel counts; None counts all alike.
    """
    cells = displacement.shape[1]
    goal = _still(cells, flow) + displacement
    factor = flow.shape[1] // cells
    with torch.no_grad():
        before, after = (functional.avg_pool2d(p, factor) for p in (source, target))
        moved = functional.grid_sample(before, goal, align_corners=False, padding_mode="border")
        gain = (before - after).abs().mean(1) - (moved - after).abs().mean(1)
        trust = torch.sigmoid((gain + _TRUST_STEP) * _TRUST_SLOPE) * known[:, None, None]
        if weight is not None:
            trust = trust * functional.avg_pool2d(weight, factor)[:, 0]
    coarse = functional.avg_pool2d(flow.permute(0, 3, 1, 2), factor).permute(0, 2, 3, 1)
    away = (coarse - goal).abs().sum(-1) * (_USUAL_SIDE / 2)
    return (trust * away).sum() / (trust.sum() + 1)


def cover_loss(
    mask: Float[Tensor, "batch 1 side side"],
    displacement: Float[Tensor, "batch cells cells 2"],
    known: Float[Tensor, " batch"],
    source: Float[Tensor, "batch 3 side side"],
    target: Float[Tensor, "batch 3 side side"],
) -> Float[Tensor, ""]:
    """Return how far the mask is from hiding, at the mouth, what the photo does not show.

    Args:
        mask: How much comes from the photo.
        displacement: From each cell to the source, in halves of the side.
        known: 1 for rows whose flow is known.
        source: Pictures.
        target: Pictures after the motion.
    """
    side = source.shape[-1]
    with torch.no_grad():
        goal = (_still(displacement.shape[1], mask) + displacement).permute(0, 3, 1, 2)
        fine = functional.interpolate(goal, (side, side), mode="bilinear", align_corners=False)
        place = fine.permute(0, 2, 3, 1)
        moved = functional.grid_sample(source, place, align_corners=False, padding_mode="border")
        away = (moved - target).abs().mean(1, keepdim=True)
        missing = ((away - _MISSING) * _MISSING_SLOPE).clamp(0, 1)
        where = weight_map(side, _COVERED).to(mask) - weight_map(side, _COVERED).min().to(mask)
        where = where / where.max() * known[:, None, None, None]
    error = functional.binary_cross_entropy(
        mask.clamp(1e-4, 1 - 1e-4), 1 - missing, reduction="none"
    )
    return (where * error).sum() / (where.sum() + 1)


def _still(cells: int, like: Tensor) -> Float[Tensor, "cells cells 2"]:
    """Return x and y of the middles of cells, from -1 to 1."""
    line = (torch.arange(cells, device=like.device) + 0.5) * 2 / cells - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], -1)


def identity_distance(
    recogniser: IResNet,
    made: Float[Tensor, "batch 3 side side"],
    real: Float[Tensor, "batch 3 side side"],
) -> Float[Tensor, ""]:
    """Return 1 - cosine of the embeddings, averaged.

    Args:
        recogniser: Frozen.
        made: Pictures that learn, in the generator's framing.
        real: Pictures of the same people.
    """
    with torch.no_grad():
        wanted = recogniser(recogniser_crop(real))
    found = recogniser(recogniser_crop(made.clamp(-1, 1)))
    return (1 - functional.cosine_similarity(found, wanted, dim=-1)).mean()


def recogniser_crop(
    pictures: Float[Tensor, "batch 3 side side"],
) -> Float[Tensor, "batch 3 112 112"]:
    """Cut what ArcFace expects out of the generator's square, whose eyes are level."""
    part = _ARCFACE_SIDE / _ARCFACE_IOD / SIDE
    across, down = (place / _ARCFACE_SIDE - 0.5 for place in _ARCFACE_EYES)
    middle = (-across * part * 2, (-BELOW_EYES / SIDE - down * part) * 2)
    matrix = torch.tensor([[part, 0.0, middle[0]], [0.0, part, middle[1]]]).to(pictures)
    shape = [len(pictures), 3, _ARCFACE_SIDE, _ARCFACE_SIDE]
    grid = functional.affine_grid(matrix.expand(len(pictures), 2, 3), shape, align_corners=False)
    return functional.grid_sample(pictures, grid, align_corners=False, padding_mode="border")


def _loaded(judges: Judges, name: str, loss: str, missing: str) -> nn.Module | None:
    """Return a judge, frozen; None with a warning, or an error, if it is not here."""
    try:
        network = judges.load(name)
    except MissingPiece as error:
        if missing == "refuse":
            raise ConfigError(
                f"The loss {loss!r} has no judge ({error}); get it, or set its weight to 0."
            ) from error
        warnings.warn(f"The loss {loss!r} is off: {error}.", stacklevel=2)
        return None
    assert isinstance(network, nn.Module)
    return network.eval().requires_grad_(False)
