"""What the generator makes of its square view, carried over to the whole photo.

The flow is smooth, so it is enlarged and moves the photo's own pixels at the photo's own
sharpness; only what the generator painted is as coarse as its view.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.portrait.face_crop import FaceCrop
from facevox.models.face.warp.face_frame import smoothstep

Frame = UInt8[np.ndarray, "height width 3"]

_FADE = 0.1
"""Width of the border of the view in which movement dies away, over its side."""


@dataclass(frozen=True, kw_only=True)
class Near:
    """A part of the photo that is known better than from the view.

    Attributes:
        place: Rows and columns of the photo's part that the view covers.
        moved: How far away its pixels come from [px of the photo].
        weight: How much this counts against the view, 0 to 1.
        picture: What shows in the place of the moved photo.
        share: How much of it, 0 to 1.
    """

    place: tuple[slice, slice]
    moved: Float32[np.ndarray, "h w 2"]
    weight: Float32[np.ndarray, "h w"]
    picture: Float32[np.ndarray, "h w 3"]
    share: Float32[np.ndarray, "h w"]


class PhotoPaste:
    """Puts made views of one portrait back into its photo.

    Args:
        photo: The picture that the video shows, RGB.
        view: The generator's square in that picture.
        side: Side of the generator's pictures [px].

    Attributes:
        box: Columns and rows of the photo that the view covers: x0, y0, x1, y1.
        pixels: The photo's pixels in it (h, w, 2).
        seen: Where they lie in the view [px of the view].
    """

    def __init__(self, photo: Frame, view: FaceCrop, side: int) -> None:
        self.photo, self.side = photo, side
        matrix = view.matrix(side)
        corners = np.array([[0, 0], [side, 0], [0, side], [side, side]]) - 0.5
        on_photo = corners @ matrix[:, :2].T + matrix[:, 2]
        height, width = photo.shape[:2]
        low = np.clip(np.floor(on_photo.min(0)), 0, (width, height)).astype(int)
        high = np.clip(np.ceil(on_photo.max(0)) + 1, 0, (width, height)).astype(int)
        self.box = (*low.tolist(), *high.tolist())
        x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
        pixels = np.stack([x, y], -1).astype(np.float32)
        inverse = np.linalg.inv(matrix[:, :2])
        seen = ((pixels - matrix[:, 2]) @ inverse.T).astype(np.float32)
        self.seen, self.pixels = seen, pixels
        self._turn = matrix[:, :2].astype(np.float32)
        self._fade = _fading(seen, side)
        line = np.arange(side, dtype=np.float32)
        self._own = np.stack(np.meshgrid(line, line), -1)

    def __call__(
        self,
        flow: Float32[np.ndarray, "side side 2"],
        mask: Float32[np.ndarray, "side side"],
        painted: Float32[np.ndarray, "side side 3"],
        near: Sequence[Near] = (),
    ) -> Frame:
        """Return the whole photo with the face moved.

        Args:
            flow: Where each pixel of the view comes from, -1 to 1 over the view.
            mask: How much of it is the photo's own, 0 to 1.
            painted: What the rest is made of, -1 to 1.
            near: Parts that are known better.
        """
        frame = self.photo.copy()
        x0, y0, x1, y1 = self.box
        if x0 >= x1 or y0 >= y1:
            return frame
        moved = ((flow + 1) * self.side - 1) / 2 - self._own
        layers = np.dstack([cv2.transform(moved, self._turn), 1 - mask])
        layers = self.enlarged(layers)
        layers *= self._fade[..., None]
        for one in near:
            part, weight = layers[one.place], one.weight[..., None]
            part[..., :2] += weight * (one.moved - part[..., :2])
            part[..., 2:] *= 1 - weight
        moved_photo = cv2.remap(
            self.photo,
            self.pixels + layers[..., :2],
            None,
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        share = np.ascontiguousarray(layers[..., 2])
        colours = self.enlarged(_to_levels((painted + 1) * 127.5))
        blended = cv2.blendLinear(moved_photo, colours, 1 - share, share)
        for one in near:
            part = blended[one.place].astype(np.float32)
            part += one.share[..., None] * (one.picture - part)
            blended[one.place] = _to_levels(part)
        frame[y0:y1, x0:x1] = blended
        return frame

    def enlarged(self, layers: np.ndarray) -> np.ndarray:
        """Return what is known of the view's pixels for the photo's.

        Args:
            layers: (side, side, channels) of float32 or uint8, at most 4 channels.
        """
        return cv2.remap(layers, self.seen, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _to_levels(values: Float32[np.ndarray, "*pixels"]) -> UInt8[np.ndarray, "*pixels"]:
    """Round, and end at 0 and 255."""
    return cv2.convertScaleAbs(np.maximum(values, 0))


def _fading(seen: Float32[np.ndarray, "h w 2"], side: int) -> Float32[np.ndarray, "h w"]:
    """Return 1 inside the view and a smooth fall to 0 at its border."""
    distance = np.minimum(seen + 0.5, side - 0.5 - seen).min(-1) / (_FADE * side)
    return smoothstep(distance, 0.0, 1.0).astype(np.float32)
