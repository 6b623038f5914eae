"""Making a portrait speak by moving its own pixels."""

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.warp.expression import Expression
from facevox.models.face.warp.face_frame import fit_face_frame
from facevox.models.face.warp.head import Head, HeadPose
from facevox.models.face.warp.mouth import Mouth, MouthPose
from facevox.models.face.warp.rest import rest_of
from facevox.models.face.warp.slit import find_slit
from facevox.models.face.warp.stage import set_stage

Frame = UInt8[np.ndarray, "height width 3"]


class WarpRenderer:
    """Renders the frames of one portrait.

    Setting up takes a few tenths of a second; every frame depends on its own row
    of the motion only, so any split of a motion gives the same pictures.

    Args:
        portrait: The photo and its face.
        size: Longest side of the pictures [px]; None keeps the photo's, up to 4096.
            Photos are enlarged at most twice.

    Raises:
        InputError: If `size` is out of range.
    """

    def __init__(self, portrait: Portrait, *, size: int | None = None) -> None:
        basis = MouthBasis.load()
        frame = fit_face_frame(portrait.landmarks, basis.neutral)
        stage = set_stage(portrait, frame.iod, size)
        self._stage = stage
        self.height, self.width = stage.photo.shape[:2]
        frame = fit_face_frame(stage.landmarks, basis.neutral)
        slit = find_slit(stage.crop, stage.landmarks, frame)
        smile, relaxation = rest_of(stage.landmarks, slit, frame, basis)
        expression = Expression(
            stage.landmarks, slit, frame, basis, smile, relaxation, stage.lattice
        )
        below_crop = self.height - stage.origin[1] - stage.lattice.height
        self._head = Head(stage.landmarks, frame, stage.lattice, open_bottom=below_crop <= 0)
        self._mouth = Mouth(stage, expression, self._head)
        self._pixels = _pixel_positions(stage.crop)

    def frames(self, motion: Motion) -> Iterator[Frame]:
        """Yield one picture per row of the motion.

        Args:
            motion: What the face does.
        """
        for row in motion.rows():
            yield self._frame(row)

    def _frame(self, motion: Motion) -> Frame:
        pose = HeadPose.of(motion)
        mouth = self._mouth.pose(MouthPose.of(motion), pose)
        moved = self._stage.lattice.enlarge(mouth.flow)
        moved += self._pixels
        crop = cv2.remap(
            self._stage.crop, moved, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        self._mouth.draw(crop, mouth)
        frame = self._stage.photo.copy()
        self._stage.write_back(frame, crop)
        return frame


def _pixel_positions(picture: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 2"]:
    height, width = picture.shape[:2]
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    return np.dstack(np.meshgrid(x, y))
