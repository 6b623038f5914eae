"""A coarse grid over a picture, on which smooth movements are computed.

Node (i, j) stands in the middle of a block of `step` x `step` pixels, exactly
as `cv2.resize` sees it, so that enlarging a lattice lands on the pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from facevox.models.face.warp.sampling import sample_linear

_FACETS_SHOW, _BOX = 3, (3, 3)
"""Step above which the facets between nodes are rounded [px]."""

_LEAST_STRETCH = 0.4
"""Skin that would be squeezed below this part of its size is not followed further."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lattice:
    """Rows and columns of nodes over a block of a picture.

    Attributes:
        step: Pixels between two nodes.
        left: Column of the block's first pixel; a multiple of `step`.
        top: Row of the block's first pixel; a multiple of `step`.
        columns: Nodes in a row.
        rows: Nodes in a column.
    """

    step: int
    left: int
    top: int
    columns: int
    rows: int

    @property
    def width(self) -> int:
        """Pixels that the nodes cover, sideways."""
        return self.columns * self.step

    @property
    def height(self) -> int:
        """Pixels that the nodes cover, downwards."""
        return self.rows * self.step

    def positions(self) -> Float32[np.ndarray, "rows columns 2"]:
        """Return x, y of every node [px]."""
        middle = (self.step - 1) / 2
        x = self.left + middle + self.step * np.arange(self.columns, dtype=np.float32)
        y = self.top + middle + self.step * np.arange(self.rows, dtype=np.float32)
        return np.dstack(np.meshgrid(x, y)).astype(np.float32)

    def block(self, box: tuple[float | int, float | int, float | int, float | int]) -> "Lattice":
        """Return the part that covers x0, y0, x1, y1 [px], clipped to this lattice."""
        x0, y0, x1, y1 = box
        first_column = int(np.clip((x0 - self.left) // self.step, 0, self.columns - 1))
        first_row = int(np.clip((y0 - self.top) // self.step, 0, self.rows - 1))
        last_column = int(
            np.clip(-(-(x1 - self.left) // self.step), first_column + 1, self.columns)
        )
        last_row = int(np.clip(-(-(y1 - self.top) // self.step), first_row + 1, self.rows))
        return Lattice(
            step=self.step,
            left=self.left + first_column * self.step,
            top=self.top + first_row * self.step,
            columns=last_column - first_column,
            rows=last_row - first_row,
        )

    def slices_in(self, outer: "Lattice") -> tuple[slice, slice]:
        """Return rows and columns of this block among the nodes of `outer`."""
        row = (self.top - outer.top) // self.step
        column = (self.left - outer.left) // self.step
        return slice(row, row + self.rows), slice(column, column + self.columns)

    def sample(
        self,
        field: Float32[np.ndarray, "rows columns *channels"],
        points: Float32[np.ndarray, "h w 2"],
    ) -> Float32[np.ndarray, "h w *channels"]:
        """Return values of a field at points x, y [px], bilinear, constant outside."""
        return sample_linear(field, self.units(points))

    def units(self, points: Float32[np.ndarray, "h w 2"]) -> Float32[np.ndarray, "h w 2"]:
        """Return points x, y [px] as columns and rows of nodes."""
        offset = np.array([self.left, self.top], np.float32) + np.float32((self.step - 1) / 2)
        return (points - offset) * np.float32(1.0 / self.step)

    def enlarge(
        self, field: Float32[np.ndarray, "rows columns *channels"]
    ) -> Float32[np.ndarray, "height width *channels"]:
        """Return a field at every pixel of the block."""
        if self.step <= _FACETS_SHOW:
            return cv2.resize(field, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        # A box of one step turns the facets into parabolas and keeps straight slopes.
        finer = (_FACETS_SHOW * self.columns, _FACETS_SHOW * self.rows)
        smooth = cv2.blur(cv2.resize(field, finer, interpolation=cv2.INTER_LINEAR), _BOX)
        return cv2.resize(smooth, (self.width, self.height), interpolation=cv2.INTER_LINEAR)


def invert(
    field: Float32[np.ndarray, "rows columns 2"],
    lattice: Lattice,
    targets: Float32[np.ndarray, "h w 2"],
    iterations: int = 4,
) -> Float32[np.ndarray, "h w 2"]:
    """Return the backward displacement: `target + result` moves onto `target`.

    Args:
        field: Forward displacement at the nodes [px], gradient below 1.
        lattice: Where the nodes stand.
        targets: Points x, y [px] whose origins are wanted.
        iterations: Fixed-point steps; the error shrinks by the gradient in each.
    """
    step = np.float32(lattice.step)
    field = field * np.float32(-1.0 / lattice.step)
    start = lattice.units(targets)
    back = sample_linear(field, start)
    for _ in range(iterations - 1):
        back = sample_linear(field, cv2.add(start, back))
    return back * step


def invert_steep(
    field: Float32[np.ndarray, "rows columns 2"],
    lattice: Lattice,
    targets: Float32[np.ndarray, "h w 2"],
    iterations: int = 3,
) -> Float32[np.ndarray, "h w 2"]:
    """Return the backward displacement of a field whose gradient may pass 1.

    Newton's method with the diagonal of the Jacobian: a lip that closes a smile
    stretches the skin above it to more than twice its height, where plain
    fixed-point steps run away.

    Args:
        field: Forward displacement at the nodes [px].
        lattice: Where the nodes stand.
        targets: Points x, y [px] whose origins are wanted.
        iterations: Newton steps.
    """
    moves = field * np.float32(1.0 / lattice.step)
    slope_x = cv2.Sobel(moves[..., 0], cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    slope_y = cv2.Sobel(moves[..., 1], cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    slopes = 1.0 / np.clip(1.0 + np.dstack([slope_x, slope_y]), _LEAST_STRETCH, None)
    both = np.ascontiguousarray(np.dstack([moves, slopes]), np.float32)
    goal = lattice.units(targets)
    place = goal - sample_linear(moves, goal)
    for _ in range(iterations):
        found = sample_linear(both, place)
        place += (goal - place - found[..., :2]) * found[..., 2:]
    return (place - goal) * np.float32(lattice.step)
