"""Putting the moved person in front of the still background, only where that shows."""

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.warp.matte import Matte
from facevox.models.face.warp.mouth_patch import Box, cut
from facevox.models.face.warp.sampling import sample_picture

_ROWS = 48
"""Rows of one strip; the head's strips are narrower than the shoulders' [px]."""


class Layers:
    """Moves the pixels of a picture that has been taken apart.

    Args:
        crop: The picture.
        matte: Its person and its background.
        iod: Distance between the irises [px].
    """

    def __init__(self, crop: UInt8[np.ndarray, "h w 3"], matte: Matte, iod: float) -> None:
        self._crop, self._matte, self._iod = crop, matte, iod
        height = len(crop)
        self._strips: list[Box] = []
        for top in range(0, height, _ROWS):
            bottom = min(top + _ROWS, height)
            columns = np.flatnonzero(matte.person[top:bottom].any((0, 2)))
            if len(columns):
                self._strips.append((int(columns[0]), top, int(columns[-1]) + 1, bottom))

    def move(
        self, positions: Float32[np.ndarray, "h w 2"], reach: float
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Return the picture whose person comes from `positions`.

        Args:
            positions: Where each pixel of the person comes from [px].
            reach: Largest distance that anything moves [px].
        """
        picture = self._crop.copy()
        height, width = picture.shape[:2]
        margin = int(np.ceil(reach)) + 2
        for top in range(0, height, _ROWS):
            bottom = min(top + _ROWS, height)
            near = [
                strip
                for strip in self._strips
                if strip[1] - margin < bottom and strip[3] + margin > top
            ]
            if not near:
                continue
            left = max(min(strip[0] for strip in near) - margin, 0)
            right = min(max(strip[2] for strip in near) + margin, width)
            box = (left, top, right, bottom)
            moved = sample_picture(self._matte.person, cut(positions, box), self._iod)
            cut(picture, box)[:] = self._matte.lay_over(moved, box)
        return picture
