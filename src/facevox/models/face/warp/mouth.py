"""The speaking mouth of one photo: how it stands in a frame, and its picture."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.motion import Motion
from facevox.models.face.warp.expression import Amounts, Expression
from facevox.models.face.warp.face_frame import CHIN
from facevox.models.face.warp.head import Head, HeadPose
from facevox.models.face.warp.interior_layer import InteriorLayer
from facevox.models.face.warp.lattice import invert_steep
from facevox.models.face.warp.linear_light import to_light, to_srgb
from facevox.models.face.warp.lips import (
    LOWER_ROWS,
    NEARLY_CLOSED,
    UPPER_ROWS,
    LipLine,
    smooth_line,
    wanted_gap,
)
from facevox.models.face.warp.mouth_patch import (
    Box,
    blend,
    bounding_box,
    common,
    cut,
    feather,
    fill,
    within,
)
from facevox.models.face.warp.sampling import pixel_positions, sample_picture
from facevox.models.face.warp.stage import Stage

_MARGIN = 0.14
"""Width of skin around the lips that is drawn with them [IOD]."""

_SOFT_EDGE = 0.009
"""Blur of the edge of the opening [IOD]."""

_SEAM, _SEAM_ENDS = 0.009, 0.03
"""Half width of a painted seam and the opening at which it is gone [IOD]."""

_SEAM_INK = np.array([0.58, 0.70, 0.68], np.float32)
"""Part of red, green and blue light that a painted seam takes."""

_RAMP = 0.05
"""Width over which the sheets meet away from the lips [IOD]."""


_UPPER_EDGE, _LOWER_EDGE = (78, *UPPER_ROWS[0], 308), (78, *LOWER_ROWS[0], 308)
"""Inner edges of the lips, from corner to corner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthPose:
    """What the motion asks of the mouth in one frame; see `Motion`."""

    mouth: Float32[np.ndarray, " 6"]
    lip_gap: float
    tongue: float
    lip_roll: float
    smile: float

    @classmethod
    def of(cls, motion: Motion) -> "MouthPose":
        """Return the mouth of a motion of one frame."""
        return cls(
            mouth=motion.mouth[0],
            lip_gap=float(motion.lip_gap[0]),
            tongue=float(motion.tongue[0]),
            lip_roll=float(motion.lip_roll[0]),
            smile=float(motion.smile[0]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthState:
    """A mouth ready to be drawn.

    Attributes:
        pose: What was asked.
        flow: Backward displacement of the whole lattice [px].
        upper: Backward displacement of the upper sheet around the face [px].
        lower: The same of the lower sheet.
        lips: Smooth inner lip edges in the frame [px].
        outline: Landmarks of the lips in the frame [px].
        jaw_drop: How far the chin sank [IOD].
        skull_shift: How far the upper teeth moved [px].
    """

    pose: MouthPose
    flow: Float32[np.ndarray, "rows columns 2"]
    upper: Float32[np.ndarray, "block_rows block_columns 2"]
    lower: Float32[np.ndarray, "block_rows block_columns 2"]
    lips: LipLine
    outline: Float32[np.ndarray, "points 2"]
    jaw_drop: float
    skull_shift: tuple[float, float]


class Mouth:
    """Moves and draws the mouth of one photo.

    Args:
        stage: The picture.
        expression: Movement fields of the lower face.
        head: Movement fields of the head.
    """

    def __init__(self, stage: Stage, expression: Expression, head: Head) -> None:
        self.stage = stage
        self.expression = expression
        self.head = head
        self.frame = expression.frame
        reach = 0.3 * self.frame.iod
        inner = expression.lattice
        self.block = stage.lattice.block(
            (inner.left - reach, inner.top - reach,
             inner.left + inner.width + reach, inner.top + inner.height + reach)
        )  # fmt: skip
        self.nodes = stage.lattice.positions()
        self.interior = InteriorLayer(stage.crop, stage.landmarks, self.frame.iod)
        points = expression.points.astype(np.float32)
        self.slit = LipLine(upper=points[list(_UPPER_EDGE)], lower=points[list(_LOWER_EDGE)])
        self.repaints_seam = bool(self.slit.gap(self.frame).max() > NEARLY_CLOSED)

    def _lips(self, amounts: Amounts) -> LipLine:
        return LipLine(
            upper=self.slit.upper + self.expression.displace(amounts, _UPPER_EDGE),
            lower=self.slit.lower + self.expression.displace(amounts, _LOWER_EDGE),
        )

    def _amounts(self, pose: MouthPose) -> tuple[Amounts, LipLine]:
        """Return the weights that open the lips exactly as asked, and the lips."""
        smile = pose.smile
        free = Amounts(mouth=pose.mouth, columns=np.zeros(9), smile=smile, roll=0.0)
        natural = self._lips(free).gap(self.frame)
        columns = wanted_gap(natural, pose.lip_gap) - natural
        held = Amounts(mouth=pose.mouth, columns=columns, smile=smile, roll=0.0)
        lips = self._lips(held)
        return Amounts(mouth=pose.mouth, columns=columns, smile=smile, roll=pose.lip_roll), lips

    def pose(self, pose: MouthPose, head: HeadPose) -> MouthState:
        """Work out the movement of every part of the picture."""
        amounts, lips = self._amounts(pose)
        flow = self.head.flow(head)
        rows, columns = self.block.slices_in(self.stage.lattice)
        held = flow[rows, columns]
        face = self.nodes[rows, columns] + held
        upper, lower = (
            held + invert_steep(sheet, self.expression.lattice, face)
            for sheet in self.expression.sheets(amounts)
        )
        outer = self.expression.lip_points
        outline = outer + self.expression.displace(amounts, self.expression.lip_indices)
        lips = LipLine(
            upper=self.head.move(head, smooth_line(lips.upper)),
            lower=self.head.move(head, smooth_line(lips.lower)),
        )
        share = self._below(self.nodes[rows, columns], lips, _RAMP * self.frame.iod)[..., None]
        flow[rows, columns] = upper + share * (lower - upper)
        middle = self.slit.middle[5:6]
        chin = self.expression.displace(amounts, (CHIN,))[0]
        shift = self.head.move(head, middle)[0] - middle[0]
        return MouthState(
            pose=pose,
            flow=flow,
            upper=upper,
            lower=lower,
            lips=lips,
            outline=self.head.move(head, outline.astype(np.float32)),
            jaw_drop=float(chin @ self.frame.down) / self.frame.iod,
            skull_shift=(float(shift[0]), float(shift[1])),
        )

    def _below(
        self, points: Float32[np.ndarray, "h w 2"], lips: LipLine, ramp: float
    ) -> Float32[np.ndarray, "h w"]:
        """Return 0 above the lip line and 1 below it, over a ramp [px]."""
        line = _extend(lips.middle, 3.0 * self.frame.iod)
        across, along = line @ self.frame.right, line @ self.frame.down
        height = points @ self.frame.down - np.interp(points @ self.frame.right, across, along)
        return np.clip(height / ramp + 0.5, 0.0, 1.0).astype(np.float32)

    def draw(self, crop: UInt8[np.ndarray, "h w 3"], state: MouthState) -> None:
        """Draw the lips and what is between them into a moved crop."""
        height, width = crop.shape[:2]
        margin = _MARGIN * self.frame.iod
        box = bounding_box(
            np.vstack([state.outline, state.lips.upper, state.lips.lower]), margin, width, height
        )
        lips = self._both_sheets(box, state)
        opening = np.vstack([state.lips.upper, state.lips.lower[::-1]])
        inner = bounding_box(opening, 4.0 + 3 * _SOFT_EDGE * self.frame.iod, width, height)
        inner = common(inner, box)
        if state.pose.lip_gap > 0.0:
            cover = cv2.GaussianBlur(
                fill(opening, inner), (0, 0), max(0.5, _SOFT_EDGE * self.frame.iod)
            )
            # A slit thinner than a pixel covers only part of it.
            cover *= min(1.0, state.pose.lip_gap * self.frame.iod)
            behind = self.interior.draw(
                inner,
                state.lips,
                jaw_drop=state.jaw_drop,
                tongue=state.pose.tongue,
                lip_roll=state.pose.lip_roll,
                skull_shift=state.skull_shift,
                lip_gap=state.pose.lip_gap,
            )
            part = cut(lips, within(inner, box))
            part[:] = blend(part, behind, cover)
        if self.repaints_seam:
            self._ink_seam(lips, box, state)
        target = cut(crop, box)
        edge = feather(box, 0.7 * margin)
        target[:] = cv2.add(
            cv2.multiply(lips, edge, dtype=cv2.CV_8U),
            cv2.multiply(target, 1.0 - edge, dtype=cv2.CV_8U),
        )

    def _ink_seam(self, lips: UInt8[np.ndarray, "h w 3"], box: Box, state: MouthState) -> None:
        """Darken the line between lips that the photo shows apart: it has no seam of its own."""
        strength = 1.0 - state.pose.lip_gap / _SEAM_ENDS
        if strength <= 0.0:
            return
        line, iod = state.lips.middle, self.frame.iod
        half = np.sin(np.linspace(0.06, 0.94, len(line)) * np.pi)[:, None] ** 0.5
        half = (_SEAM * iod * half * self.frame.down).astype(np.float32)
        band = fill(np.vstack([line - half, (line + half)[::-1]]), box)
        band = cv2.GaussianBlur(band, (0, 0), max(0.5, 0.9 * _SEAM * iod))
        # Blurring lowers the ridge of a narrow band; the constant brings it back to 1.
        gain = 1.0 - np.minimum(1.35 * band, 1.0)[..., None] * (strength * _SEAM_INK)
        lips[:] = to_srgb(to_light(lips) * gain)

    def _both_sheets(self, box: Box, state: MouthState) -> UInt8[np.ndarray, "h w 3"]:
        """Return the lips of a box, cut sharply at the line where they meet."""
        part = self.block.block(
            (box[0] - 2 * self.block.step, box[1] - 2 * self.block.step,
             box[2] + 2 * self.block.step, box[3] + 2 * self.block.step)
        )  # fmt: skip
        rows, columns = part.slices_in(self.block)
        local = within(box, (part.left, part.top))
        pixels = pixel_positions(*box)
        pictures = []
        for sheet in (state.upper, state.lower):
            flow = cut(part.enlarge(np.ascontiguousarray(sheet[rows, columns])), local)
            pictures.append(sample_picture(self.stage.crop, pixels + flow, self.frame.iod))
        line = _extend(state.lips.middle, 2.0 * self.frame.iod)
        floor = 3.0 * self.frame.iod * self.frame.down
        share = fill(np.vstack([line, line[-1:] + floor, line[:1] + floor]), box)
        share = cv2.GaussianBlur(share, (0, 0), 0.6)
        return blend(pictures[0], pictures[1], share)


def _extend(line: Float32[np.ndarray, "points 2"], reach: float) -> Float32[np.ndarray, "more 2"]:
    """Continue a lip line straight beyond both corners [px]."""
    axis = line[-1] - line[0]
    axis = axis / max(float(np.linalg.norm(axis)), 1e-6)
    return np.vstack([line[:1] - reach * axis, line, line[-1:] + reach * axis])
