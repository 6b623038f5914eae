"""Blinks, small eye movements and brow raises, as displacements of the photo's pixels."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.warp.brows import Brows
from facevox.models.face.warp.eye_geometry import measure_eye
from facevox.models.face.warp.eyelids import Eyelids
from facevox.models.face.warp.glasses import find_glasses
from facevox.models.face.warp.linear_light import to_light, to_srgb
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
        self._crop, self._iod = crop, iod
        self._photo = crop.copy()
        self._dirty: list[Box] = []
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

    def shade(
        self, patch: UInt8[np.ndarray, "bh bw 3"], index: int, eyelids: float
    ) -> UInt8[np.ndarray, "bh bw 3"]:
        """Return the warped patch of a box with the shadows that a closing lid casts.

        Args:
            patch: The box's pixels after its flow has been applied.
            index: Which of `boxes`.
            eyelids: 0 = as in the photo, 1 = shut.
        """
        if eyelids <= 0 or index >= len(self._lids):
            return patch
        gain, offset = self.veil(index, eyelids)
        return to_srgb(to_light(patch) * gain[..., None] + offset)

    def veil(
        self, index: int, eyelids: float
    ) -> tuple[Float32[np.ndarray, "bh bw"], Float32[np.ndarray, "bh bw 3"]]:
        """Return the shading of an eye's box as gain and offset of its linear light.

        Args:
            index: Which of `boxes`, 0 or 1.
            eyelids: 0 = as in the photo, 1 = shut.
        """
        return self._lids[index].veil(eyelids)

    def retouch(
        self, eyelids: float, gaze: tuple[float, float], brows: float
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Return the crop with lids, gaze and brows moved; what `flow` and `shade` add up to.

        Warping this picture moves the eyes with the head.  The array is reused by the
        next call.
        """
        for x0, y0, x1, y1 in self._dirty:
            self._photo[y0:y1, x0:x1] = self._crop[y0:y1, x0:x1]
        brows = brows * self._brow_share
        fields = self.flow(eyelids, gaze, brows)
        self._dirty = [box for box, _ in fields]
        lifts = [fields.pop()] if brows != 0 else []
        for box, field in lifts:
            self._paste(box, self._sample(box, field))
        for index, (box, field) in enumerate(fields):
            for other_box, other in lifts:
                field = _add_overlap(field, box, other, other_box)
            self._paste(box, self.shade(self._sample(box, field), index, eyelids))
        return self._photo

    def _sample(self, box: Box, field: np.ndarray) -> np.ndarray:
        x0, y0, x1, y1 = box
        columns, rows = np.meshgrid(
            np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32)
        )
        return cv2.remap(
            self._crop,
            columns + field[..., 0],
            rows + field[..., 1],
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _paste(self, box: Box, patch: np.ndarray) -> None:
        x0, y0, x1, y1 = box
        self._photo[y0:y1, x0:x1] = patch


def _add_overlap(field: np.ndarray, box: Box, other: np.ndarray, other_box: Box) -> np.ndarray:
    """Return a field plus that part of another which lies in its box."""
    x0, y0 = max(box[0], other_box[0]), max(box[1], other_box[1])
    x1, y1 = min(box[2], other_box[2]), min(box[3], other_box[3])
    total = field.copy()
    if x0 < x1 and y0 < y1:
        total[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]] += other[
            y0 - other_box[1] : y1 - other_box[1], x0 - other_box[0] : x1 - other_box[0]
        ]
    return total
