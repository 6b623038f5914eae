"""Unwrapping a face: its skin laid flat on one fixed shape, whatever the pose and expression.

Every pixel of the flat picture belongs to a triangle of the face mesh and takes the colour
from the same place of that triangle in the photo.  A smile, a turned head or a wide jaw are
undone, and nothing outside the face (hair, collar, background) nor inside the mouth is seen.
"""

from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS

SIDE = 128
"""Width and height of the flat face [px]."""

NUM_SKIN = 468

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Outline of the mesh, from the top of the forehead clockwise in the picture."""

INNER_LIPS = (
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
)  # fmt: skip
"""Outline of the mouth opening."""

_EDGE = 2  # px at the outline where background shines through
_OVERSAMPLING = 1.2
_MARGIN = 8


class FaceTexture:
    """Lays faces flat on one shape.

    Args:
        shape: The landmarks of that shape, frontal and symmetric, in any unit.
    """

    def __init__(self, shape: Float[np.ndarray, "478 3"]) -> None:
        flat = shape[:, :2].astype(np.float64)
        low, high = flat[list(FACE_OVAL)].min(0), flat[list(FACE_OVAL)].max(0)
        scale = (SIDE - 4) / (high - low).max()
        self._points = (flat - (low + high) / 2) * scale + (SIDE - 1) / 2
        self._iod = float(np.linalg.norm(self._points[LEFT_IRIS] - self._points[RIGHT_IRIS]))

    @cached_property
    def mask(self) -> Bool[np.ndarray, "side side"]:
        """Pixels that show the face."""
        canvas = np.zeros((SIDE, SIDE), np.uint8)
        for outline, value in ((FACE_OVAL, 1), (INNER_LIPS, 0)):
            cv2.fillPoly(canvas, [np.round(self._points[list(outline)]).astype(np.int32)], value)
        return canvas.astype(bool)

    @cached_property
    def inside(self) -> Float32[np.ndarray, "side side"]:
        """1 for pixels that show the face and do not touch its outline, else 0."""
        kernel = np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8)
        return cv2.erode(self.mask.astype(np.uint8), kernel).astype(np.float32)

    @cached_property
    def _places(self) -> tuple[Int[np.ndarray, "p 3"], Float[np.ndarray, "p 3"]]:
        """Return for each pixel the corners of its triangle and its place between them."""
        from scipy.spatial import Delaunay  # 0.2 s: only who reads a photo pays

        mesh = Delaunay(self._points[:NUM_SKIN])
        grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).reshape(-1, 2)
        found = mesh.find_simplex(grid.astype(np.float64))
        maps = mesh.transform[found]
        first = np.einsum("nij,nj->ni", maps[:, :2], grid - maps[:, 2])
        weights = np.concatenate([first, 1 - first.sum(1, keepdims=True)], 1)
        corners = mesh.simplices[found].copy()
        corners[found < 0], weights[found < 0] = 0, 0.0
        return corners, weights

    def unwrap(
        self,
        pixels: UInt8[np.ndarray, "height width 3"],
        landmarks: Float32[np.ndarray, "478 3"],
    ) -> UInt8[np.ndarray, "side side 3"]:
        """Return the face of a photo laid flat; black where there is no face.

        Args:
            pixels: The photo, RGB.
            landmarks: Its face mesh [px].
        """
        points = landmarks[:, :2].astype(np.float64)
        limits = np.array(pixels.shape[1::-1])
        low = np.clip(np.floor(points.min(0)) - _MARGIN, 0, limits - 2).astype(int)
        high = np.clip(np.ceil(points.max(0)) + _MARGIN, low + 2, limits).astype(int)
        part, points = pixels[low[1] : high[1], low[0] : high[0]], points - low
        iod = float(np.linalg.norm(points[LEFT_IRIS] - points[RIGHT_IRIS]))
        factor = _OVERSAMPLING * self._iod / max(iod, 1e-6)
        if factor < 1:
            size = np.maximum(np.round(np.array(part.shape[1::-1]) * factor), 1).astype(int)
            points = (points + 0.5) * (size / np.array(part.shape[1::-1])) - 0.5
            part = cv2.resize(part, size.tolist(), interpolation=cv2.INTER_AREA)
        corners, weights = self._places
        source = (points[corners] * weights[..., None]).sum(1).astype(np.float32)
        x, y = np.moveaxis(source.reshape(SIDE, SIDE, 2), -1, 0)
        flat = cv2.remap(
            part,
            np.ascontiguousarray(x),
            np.ascontiguousarray(y),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return flat * self.mask[..., None].astype(np.uint8)
