"""The inside of the mouth at a size that is quick to draw, whatever the photo's size."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.warp.lips import LipLine
from facevox.models.face.warp.mouth_interior import MouthInterior
from facevox.models.face.warp.mouth_patch import Box, within

_LARGEST_IOD = 170.0
"""Size of the face at which teeth and tongue are drawn at most [px]."""


class InteriorLayer:
    """Draws what is behind the lips, enlarged where the photo is large.

    Args:
        crop: The picture.
        landmarks: Face mesh [px].
        iod: Distance between the irises [px].
    """

    def __init__(
        self,
        crop: UInt8[np.ndarray, "h w 3"],
        landmarks: Float32[np.ndarray, "478 3"],
        iod: float,
    ) -> None:
        self.scale = min(1.0, _LARGEST_IOD / iod)
        points = landmarks[:, :2].copy()
        if self.scale < 1.0:
            crop = cv2.resize(
                crop, None, fx=self.scale, fy=self.scale, interpolation=cv2.INTER_AREA
            )
            points = self._shrunk(points)
        self.interior = MouthInterior(crop, points, iod * self.scale)

    def _shrunk(self, points: Float32[np.ndarray, "n 2"]) -> Float32[np.ndarray, "n 2"]:
        """Return points of the picture in the coordinates of the smaller one [px]."""
        return ((points + 0.5) * self.scale - 0.5).astype(np.float32)

    def draw(
        self,
        box: Box,
        lips: LipLine,
        *,
        jaw_drop: float,
        tongue: float,
        lip_roll: float,
        skull_shift: tuple[float, float],
        lip_gap: float,
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Return the picture behind the lips in a box (see `MouthInterior.draw`)."""
        scale = self.scale
        corners = self._shrunk(np.array([box[:2], box[2:]], np.float32))
        x0, y0 = (int(value) for value in np.floor(corners[0]))
        x1, y1 = (int(value) for value in np.ceil(corners[1]) + 1)
        small = (x0, y0, x1, y1) if scale < 1.0 else box
        picture = self.interior.draw(
            small,
            self._shrunk(lips.upper) if scale < 1.0 else lips.upper,
            self._shrunk(lips.lower) if scale < 1.0 else lips.lower,
            jaw_drop=jaw_drop,
            tongue=tongue,
            lip_roll=lip_roll,
            head_shift=(skull_shift[0] * scale, skull_shift[1] * scale),
            lip_gap=lip_gap,
        )
        if scale == 1.0:
            return picture
        left, top, right, bottom = within(box, box)
        corner = corners[0] - np.array([x0, y0], np.float32)
        move = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]], np.float32)
        return cv2.warpAffine(
            picture,
            move,
            (right - left, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
