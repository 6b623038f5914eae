"""Raising and lowering the brows by a smooth field over the forehead."""

import numpy as np
from jaxtyping import Float32

from facevox.models.face.warp.eyelids import smooth_step

Box = tuple[int, int, int, int]

BROW_RAISE = 0.055
"""How far fully raised brows rise [IOD]."""


class Brows:
    """The brows and the forehead above them."""

    def __init__(self, landmarks: np.ndarray, iod: float, size: tuple[int, int]) -> None:
        self._iod = iod
        across = landmarks[473] - landmarks[468]
        right = across / np.linalg.norm(across)
        self._down = np.array([-right[1], right[0]], np.float32)
        middle = (landmarks[473] + landmarks[468]) / 2

        def local(points: np.ndarray) -> np.ndarray:
            offset = points - middle
            return np.stack([offset @ right, offset @ self._down], -1) / iod

        brow = local(landmarks[[70, 63, 105, 66, 107, 336, 296, 334, 293, 300]])
        lid = local(landmarks[[159, 386]])[:, 1].mean()
        centre, top = float(brow[:, 1].mean()), float(local(landmarks[[10]])[0, 1])
        side = min(
            abs(float(local(landmarks[[54]])[0, 0])), abs(float(local(landmarks[[284]])[0, 0]))
        )
        corners = np.array([[-1, top], [1, top], [-1, lid], [1, lid]]) * [side, 1] * iod
        spread = middle + corners[:, :1] * right + corners[:, 1:] * self._down
        x0, y0 = np.floor(spread.min(0)).astype(int)
        x1, y1 = np.ceil(spread.max(0)).astype(int) + 1
        self.box: Box = (
            int(np.clip(x0, 0, size[1] - 2)),
            int(np.clip(y0, 0, size[0] - 2)),
            int(np.clip(x1, 2, size[1])),
            int(np.clip(y1, 2, size[0])),
        )
        columns, rows = np.meshgrid(
            np.arange(self.box[0], self.box[2]), np.arange(self.box[1], self.box[3])
        )
        grid = local(np.stack([columns, rows], -1).astype(np.float32))
        up = (centre - grid[..., 1]) / max(centre - top, 0.2)
        low = (grid[..., 1] - centre - 0.05) / max(lid - 0.05 - centre - 0.05, 0.08)
        self._weight = np.asarray(
            (1 - smooth_step((up - 0.08) / 0.80))
            * (1 - smooth_step(low))
            * (1 - smooth_step((np.abs(grid[..., 0]) / side - 0.62) / 0.36)),
            np.float32,
        )

    def flow(self, brows: float) -> Float32[np.ndarray, "bh bw 2"]:
        """Return the backward displacement [px]."""
        lift = np.float32(BROW_RAISE * self._iod * (brows if brows > 0 else 0.6 * brows))
        return np.asarray(self._weight[..., None] * lift * self._down, np.float32)
