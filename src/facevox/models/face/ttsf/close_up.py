"""The generator once more, close up: what mouth and eyes do, pixel by pixel, in small windows.

In the whole view a mouth is some sixty pixels wide, and a generator that has seen a few hundred
people blurs what opens in it.  Here a small network of the same kind - flow and mask over warped
pictures - looks at the window alone.  It has two pictures of the person: the photo at rest, and
the same photo with the mouth open or the eyes shut, as the warp renderer draws it; each pixel
comes from the one or the other.

Reference:
    Wang et al., Latent image animator, ICLR 2022 (flow and mask); the second picture is ours.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.checkpoint import load_card, load_module
from facevox.core.errors import CheckpointError
from facevox.models.face.ttsf.close_up_regions import REGIONS

FADE = 0.25
"""Part of the window's half side in which what it says gives way to the generator."""

_FIELDS = 8
_SLOPE = 0.1
_REACH = 0.25
_SHARPNESS, _SHUT = 8.0, 0.5


class CloseUpConfig(BaseModel):
    """Sizes.

    Attributes:
        region: Name in `REGIONS`.
        side: Pixels of the window, both ways.
        widths: Channels of the maps, the finest first, each half as large as the one before.
        style: Size of what the numbers become.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: Literal["mouth", "eyes"] = "mouth"
    side: int = 64
    widths: tuple[int, ...] = (16, 32, 48, 64)
    style: int = 64


def tiny() -> CloseUpConfig:
    """Return sizes for tests."""
    return CloseUpConfig(side=16, widths=(4, 6), style=8)


@dataclass(kw_only=True)
class CloseUpFields:
    """What happens in the window, which lies in the photo's own pose.

    Attributes:
        first: How far away in the photo each pixel comes from [halves of the window].
        second: The same in the second picture.
        share: Part of the second picture as a logit; see `second_share`.
        tint: Added to the colours of that picture, which are -1 to 1.
    """

    first: Float[Tensor, "batch 2 side side"]
    second: Float[Tensor, "batch 2 side side"]
    share: Float[Tensor, "batch 1 side side"]
    tint: Float[Tensor, "batch 3 side side"]


class CloseUp(nn.Module):
    """Two pictures of a region and its numbers -> where its pixels come from.

    Rest changes nothing, exactly: what the network says of it is taken away from what it says
    of anything else.

    Args:
        config: Sizes.
    """

    def __init__(self, config: CloseUpConfig) -> None:
        super().__init__()
        self.config, self.region = config, REGIONS[config.region]
        widths, numbers = config.widths, self.region.num_steps
        self.mean = nn.Parameter(torch.zeros(numbers, _FIELDS, config.side, config.side))
        self.style = nn.Sequential(
            nn.Linear(numbers, config.style),
            nn.LeakyReLU(_SLOPE),
            nn.Linear(config.style, config.style),
            nn.LeakyReLU(_SLOPE),
        )
        self.down = nn.ModuleList()
        before = 8  # two pictures, and where a pixel lies
        for width in widths:
            self.down.append(nn.Conv2d(before, width, 3, padding=1))
            before = width
        self.up = nn.ModuleList()
        self.narrow = nn.ModuleList()
        for number, width in enumerate(reversed(widths)):
            if number:
                self.narrow.append(nn.Conv2d(before, width, 1))
            self.up.append(_Styled(2 * width if number else width, width, config.style))
            before = width
        self.out = nn.Conv2d(before, _FIELDS, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    @property
    def num_parameters(self) -> int:
        """Learned numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def read(
        self,
        first: Float[Tensor, "batch 3 side side"],
        second: Float[Tensor, "batch 3 side side"],
    ) -> list[Tensor]:
        """Return what both windows add to each layer, the coarsest first.

        It is the same whatever the region does, so it is worked out once for a person.

        Args:
            first: Of the photo at rest, -1 to 1.
            second: Of the second picture.
        """
        x = torch.cat([first, second, _places(first)], 1)
        maps: list[Tensor] = []
        for layer in self.down:
            x = functional.avg_pool2d(x, 2) if maps else x
            x = functional.leaky_relu(layer(x), _SLOPE)
            maps.append(x)
        pairs = zip(self.up, reversed(maps), strict=True)
        return [layer.still(skip) for layer, skip in pairs]  # type: ignore[operator]

    def forward(
        self,
        first: Float[Tensor, "batch 3 side side"],
        second: Float[Tensor, "batch 3 side side"],
        numbers: Float[Tensor, "batch numbers"],
    ) -> CloseUpFields:
        """Return the fields of one picture of each person: `read`, then `fields`."""
        return self.fields(self.read(first, second), numbers)

    def fields(
        self,
        maps: list[Tensor],
        numbers: Float[Tensor, "batch numbers"],
        rest: Tensor | None = None,
    ) -> CloseUpFields:
        """Return the fields of what a region does.

        Args:
            maps: From `read`, of the batch or of one for all.
            numbers: From `Region.numbers`.
            rest: `raw` of rest, if it is known already.
        """
        if rest is None:
            rest = self.raw(maps, torch.zeros_like(numbers[: len(maps[0])]))
        moved = self.raw(maps, numbers) - rest
        first, second, share, tint = moved.split([2, 2, 1, 3], 1)
        return CloseUpFields(
            first=_REACH * first,
            second=_REACH * second,
            share=_SHARPNESS * (share - _SHUT),
            tint=tint,
        )

    def raw(
        self, maps: list[Tensor], numbers: Float[Tensor, "batch numbers"]
    ) -> Float[Tensor, "batch fields side side"]:
        """Return what the network says, from which rest is still to be taken away."""
        steps = self.region.steps(numbers)
        style = self.style(steps)
        x = None
        for number, layer in enumerate(self.up):
            if x is not None:
                x = functional.interpolate(self.narrow[number - 1](x), scale_factor=2.0)
            x = layer(x, maps[number], style)
        assert x is not None
        with torch.autocast(x.device.type, enabled=False):
            mean = torch.einsum("bc,ckyx->bkyx", steps.float(), self.mean)
        return self.out(x).float() + mean


