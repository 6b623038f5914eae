"""Making a portrait speak by moving its own pixels."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.warp.expression import Expression
from facevox.models.face.warp.eye_layer import EyeLayer, EyePose
from facevox.models.face.warp.eyes import Eyes
from facevox.models.face.warp.face_frame import fit_face_frame
from facevox.models.face.warp.head import Head, HeadPose
from facevox.models.face.warp.layers import Layers
from facevox.models.face.warp.matte import cut_out
from facevox.models.face.warp.mouth import Mouth, MouthPose
from facevox.models.face.warp.rest import rest_of
from facevox.models.face.warp.sampling import pixel_positions, sample_picture
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
        self._iod = frame.iod
        slit = find_slit(stage.crop, stage.landmarks, frame)
        smile, relaxation = rest_of(stage.landmarks, slit, frame, basis)
        expression = Expression(
            stage.landmarks, slit, frame, basis, smile, relaxation, stage.lattice
        )
        below_crop = self.height - stage.origin[1] - stage.lattice.height
        self._head = Head(stage.landmarks, frame, stage.lattice, open_bottom=below_crop <= 0)
        self._mouth = Mouth(stage, expression, self._head)
        matte = cut_out(stage.crop, stage.landmarks, frame)
        self._layers = None if matte is None else Layers(stage.crop, matte, frame.iod)
        eyes = Eyes(stage.crop, stage.landmarks[:, :2].copy(), frame.iod)
        self._eyes = EyeLayer(eyes, self._head)
        self._pixels = pixel_positions(0, 0, stage.lattice.width, stage.lattice.height)

    def frames(self, motion: Motion) -> Iterator[Frame]:
        """Yield one picture per row of the motion.

        Args:
            motion: What the face does.
        """
        for row in motion.rows():
            yield self._frame(row)

    def origins(
        self, motion: Motion, points: Float32[np.ndarray, "rows columns 2"]
    ) -> Iterator[Float32[np.ndarray, "rows columns 2"]]:
        """Yield, per row of the motion, where points of the picture come from in the photo.

        Points beyond the moving part stay where they are.

        Args:
            motion: What the face does.
            points: x and y [px of the pictures].
        """
        import cv2

        inner = points - np.array(self._stage.origin, np.float32)
        last = np.array([self._stage.lattice.width, self._stage.lattice.height]) - 1
        inside = ((inner >= 0) & (inner < last)).all(-1, keepdims=True)
        for row in motion.rows():
            head, eye = HeadPose.of(row), EyePose.of(row)
            positions = self._stage.lattice.enlarge(self._mouth.pose(MouthPose.of(row), head).flow)
            positions += self._pixels
            self._eyes.place(positions, eye, head)
            found = cv2.remap(
                positions, inner[..., 0], inner[..., 1], cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip
            yield points + (found - inner) * inside.astype(np.float32)

    def _frame(self, motion: Motion) -> Frame:
        head, eye = HeadPose.of(motion), EyePose.of(motion)
        mouth = self._mouth.pose(MouthPose.of(motion), head)
        positions = self._stage.lattice.enlarge(mouth.flow)
        positions += self._pixels
        before = positions.copy() if eye.eyelids > 0.0 else positions
        self._eyes.place(positions, eye, head)
        crop = self._picture(positions, float(np.abs(mouth.flow).max()))
        self._eyes.shade(crop, before, eye, head)
        self._mouth.draw(crop, mouth)
        frame = self._stage.photo.copy()
        self._stage.write_back(frame, crop)
        return frame

    def _picture(
        self, positions: Float32[np.ndarray, "h w 2"], reach: float
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Return the crop with its pixels moved; the background stays where it is known."""
        if self._layers is None:
            return sample_picture(self._stage.crop, positions, self._iod)
        return self._layers.move(positions, reach)
