"""What speaking does to the skin: two sheets of smooth movement, cut at the lips.

Every movement of the lower face is linear in a few amounts, so the fields of
all of them are laid out once per photo and a frame is one weighted sum.  The
upper sheet follows the upper lip and knows nothing of the lower one, and the
other way round; one field across the slit would smear lip over teeth.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from facevox.models.face.mouth_basis import MouthBasis
from facevox.models.face.warp.face_frame import OVAL, FaceFrame, smoothstep
from facevox.models.face.warp.lattice import Lattice
from facevox.models.face.warp.lips import (
    COLUMNS,
    LEFT_CORNER,
    LOWER_ROWS,
    MIDDLE,
    RIGHT_CORNER,
    UPPER_ROWS,
    LipLine,
)
from facevox.models.face.warp.thin_plate import ThinPlate, evaluation_matrix

_UPPER = tuple(index for row in UPPER_ROWS for index in row)
_LOWER = tuple(index for row in LOWER_ROWS for index in row)

UPPER_SHARE = 0.3
"""Part of a closing that the upper lip does; the lower lip does the rest."""

_SPEAKING_ROWS = (1.0, 0.96, 0.88, 0.76)
"""How far the rows of a lip follow its inner edge when speaking closes or opens it."""

_SMILING_ROWS = (1.0, 0.92, 0.75, 0.5)
"""The same when a smile closes: lips that were stretched thin become full again."""

_CHIN_SHARE = 0.4
"""How far the skin below the lip and the chin follow when speaking closes the lips."""

_ROLL_IN = (0.095, 0.078, 0.052, 0.026)
"""Rise of the lower lip's rows when it tucks under the teeth [IOD]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Amounts:
    """Weights of all movements in one frame.

    Attributes:
        mouth: Coefficients of the mouth basis.
        columns: Opening added to each column of the lips [IOD].
        smile: Smile added to the photo's face at rest.
        roll: Lower lip tucked in, 0 to 1.
    """

    mouth: Float[np.ndarray, " 6"]
    columns: Float[np.ndarray, " 9"]
    smile: float
    roll: float

    def vector(self) -> Float32[np.ndarray, " 18"]:
        """Return all of them in the order of the fields; the photo's relaxation is always whole."""
        rest = [self.smile, 1.0, self.roll]
        return np.concatenate([self.mouth, self.columns, rest]).astype(np.float32)


def _column_movements(frame: FaceFrame, rows: tuple[float, ...]) -> Float[np.ndarray, "9 478 2"]:
    """Return what opening each lip column by 1 IOD does to the lips [px]."""
    moves = np.zeros((COLUMNS, 478, 2))
    for column in range(COLUMNS):
        for share, upper, lower in zip(rows, UPPER_ROWS, LOWER_ROWS, strict=True):
            moves[column, upper[column]] = -UPPER_SHARE * share * frame.down
            moves[column, lower[column]] = (1 - UPPER_SHARE) * share * frame.down
    return moves * frame.iod


def _chin_movements(
    frame: FaceFrame, landmarks: Float32[np.ndarray, "478 3"]
) -> Float[np.ndarray, "9 478 2"]:
    """Return how the chin follows each lip column that opens by 1 IOD [px]."""
    points = landmarks[:, :2]
    lip = points[list(LOWER_ROWS[-1])]
    below = frame.along(points) - frame.along(lip)[MIDDLE]
    from_column = (frame.across(points)[None] - frame.across(lip)[:, None]) / 0.12
    weight = np.exp(-0.5 * from_column**2)
    beside = np.abs(frame.across(points) - frame.across(lip)[MIDDLE])
    near, far = _SPEAKING_ROWS[-1], _CHIN_SHARE
    share = far + (near - far) * (1.0 - smoothstep(below, 0.0, 0.4))
    share = share * smoothstep(below, -0.04, 0.03) * (1.0 - smoothstep(beside, 0.25, 0.65))
    share = weight / weight.sum(0) * share
    share[:, list(_LOWER)] = 0.0
    return ((1 - UPPER_SHARE) * frame.iod) * share[..., None] * frame.down


def _closure(
    slit: LipLine,
    relaxation: Float[np.ndarray, "478 2"],
    frame: FaceFrame,
) -> Float[np.ndarray, "478 2"]:
    """Return what closes the lips that the relaxed photo still shows apart [px]."""
    inner = relaxation[list(LOWER_ROWS[0])] - relaxation[list(UPPER_ROWS[0])]
    gap = slit.gap(frame) + inner @ frame.down / frame.iod
    return -np.tensordot(gap, _column_movements(frame, _SMILING_ROWS), 1)


def _roll_movement(frame: FaceFrame) -> Float[np.ndarray, "1 478 2"]:
    """Return how the lower lip slides up behind its own visible edge [px]."""
    move = np.zeros((1, 478, 2))
    taper = np.sin(np.linspace(0.12, 0.88, COLUMNS) * np.pi) ** 0.6
    for amount, row in zip(_ROLL_IN, LOWER_ROWS, strict=True):
        move[0, list(row)] = -amount * taper[:, None] * frame.down
    return move * frame.iod


