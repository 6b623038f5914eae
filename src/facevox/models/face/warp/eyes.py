"""Blinks, small eye movements and brow raises, as displacements of the photo's pixels."""

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.warp.brows import Brows
from facevox.models.face.warp.eye_geometry import measure_eye
from facevox.models.face.warp.eyelids import Eyelids
from facevox.models.face.warp.glasses import find_glasses
from facevox.models.face.warp.sharpness import measure_blur

Box = tuple[int, int, int, int]


class Eyes:
    """Moves eyelids, gaze and brows of one photo.

    Everything is in face-fixed coordinates of the crop: before the head moves.  Glasses
    stay where they are: lids move inside their rims, brows behind them not at all.

    Args:
        crop: The working crop of the photo, sRGB.
        landmarks: Face mesh [px of the crop].
        iod: Distance between the iris centres [px].
    """

    def __init__(
        self,
        crop: UInt8[np.ndarray, "h w 3"],
        landmarks: Float32[np.ndarray, "478 2"],
        iod: float,
    ) -> None:
        blur = measure_blur(crop, landmarks, iod)
        glasses = find_glasses(crop, landmarks, iod)
        self._brow_share = 1.0 if glasses is None else 0.0
        self._lids = []
        for index in (0, 1):
            eye = measure_eye(landmarks, iod, index, crop.shape[:2])
            if eye is not None:
                rims = None if glasses is None else glasses[index]
                self._lids.append(Eyelids(crop, eye, iod, blur, rims))
        self._brows = Brows(landmarks, iod, crop.shape[:2])

    @property
    def boxes(self) -> list[Box]:
        """The boxes that can change: one per eye, then the brows and forehead."""
        return [*(lids.eye.box for lids in self._lids), self._brows.box]

    def flow(
        self, eyelids: float, gaze: tuple[float, float], brows: float
    ) -> list[tuple[Box, Float32[np.ndarray, "bh bw 2"]]]:
        """Return where each pixel of each box comes from, relative to itself [px].

        Args:
            eyelids: 0 = as in the photo, 1 = shut.
            gaze: Rotation of the eyes to the picture's right and down [deg].
            brows: Raise of the brows, -1 to 1.

        Returns:
            One entry per box of `boxes`, the brows' only if they move, nothing at rest.
        """
        brows = brows * self._brow_share
        moves_eyes = eyelids > 0 or gaze[0] != 0 or gaze[1] != 0
        fields = []
        if moves_eyes or brows != 0:
            fields = [(lids.eye.box, lids.flow(eyelids, gaze)) for lids in self._lids]
        if brows != 0:
            fields.append((self._brows.box, self._brows.flow(brows)))
        return fields

    def veil(
        self, index: int, eyelids: float
    ) -> tuple[Float32[np.ndarray, "bh bw"], Float32[np.ndarray, "bh bw 3"]]:
        """Return the shading of an eye's box as gain and offset of its linear light.

        Args:
            index: Which of `boxes`, 0 or 1.
            eyelids: 0 = as in the photo, 1 = shut.
        """
        return self._lids[index].veil(eyelids)
