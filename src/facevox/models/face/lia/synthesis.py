"""The synthesis network: styles and the source's feature maps -> a picture, by flow and mask.

Reference:
    Wang et al., Latent image animator, ICLR 2022, section 3.2.
"""

import itertools
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from facevox.models.face.lia.config import GeneratorConfig
from facevox.models.face.lia.mean_flow import MeanFlow
from facevox.nn.equalized import BiasedLeakyReLU, EqualizedConv2d, ModulatedConv2d
from facevox.nn.resampling import upsample

_SKIP_MASK = 2.0
"""First bias of the masks with the pixel skip: at first the photo shows itself."""


class StyledConv(nn.Module):
    """Modulated 3 x 3 convolution, bias and activation."""

    def __init__(self, in_channels: int, out_channels: int, style_dim: int, up: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, out_channels, 3, style_dim, up)
        self.activation = BiasedLeakyReLU(out_channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return the feature map."""
        made, norm = self.conv.parts(x, style)
        assert norm is not None
        return self.activation.after(made, norm)


class FlowHead(nn.Module):
    """Flow and mask of one scale, on top of those of the scale before."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(channels, 3, 1, style_dim, demodulated=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor, style: Tensor, before: Tensor | None) -> Tensor:
        """Return (batch, 3, side, side): two of flow before tanh, one of mask before sigmoid."""
        raw = self.conv(x, style).float() + self.bias
        return raw if before is None else raw + upsample(before)


class ColourHead(nn.Module):
    """Feature map -> colours of one scale."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = EqualizedConv2d(channels, 3, 1)
        self.activation = BiasedLeakyReLU(3)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, 3, side, side)."""
        return self.activation(self.conv(x).float()) + self.bias


class PlainColourHead(nn.Module):
    """Feature map -> colours of one scale, without the activation that bends them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = EqualizedConv2d(channels, 3, 1)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, 3, side, side)."""
        return self.conv(x).float() + self.bias


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What the network makes.

    Attributes:
        picture: Colours, about [-1, 1], neither clamped nor squashed.
        painted: With the pixel skip the colours before blending, else the picture.
        flow: Where each pixel of the finest map comes from: x and y, -1 to 1 over the source.
        mask: How much of it comes from there, 0 to 1.
        coarse: Movement before tanh of the finest scale that no lips reach, from `FaceAnimator`
            alone; None if they reach all.
    """

    picture: Float[Tensor, "batch 3 side side"]
    painted: Float[Tensor, "batch 3 side side"]
    flow: Float[Tensor, "batch side side 2"]
    mask: Float[Tensor, "batch 1 side side"]
    coarse: Float[Tensor, "batch 2 small small"] | None = None


class FlowGenerator(nn.Module):
    """Warps the source's feature maps scale by scale and paints what they do not show.

    Args:
        config: Sizes.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        dim, widths = config.style_dim, [config.channels[side] for side in config.sides]
        self.constant = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        self.first = StyledConv(widths[0], widths[0], dim, up=False)
        self.convs = nn.ModuleList()
        for before, width in itertools.pairwise(widths):
            self.convs.append(StyledConv(before, width, dim, up=True))
            self.convs.append(StyledConv(width, width, dim, up=False))
        self.flows = nn.ModuleList(FlowHead(width, dim) for width in widths[1:])
        head = ColourHead if config.content == "warped" else PlainColourHead
        self.colours = nn.ModuleList(head(width) for width in widths[1:])
        self.mean_flow = MeanFlow() if config.mean_flow else None
        if config.pixel_skip:
            self._start_from_the_photo()

    def forward(
        self,
        styles: Float[Tensor, "batch layers style"],
        maps: list[Tensor],
        source: Float[Tensor, "one_or_batch 3 side side"] | None = None,
        controls: Float[Tensor, "batch controls"] | None = None,
    ) -> Synthesis:
        """Make pictures.

        Args:
            styles: One for each layer, from `StyleFusion`.
            maps: Feature maps of the source, 8 x 8 first; of the batch, or of one for all.
            source: The source itself, or one for all, for models with the pixel skip.
            controls: What mouth and face do, for models with mean flows.

        Raises:
            ValueError: If the number of styles or maps is not what the model takes, or the
                source or the controls are missing.
        """
        self._check(styles, maps, source, controls)
        batch = len(styles)
        dtype = maps[0].dtype
        x = self.constant.to(dtype).expand(batch, -1, -1, -1)
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.first(x, styles[:, 0])
        raw = colours = None
        for scale, skip in enumerate(maps):
            style = 2 * scale + 1
            x = self.convs[2 * scale](x, styles[:, style])
            x = self.convs[2 * scale + 1](x, styles[:, style + 1])
            raw = self.flows[scale](x, styles[:, style + 2], raw)
            flow, logit = _flow_and_logit(raw)
            tint = None
            if self.mean_flow is not None and controls is not None:
                flow, more, tint = self.mean_flow(flow, controls)
                logit = logit + more
            mask = torch.sigmoid(logit)
            warped = warp(skip, flow) * mask.to(dtype)
            x = warped + x * (1 - mask).to(dtype)
            made = self.colours[scale](warped if self.config.content == "warped" else x)
            colours = made if colours is None else made + upsample(colours)
        assert colours is not None
        if tint is not None:
            colours = colours + tint
        picture = colours
        if source is not None and self.config.pixel_skip:
            picture = warp(source.float(), flow) * mask + colours * (1 - mask)
        return Synthesis(picture=picture, painted=colours, flow=flow, mask=mask)

    def _check(
        self, styles: Tensor, maps: list[Tensor], source: Tensor | None, controls: Tensor | None
    ) -> None:
        wanted = self.config.num_styles
        if styles.shape[1] != wanted:
            raise ValueError(f"Expected {wanted} styles, got {styles.shape[1]}.")
        if len(maps) != len(self.flows):
            raise ValueError(f"Expected {len(self.flows)} feature maps, got {len(maps)}.")
        if self.config.pixel_skip and source is None:
            raise ValueError("This model blends in the source's pixels; give it the source.")
        if self.mean_flow is not None and controls is None:
            raise ValueError("This model has mean flows; give it the controls.")

    def _start_from_the_photo(self) -> None:
        """Start with no movement and with masks that let the photo through."""
        for head in self.flows:
            assert isinstance(head, FlowHead)
            nn.init.zeros_(head.conv.weight)
        last = self.flows[-1]
        assert isinstance(last, FlowHead)
        with torch.no_grad():
            last.bias[:, 2] = _SKIP_MASK


def warp(
    x: Float[Tensor, "one_or_batch channels height width"],
    flow: Float[Tensor, "batch side side 2"],
) -> Float[Tensor, "batch channels side side"]:
    """Sample maps where a flow points; zero beyond the border.

    The flow's grid has its ends at the centres of the outermost pixels while sampling takes
    them as their outer borders: a tiny zoom that published weights were trained with.
    """
    x = x.expand(len(flow), -1, -1, -1)
    sampled = functional.grid_sample(x.float(), flow, align_corners=False)
    return sampled.to(x.dtype)


def identity_grid(side: int, like: Tensor) -> Float[Tensor, "1 side side 2"]:
    """Return x and y of every pixel, from -1 to 1."""
    line = torch.linspace(-1, 1, side, device=like.device, dtype=torch.float32)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], -1).unsqueeze(0)


def _flow_and_logit(raw: Tensor) -> tuple[Tensor, Tensor]:
    moved = torch.tanh(raw[:, :2]).permute(0, 2, 3, 1)
    return identity_grid(raw.shape[-1], raw) + moved, raw[:, 2:3]