class Expression:
    """All movements of the lower face of one photo.

    Args:
        landmarks: Face mesh [px]; the inner lip edges are replaced by `slit`.
        slit: Where the lips part in the photo [px].
        frame: Pose of the face.
        basis: Shapes of a speaking mouth.
        smile: What the smile channel does at 1 [IOD, canonical].
        relaxation: From the photo's face to its face at rest [IOD, canonical].
        lattice: Block of the whole moving picture.
    """

    def __init__(
        self,
        landmarks: Float32[np.ndarray, "478 3"],
        slit: LipLine,
        frame: FaceFrame,
        basis: MouthBasis,
        smile: Float32[np.ndarray, "478 3"],
        relaxation: Float32[np.ndarray, "478 3"],
        lattice: Lattice,
    ) -> None:
        self.frame = frame
        self.points = landmarks[:468, :2].astype(np.float64).copy()
        for line, row in ((slit.upper, UPPER_ROWS[0]), (slit.lower, LOWER_ROWS[0])):
            self.points[list(row)] = line[1:-1]
        self.points[LEFT_CORNER[0]], self.points[RIGHT_CORNER[0]] = slit.upper[0], slit.upper[-1]
        self.lip_indices = (*_UPPER, *_LOWER, *LEFT_CORNER, *RIGHT_CORNER)
        self.lip_points = self.points[list(self.lip_indices)]
        weight = smoothstep(frame.along(landmarks[:, :2]), 0.25, 0.75)
        smiling, relaxed = frame.to_picture(np.stack([smile, relaxation])) * weight[:, None]
        relaxed = relaxed + _closure(slit, relaxed, frame)
        columns = _column_movements(frame, _SPEAKING_ROWS) + _chin_movements(frame, landmarks)
        moves = np.concatenate(
            [
                frame.to_picture(basis.displacement),
                columns,
                np.stack([smiling, relaxed]),
                _roll_movement(frame),
            ]
        )
        self.moves = moves.astype(np.float32)
        """Displacement of the landmarks per unit of each amount [px]."""
        self.lattice = self._block(lattice)
        self.upper, self.lower = self._fields()

    def _block(self, lattice: Lattice) -> Lattice:
        reach, iod = self.points, self.frame.iod
        low, high = reach.min(0) - 0.5 * iod, reach.max(0) + np.array([0.5, 1.1]) * iod
        top = min(self.frame.eyes[1], reach[1, 1])
        return lattice.block((float(low[0]), float(top), float(high[0]), float(high[1])))

    def _anchors(self) -> Float[np.ndarray, "anchors 2"]:
        """Return points around the face that hold still [px]."""
        oval = self.points[list(OVAL)]
        middle = oval.mean(0)
        below = smoothstep(self.frame.along(oval), 0.2, 1.4)[:, None]
        rings = [middle + (oval - middle) * (1.14 + (grow - 1.14) * below) for grow in (1.42, 1.65)]
        rings.append(middle + (oval - middle) * 2.1)
        return np.vstack(rings)

    def _fields(
        self,
    ) -> tuple[
        Float32[np.ndarray, "amounts rows columns 2"], Float32[np.ndarray, "amounts rows columns 2"]
    ]:
        """Lay out both sheets on the lattice."""
        anchors = self._anchors()
        centres = np.vstack([self.points, anchors])
        unit = (centres - self.frame.eyes) / self.frame.iod
        nodes = (self.lattice.positions().reshape(-1, 2) - self.frame.eyes) / self.frame.iod
        evaluate = evaluation_matrix(nodes, unit)
        values = np.concatenate(
            [self.moves[:, :468], np.zeros((len(self.moves), len(anchors), 2))], axis=1
        )
        flat = values.transpose(1, 0, 2).reshape(len(centres), -1)
        sheets = []
        for hidden in (_LOWER, _UPPER):
            keep = np.setdiff1d(np.arange(len(centres)), hidden)
            weights = np.zeros((len(centres) + 3, flat.shape[1]), np.float32)
            tail = np.arange(len(centres), len(centres) + 3)
            weights[np.append(keep, tail)] = ThinPlate(unit[keep]).weights(flat[keep])
            field = (evaluate @ weights).reshape(self.lattice.rows, self.lattice.columns, -1, 2)
            fade = self._fade()[..., None, None]
            sheets.append(np.ascontiguousarray((field * fade).transpose(2, 0, 1, 3), np.float32))
        return sheets[0], sheets[1]

    def _fade(self) -> Float32[np.ndarray, "rows columns"]:
        """Return 1 inside the block and 0 on its border."""

        def ramp(count: int) -> np.ndarray:
            edge = np.minimum(np.arange(count), np.arange(count)[::-1])
            return smoothstep(edge.astype(np.float64), 0.0, min(10.0, count / 4))

        return np.outer(ramp(self.lattice.rows), ramp(self.lattice.columns)).astype(np.float32)

    def sheets(
        self, amounts: Amounts
    ) -> tuple[Float32[np.ndarray, "rows columns 2"], Float32[np.ndarray, "rows columns 2"]]:
        """Return the forward displacement of the upper and the lower sheet [px]."""
        vector = amounts.vector()
        upper, lower = (
            (vector @ fields.reshape(len(vector), -1)).reshape(fields.shape[1:])
            for fields in (self.upper, self.lower)
        )
        return upper, lower

    def displace(
        self, amounts: Amounts, landmarks: tuple[int, ...]
    ) -> Float32[np.ndarray, "landmarks 2"]:
        """Return where some landmarks move [px]."""
        moves = self.moves[:, list(landmarks)]
        return np.tensordot(amounts.vector(), moves, 1)
