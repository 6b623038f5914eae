"""Many pictures of one person, fast: what the source says is worked out once.

The same network as `FaceGenerator`, with these savings:

- the source is encoded once, styles that are the identity alone are folded into the weights,
  and the directions of motion are made once;
- products are in bfloat16 where the processor has it, flows and colours stay in float32;
- feature maps are warped as sums of rows (`RowSampler`), one map for all pictures;
- 1 x 1 convolution and warp commute, so at the finest scale three channels are warped, not all;
- small maps are made for many pictures at a time, large ones for as many as the caches hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from facevox.core.processor import cpu_computes_in_bf16
from facevox.models.face.lia.folding import FoldedConv, FoldedHead, Modulations, modulated_weight
from facevox.models.face.lia.generator import FaceGenerator, Source
from facevox.models.face.lia.mean_flow import MeanFlow, SummedFields
from facevox.models.face.lia.synthesis import (
    ColourHead,
    FlowHead,
    PlainColourHead,
    StyledConv,
    Synthesis,
)
from facevox.nn.equalized import GAIN, SLOPE, ModulatedConv2d
from facevox.nn.resampling import upsample_planes
from facevox.nn.row_sampling import RowSampler

_CACHE_BYTES = 8_400_000
"""Largest feature map of a batch; beyond it the batch is split."""


@dataclass(kw_only=True)
class _Progress:
    """What has been made of a batch of pictures so far; planes hold flow, mask and colours."""

    x: Tensor
    planes: Tensor | None
    fields: SummedFields | None
    gains: list[Tensor | None]
    coarse: Tensor | None = None
    made: Synthesis | None = None

    def split(self, size: int) -> Iterator["_Progress"]:
        for start in range(0, len(self.x), size):
            part = slice(start, start + size)
            yield _Progress(
                x=self.x[part],
                planes=None if self.planes is None else self.planes[part],
                fields=None if self.fields is None else self.fields.part(part),
                coarse=None if self.coarse is None else self.coarse[part],
                gains=[None if gain is None else gain[part] for gain in self.gains],
            )


class FaceAnimator:
    """Holds one person and makes pictures of that person with any motion.

    The model's weights must not change afterwards.

    Args:
        model: The network.
        picture: The source, in [-1, 1].
        dtype: Precision of the products; None takes bfloat16 where the machine computes in it.
        batch: Pictures made together while their maps are small.
        windows: Whether mouth and eyes are made elsewhere, so that the mean flows' colours and
            those around the mouth need not be.
    """

    @torch.no_grad()
    def __init__(
        self,
        model: FaceGenerator,
        picture: Float[Tensor, "1 3 side side"],
        dtype: torch.dtype | None = None,
        batch: int = 16,
        windows: bool = False,
    ) -> None:
        if dtype is None:
            dtype = torch.bfloat16 if cpu_computes_in_bf16() else torch.float32
        self.config, self._dtype, self._batch = model.config, dtype, batch
        self._fusion, self._mean_flow, self._windows = (
            model.fusion,
            model.synthesis.mean_flow,
            windows,
        )
        self.source: Source = model.read(picture.contiguous(memory_format=torch.channels_last))
        self._levels: list[_Level] = []
        self._fold(model)

    @torch.inference_mode()
    def render(
        self,
        f_m: Float[Tensor, "frames style"],
        f_lip: Float[Tensor, "frames style"] | None = None,
        controls: Float[Tensor, "frames controls"] | None = None,
    ) -> Float[Tensor, "frames 3 side side"]:
        """Return pictures in about [-1, 1], as `FaceGenerator` makes them.

        Args:
            f_m: Motion.
            f_lip: Lips; None leaves them to f_m.
            controls: What mouth and face do, for models with mean flows.

        Raises:
            ValueError: If the model needs controls and there are none.
        """
        made = self.syntheses(f_m, f_lip, controls)
        return torch.cat([synthesis.picture for synthesis in made])

    def frames(
        self,
        f_m: Float[Tensor, "frames style"],
        f_lip: Float[Tensor, "frames style"] | None = None,
        controls: Float[Tensor, "frames controls"] | None = None,
    ) -> Iterator[UInt8[np.ndarray, "side side 3"]]:
        """Yield RGB frames one after the other; memory does not grow with their number."""
        for made in self.syntheses(f_m, f_lip, controls):
            with torch.inference_mode():
                levels = made.picture.clamp_(-1.0, 1.0).add_(1.0).mul_(127.5).round_()
                frames = levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
            yield from frames

    def syntheses(
        self,
        f_m: Float[Tensor, "frames style"],
        f_lip: Float[Tensor, "frames style"] | None = None,
        controls: Float[Tensor, "frames controls"] | None = None,
    ) -> Iterator[Synthesis]:
        """Yield all that `FaceGenerator` returns, a few pictures at a time.

        Args:
            f_m: Motion.
            f_lip: Lips; None leaves them to f_m.
            controls: What mouth and face do, for models with mean flows.

        Raises:
            ValueError: If the model needs controls and there are none.
        """
        if self.config.mean_flow and controls is None:
            raise ValueError("This model has mean flows; give it the controls.")
        for start in range(0, len(f_m), self._batch):
            given = (
                None if one is None else one[start : start + self._batch]
                for one in (f_m, f_lip, controls)
            )
            batches = self._made(*given)
            while True:
                # the mode would leak into the caller if it were on while this waits
                with torch.inference_mode():
                    made = next(batches, None)
                if made is None:
                    break
                yield made

    def _made(
        self, f_m: Tensor | None, f_lip: Tensor | None, controls: Tensor | None
    ) -> Iterator[Synthesis]:
        assert f_m is not None
        f_id = self.source.parts.f_id.expand(len(f_m), -1)
        styles = self._fusion(f_id, f_m, f_lip)
        gains: list[Tensor | None] = [None] * self._num_gains
        for modulations, style, places in self._modulations:
            for place, gain in zip(places, modulations(styles[:, style]), strict=True):
                gains[place] = gain
        # a copy even of one: layers write over what they are given
        x = self._first.repeat(len(f_m), 1, 1, 1).contiguous(memory_format=torch.channels_last)
        if self._first_conv is not None:
            x = self._first_conv(x, gains[0])
        fields = None
        if self._mean_flow is not None and controls is not None:
            fields = self._mean_flow.summed(controls, near=not self._windows)
        state = _Progress(x=x, planes=None, fields=fields, gains=gains)
        return self._finished(0, state)

    def _finished(self, index: int, state: _Progress) -> Iterator[Synthesis]:
        """Yield pictures from the results of the scales before `index`."""
        for position in range(index, len(self._levels)):
            level = self._levels[position]
            most = 1 << max(0, (_CACHE_BYTES // level.bytes).bit_length() - 1)
            if len(state.x) > most:
                for part in state.split(most):
                    yield from self._finished(position, part)
                return
            level.advance(state)
        assert state.made is not None
        yield state.made

    def _fold(self, model: FaceGenerator) -> None:
        f_id, fusion = self.source.parts.f_id, model.fusion
        moving = fusion.moved | fusion.lips
        net = model.synthesis
        scales = range(len(net.flows))
        # places of gains: the first convolution, then two convolutions and a flow per scale
        layers: list[ModulatedConv2d] = [net.first.conv]
        indices = [0]
        for k in scales:
            for offset, layer in enumerate((*net.convs[2 * k : 2 * k + 2], net.flows[k])):
                assert isinstance(layer, StyledConv | FlowHead)
                layers.append(layer.conv)
                indices.append(2 * k + 1 + offset)
        self._num_gains = len(layers)
        self._modulations = []
        for group in (fusion.moved, fusion.lips):
            places = [place for place, index in enumerate(indices) if index in group]
            if places:
                product = Modulations([layers[place].modulation for place in places])
                self._modulations.append((product, min(group), places))
        still = [None if index in moving else f_id for index in indices]
        first = FoldedConv(net.first, still[0], self._dtype)
        constant = net.constant.to(self._dtype)
        self._first_conv = first if still[0] is None else None
        self._first = constant if still[0] is None else first(constant, None)
        for k in scales:
            self._levels.append(
                _Level(
                    model=model,
                    scale=k,
                    source=self.source,
                    styles=still[3 * k + 1 : 3 * k + 4],
                    dtype=self._dtype,
                    windows=self._windows,
                )
            )


class _Level:
    """One scale: two convolutions, flow and mask, warped source, colours."""

    def __init__(
        self,
        *,
        model: FaceGenerator,
        scale: int,
        source: Source,
        styles: list[Tensor | None],
        dtype: torch.dtype,
        windows: bool,
    ) -> None:
        net = model.synthesis
        self._fused = model.config.content == "fused"
        self._finest = scale == len(net.flows) - 1
        self._skip = self._finest and model.config.pixel_skip
        self._place = 3 * scale + 1
        lips = min(model.fusion.lips, default=0)
        self._before_lips = 2 * scale + 3 < lips <= 2 * scale + 5
        up, plain, flow, colour = (
            net.convs[2 * scale],
            net.convs[2 * scale + 1],
            net.flows[scale],
            net.colours[scale],
        )
        assert isinstance(up, StyledConv)
        assert isinstance(plain, StyledConv)
        assert isinstance(flow, FlowHead)
        assert isinstance(colour, ColourHead | PlainColourHead)
        self._up = FoldedConv(up, styles[0], dtype)
        self._plain = FoldedConv(plain, styles[1], dtype)
        self._flow = FoldedHead(modulated_weight(flow.conv, styles[2]), dtype)
        self._flow_bias, self._head = flow.bias, colour
        weight = colour.conv.weight[:, :, 0, 0] * colour.conv.scale
        self._colour = FoldedHead(weight, dtype)
        source_map = source.maps[scale]
        side, width = source_map.shape[-1], source_map.shape[1]
        self.bytes = side * side * width * dtype.itemsize
        self._colours = self._finest and not windows
        self._line = torch.linspace(-1, 1, side)
        if self._finest:
            planes = [functional.conv2d(source_map, weight[:, :, None, None])]
            planes += [source.pictures] if self._skip else []
            self._planes = torch.cat(planes, 1).float().contiguous()
        else:
            self._sampler = RowSampler(source_map.to(dtype))

    def advance(self, state: _Progress) -> None:
        """Add this scale to what has been made."""
        gains = state.gains[self._place : self._place + 3]
        x = self._plain(self._up(state.x, gains[0]), gains[1])
        before = None if state.planes is None else upsample_planes(state.planes)
        raw = self._flow(x, gains[2]).add_(self._flow_bias)
        if before is not None:
            raw += before[:, :3]
        if self._before_lips:
            state.coarse = raw[:, :2]
        moved = raw[:, :2].tanh()
        across = moved[:, 0].add_(self._line)
        down = moved[:, 1].add_(self._line[:, None])
        logit = raw[:, 2]
        tint = None
        if state.fields is not None:
            flow = torch.stack([across, down], -1)
            flow, more, found = MeanFlow.at(flow, state.fields, colours=self._colours)
            (across, down), logit = flow.unbind(-1), logit + more[:, 0]
            tint = found if self._colours else None
        mask = logit.sigmoid()
        if self._finest:
            # configurations have two scales at least, so there are colours of the one before
            assert before is not None
            colour = before[:, 3:] if tint is None else before[:, 3:] + tint
            made = self._last(x, torch.stack([across, down], -1), mask[:, None], colour)
            state.made = replace(made, coarse=state.coarse)
            return
        warped = self._sampler(across, down, mask)
        # colours are made of what is warped before it takes up the blended map
        colours = None if self._fused else self._colour(warped)
        state.x = warped.addcmul_(x, (1 - mask)[:, None].to(x.dtype))
        colours = self._finish_colour(self._colour(state.x) if colours is None else colours)
        if before is not None:
            colours += before[:, 3:]
        state.planes = torch.cat([raw, colours], 1)

    def _last(self, x: Tensor, flow: Tensor, mask: Tensor, before: Tensor) -> Synthesis:
        """Return the pictures; colours are warped instead of the features they are made of."""
        planes = self._planes.expand(len(x), -1, -1, -1)
        sampled = functional.grid_sample(planes, flow, align_corners=False)
        made = sampled[:, :3]
        made = torch.lerp(self._colour(x), made, mask) if self._fused else made * mask
        painted = self._finish_colour(made).add_(before)
        picture = torch.lerp(painted, sampled[:, 3:], mask) if self._skip else painted
        return Synthesis(picture=picture, painted=painted, flow=flow, mask=mask)

    def _finish_colour(self, made: Tensor) -> Tensor:
        if isinstance(self._head, PlainColourHead):
            return made.add_(self._head.bias)
        made = functional.leaky_relu_(made.add_(self._head.activation.bias), SLOPE).mul_(GAIN)
        return made.add_(self._head.bias)
