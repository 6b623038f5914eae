"""The tilted square around a face that the landmark networks look at."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """A square of the photo, turned so that the eyes are level.

    Attributes:
        center: x and y of its middle [px].
        size: Length of a side [px].
        angle: Its turn, clockwise in the picture [rad].
    """

    center: tuple[float, float]
    size: float
    angle: float

    @classmethod
    def around(
        cls,
        points: Float[np.ndarray, "points 2"],
        right_eye: Float[np.ndarray, " 2"],
        left_eye: Float[np.ndarray, " 2"],
        scale: float,
    ) -> "FaceCrop":
        """Return the square around points, level with the line through the eyes.

        The bounding box is taken in the tilted frame, so that a tilted head gets
        the same square as the upright one.

        Args:
            points: What must lie inside [px].
            right_eye: The person's right eye, left in the picture [px].
            left_eye: The person's left eye [px].
            scale: Side of the square over the longer side of the bounding box.
        """
        angle = float(np.arctan2(*(left_eye - right_eye)[::-1]))
        level = points @ _turn(angle)
        low, high = level.min(0), level.max(0)
        x, y = _turn(angle) @ ((low + high) / 2)
        return cls((float(x), float(y)), float((high - low).max()) * scale, angle)

    def matrix(self, side: int) -> Float[np.ndarray, "2 3"]:
        """Return the affine map from a `side` x `side` picture to the photo."""
        turn = _turn(self.angle) * (self.size / side)
        shift = np.asarray(self.center) - turn @ np.full(2, side / 2)
        return np.column_stack([turn, shift])

    def cut(self, pixels: UInt8[np.ndarray, "h w 3"], side: int) -> Float32[np.ndarray, "s s 3"]:
        """Return the square as a `side` x `side` picture with values from 0 to 1."""
        source, matrix = pixels, self.matrix(side)
        step = self.size / side
        if step > 2:
            source, matrix = self._shrunk(pixels, matrix, 1 / step)
        cut = cv2.warpAffine(
            source,
            matrix,
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return cut.astype(np.float32) / 255

    def to_photo(self, points: Float[np.ndarray, "p 3"], side: int) -> Float32[np.ndarray, "p 3"]:
        """Carry points from the `side` x `side` picture back to the photo.

        z is scaled like x and not turned.
        """
        matrix = self.matrix(side)
        flat = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        return np.column_stack([flat, points[:, 2] * (self.size / side)]).astype(np.float32)

    def to_square(self, points: Float[np.ndarray, "p 3"], side: int) -> Float32[np.ndarray, "p 3"]:
        """Carry points of the photo into the `side` x `side` picture; undoes `to_photo`."""
        matrix = self.matrix(side)
        flat = (points[:, :2] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        return np.column_stack([flat, points[:, 2] * (side / self.size)]).astype(np.float32)

    def _shrunk(
        self, pixels: np.ndarray, matrix: np.ndarray, factor: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the part of the photo around the square, averaged down, and its map."""
        height, width = pixels.shape[:2]
        reach = self.size * (abs(np.cos(self.angle)) + abs(np.sin(self.angle))) / 2 + 2 / factor
        limits = np.array([width, height])
        x0, y0 = np.clip(np.asarray(self.center) - reach, 0, limits - 1).astype(int).tolist()
        x1, y1 = np.clip(np.asarray(self.center) + reach, 1, limits).astype(int).tolist()
        x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
        size = max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor))
        small = cv2.resize(pixels[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
        scale = np.array([size[0] / (x1 - x0), size[1] / (y1 - y0)])
        shrunk = matrix * scale[:, None]
        # cv2 counts from the middle of the first pixel, which moves when pixels grow
        shrunk[:, 2] += (0.5 - np.array([x0, y0])) * scale - 0.5
        return small, shrunk


def _turn(angle: float) -> Float[np.ndarray, "2 2"]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
