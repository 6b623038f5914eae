"""Blinks, gaze and brows carried along by the moving head.

Eyes are computed where the photo has them; a frame reads that result at the
place in the face which each of its pixels shows, so nothing is resampled twice.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.motion import Motion
from facevox.models.face.warp.eyes import Eyes
from facevox.models.face.warp.head import Head, HeadPose
from facevox.models.face.warp.linear_light import to_light, to_srgb
from facevox.models.face.warp.mouth_patch import Box, bounding_box, cut
from facevox.models.face.warp.sampling import sample_linear


@dataclass(frozen=True, kw_only=True, slots=True)
class EyePose:
    """What the motion asks of the eyes in one frame; see `Motion`."""

    eyelids: float
    gaze: tuple[float, float]
    brows: float

    @classmethod
    def of(cls, motion: Motion) -> "EyePose":
        """Return the eyes of a motion of one frame."""
        right, down = (float(angle) for angle in motion.gaze[0])
        return cls(
            eyelids=float(motion.eyelids[0]), gaze=(right, down), brows=float(motion.brows[0])
        )


class EyeLayer:
    """Moves the eyes of a frame.

    Args:
        eyes: Movements of the eyes in the photo.
        head: Movement fields of the head.
    """

    def __init__(self, eyes: Eyes, head: Head) -> None:
        self.eyes = eyes
        self.head = head

    def place(self, positions: Float32[np.ndarray, "h w 2"], eye: EyePose, head: HeadPose) -> None:
        """Add the movement of lids, gaze and brows to a map of where pixels come from.

        Args:
            positions: Position in the photo of every pixel of the frame [px]; changed.
            eye: State of the eyes.
            head: State of the head.
        """
        fields = self.eyes.flow(eye.eyelids, eye.gaze, eye.brows)
        if not fields:
            return
        lefts, tops, rights, bottoms = zip(*(box for box, _ in fields), strict=True)
        x0, y0, x1, y1 = min(lefts), min(tops), max(rights), max(bottoms)
        total = np.zeros((y1 - y0, x1 - x0, 2), np.float32)
        for box, field in fields:
            total[box[1] - y0 : box[3] - y0, box[0] - x0 : box[2] - x0] += field
        part = cut(positions, self._moved((x0, y0, x1, y1), head, positions.shape))
        part += sample_linear(total, part - np.array([x0, y0], np.float32), outside=0.0)

    def shade(
        self,
        frame: UInt8[np.ndarray, "h w 3"],
        positions: Float32[np.ndarray, "h w 2"],
        eye: EyePose,
        head: HeadPose,
    ) -> None:
        """Draw lash lines and the shadow of the lids into a frame.

        Args:
            frame: The picture; changed.
            positions: Position in the photo before `place` of every pixel of the frame [px].
            eye: State of the eyes.
            head: State of the head.
        """
        if eye.eyelids <= 0.0:
            return
        for index, box in enumerate(self.eyes.boxes[:-1]):
            gain, offset = self.eyes.veil(index, eye.eyelids)
            region = self._moved(box, head, frame.shape)
            where = cut(positions, region) - np.array(box[:2], np.float32)
            target = cut(frame, region)
            light = to_light(target) * sample_linear(gain, where, outside=1.0)[..., None]
            target[:] = to_srgb(light + sample_linear(offset, where, outside=0.0))

    def _moved(self, box: Box, head: HeadPose, shape: tuple[int, ...]) -> Box:
        """Return the pixels of the frame that can show a box of the photo."""
        x0, y0, x1, y1 = box
        corners = np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], np.float32)
        margin = 2.0 + 0.05 * self.head.frame.iod
        return bounding_box(self.head.move(head, corners), margin, shape[1], shape[0])
