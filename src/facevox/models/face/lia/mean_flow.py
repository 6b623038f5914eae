"""What mouth and eyes do on the average face, added to what the network finds.

A generator that has seen a few hundred people for an hour turns heads, but does not find by
itself movements as small as those of lips and lids.  They are much the same for everybody once
the faces lie upon each other, so their means are given: a field of movement, mask and colour
for each control, one for the whole view, whose eyes are level and at known places, and a finer
one around the mouth of the source.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.portrait.face_crop import FaceCrop

MOUTH, EYES, PLACE = 9, 5, 3
"""Columns of the controls: the mouth's numbers, those of lids, gaze, brows and smile, both in
units of their own; then x, y and half the side of the window around the source's mouth, in
halves of the view."""

NUM_CONTROLS = MOUTH + EYES + PLACE

FIELD_SIDE = 64
"""Cells of a field, both ways."""

LOGIT_UNIT = 20.0
"""What one unit of a field adds to the mask before the sigmoid."""

_GAP = 6  # column of the lip gap
_COLOURS = slice(3, 6)
GAP_STEPS = tuple(0.35 * step for step in range(1, 7))
_WINDOW = 0.75
_CORNERS, _INNER_LIPS = [61, 291], [13, 14]


class MeanFlow(nn.Module):
    """Fields of movement (2), mask (1) and colour (3) of the average face."""

    def __init__(self) -> None:
        super().__init__()
        side = FIELD_SIDE
        self.fields = nn.Parameter(torch.zeros(MOUTH + EYES, 6, side, side))
        self.mouth_fields = nn.Parameter(torch.zeros(MOUTH + len(GAP_STEPS), 6, side, side))

    def forward(
        self,
        flow: Float[Tensor, "batch side side 2"],
        controls: Float[Tensor, "batch controls"],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the flow with the fields' movement, and what they add to logit and colours.

        The network's flow has carried each pixel back to the photo's pose, where the fields lie.

        Args:
            flow: Where pixels come from but for mouth and eyes.
            controls: `NUM_CONTROLS` numbers.

        Returns:
            (batch, side, side, 2), (batch, 1, side, side) and (batch, 3, side, side).
        """
        return self.at(flow, self.summed(controls))

    def summed(
        self, controls: Float[Tensor, "batch controls"], *, near: bool = True
    ) -> "SummedFields":
        """Return the fields of some controls, which serve every scale.

        Args:
            controls: `NUM_CONTROLS` numbers.
            near: Whether those around the mouth count.
        """
        steps = mouth_steps(controls[:, :MOUTH])
        return SummedFields(
            view=torch.einsum("bc,ckyx->bkyx", controls[:, : MOUTH + EYES], self.fields),
            near=torch.einsum("bc,ckyx->bkyx", steps, self.mouth_fields) if near else None,
            place=controls[:, -PLACE:, None, None].transpose(1, 3),
        )

    @staticmethod
    def at(
        flow: Float[Tensor, "batch side side 2"], fields: "SummedFields", *, colours: bool = True
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `forward` does; without colours the last part is empty.

        Args:
            flow: Where pixels come from but for mouth and eyes.
            fields: Of the same pictures.
            colours: Whether these are wanted.
        """
        count = _COLOURS.stop if colours else _COLOURS.start
        here = functional.grid_sample(fields.view[:, :count], flow, align_corners=False)
        if fields.near is not None:
            inside = (flow - fields.place[..., :2]) / fields.place[..., 2:]
            near = functional.grid_sample(fields.near[:, :count], inside, align_corners=False)
            here = here + near
        moved = flow + here[:, :2].permute(0, 2, 3, 1)
        return moved, LOGIT_UNIT * here[:, 2:3], here[:, 3:]


@dataclass(frozen=True, kw_only=True)
class SummedFields:
    """Fields of movement, mask and colour of some pictures.

    Attributes:
        view: Over the whole view.
        near: In the window around the mouth; None leaves it out.
        place: x, y and half a side of that window.
    """

    view: Float[Tensor, "batch 6 cells cells"]
    near: Float[Tensor, "batch 6 cells cells"] | None
    place: Float[Tensor, "batch 1 1 3"]

    def part(self, rows: slice) -> "SummedFields":
        """Return those of some of the pictures."""
        near = None if self.near is None else self.near[rows]
        return SummedFields(view=self.view[rows], near=near, place=self.place[rows])


def mouth_steps(mouth: Float[Tensor, "batch 9"]) -> Float[Tensor, "batch steps"]:
    """Return the mouth's controls, and how far the gap lies above each of a few widths.

    The border of an opening mouth moves, which is no linear function of the gap.
    """
    gap = mouth[:, _GAP : _GAP + 1]
    return torch.cat([mouth, torch.relu(gap - gap.new_tensor(GAP_STEPS))], 1)


def mouth_place(
    landmarks: Float32[np.ndarray, "478 3"], view: FaceCrop
) -> Float32[np.ndarray, " 3"]:
    """Return where the mouth lies in the view: the last columns of the controls.

    Args:
        landmarks: Face mesh [px of the photo].
        view: The generator's square.
    """
    matrix = view.matrix(2)
    points = landmarks[_CORNERS + _INNER_LIPS, :2].astype(np.float64)
    seen = (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T - 1
    x, y = seen[:2, 0].mean(), seen[2:, 1].mean()
    half = _WINDOW * float(np.linalg.norm(seen[1] - seen[0]))
    return np.array([x, y, half], np.float32)