class _Styled(nn.Module):
    """Convolution of what moves and what does not, its channels scaled and shifted by a style."""

    def __init__(self, channels: int, width: int, style: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3, padding=1)
        self.manner = nn.Linear(style, 2 * width)
        nn.init.zeros_(self.manner.bias)

    def still(self, skip: Tensor) -> Tensor:
        """Return what the part that does not move adds: the last channels of the input."""
        weight = self.conv.weight[:, -skip.shape[1] :]
        return functional.conv2d(skip, weight, self.conv.bias, padding=1)

    def forward(self, x: Tensor | None, still: Tensor, style: Tensor) -> Tensor:
        gain, shift = self.manner(style)[:, :, None, None].chunk(2, 1)
        if x is not None:
            moving = self.conv.weight[:, : x.shape[1]]
            still = functional.conv2d(x, moving, padding=1) + still
        return functional.leaky_relu(still * (1 + gain) + shift, _SLOPE)


def second_share(logit: Tensor) -> Tensor:
    """Return the part of the second picture, 0 to 1; exactly 0 at rest."""
    shut = torch.sigmoid(torch.tensor(-_SHARPNESS * _SHUT))
    return ((torch.sigmoid(logit) - shut) / (1 - 2 * shut)).clamp(0, 1)


def compose(
    fields: CloseUpFields,
    first: Float[Tensor, "batch 3 height width"],
    second: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, "batch 3 height width"]:
    """Return the window that the fields tell, at the size of the pictures.

    Args:
        fields: Of the same people; enlarged if the pictures are larger.
        first: Windows of the photo, -1 to 1.
        second: Windows of the second picture.
    """
    size = first.shape[-2:]
    layers = torch.cat([fields.first, fields.second, fields.share, fields.tint], 1)
    layers = functional.interpolate(layers, size, mode="bilinear", align_corners=False)
    *flows, share, tint = layers.split([2, 2, 1, 3], 1)
    here = _places(first)
    moved = [
        functional.grid_sample(
            picture.expand(len(layers), -1, -1, -1),
            (here + flow).permute(0, 2, 3, 1),
            align_corners=False,
            padding_mode="border",
        )
        for picture, flow in zip((first, second), flows, strict=True)
    ]
    return torch.lerp(moved[0], moved[1] + tint, second_share(share))


def _places(like: Tensor) -> Float[Tensor, "batch 2 side side"]:
    """Return x and y of every pixel, -1 to 1 from border to border."""
    height, width = like.shape[-2:]
    y, x = (
        (torch.arange(count, dtype=like.dtype, device=like.device) + 0.5) * (2 / count) - 1
        for count in (height, width)
    )
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1])
    return grid.expand(len(like), -1, -1, -1)


def load_close_ups(folder: Path) -> dict[str, CloseUp]:
    """Return the close-ups whose weights lie in a folder, by region, in evaluation mode.

    Raises:
        CheckpointError: If one is damaged or does not fit its card.
    """
    paths = {name: folder / f"close_up_{name}.safetensors" for name in REGIONS}
    return {name: load_close_up(path) for name, path in paths.items() if path.exists()}


def load_close_up(path: Path) -> CloseUp:
    """Return the network of a checkpoint, in evaluation mode.

    Raises:
        CheckpointError: If it is absent, damaged or does not fit its card.
    """
    card = load_card(path)
    try:
        network = CloseUp(CloseUpConfig.model_validate(card["config"]))
    except (KeyError, TypeError, ValidationError) as error:
        raise CheckpointError(f"The card of {path} does not fit: {error}.") from error
    load_module(network, path)
    return network.eval().requires_grad_(False)
