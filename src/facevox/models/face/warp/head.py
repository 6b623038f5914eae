"""Turning, nodding and tilting the head, and the breath that lifts the shoulders.

One photo shows no other side of a head, so a turn shifts every pixel by its
depth; the depth is a paraboloid over the head plus what the mesh adds (nose,
cheeks).  The mesh's own depth alone would fold at the ears.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from facevox.core.motion import Motion
from facevox.models.face.warp.face_frame import CHIN, OVAL, FaceFrame, smoothstep
from facevox.models.face.warp.lattice import Lattice, invert
from facevox.models.face.warp.sampling import sample_linear
from facevox.models.face.warp.thin_plate import ThinPlate, evaluation_matrix

_DEPTH = 2.1
"""Height of the paraboloid [IOD]; chosen so that a turn reads as commanded."""

_RELIEF = 0.9
_NOD = 1.15
"""Nods are drawn this much larger than turns: they read as smaller."""

_FORWARD = 0.25
"""The neck's axis lies this far behind the middle of the head [IOD]."""

_COARSER = 3
"""The head moves so smoothly that every third node is enough."""

_PIVOT = 0.55
"""The head tilts about a point this far below the chin [IOD]."""

_SHOULDER_LIFT, _HEAD_LIFT = 0.035, 0.012
"""Rise at the height of a breath [IOD]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadPose:
    """Pose of the head relative to the photo.

    Attributes:
        yaw: Turn towards the picture's right [deg].
        pitch: Turn downwards [deg].
        roll: Clockwise tilt [deg].
        breath: Rise of the shoulders, 0 to 1.
    """

    yaw: float
    pitch: float
    roll: float
    breath: float

    @classmethod
    def of(cls, motion: Motion) -> "HeadPose":
        """Return the head of a motion of one frame."""
        yaw, pitch, roll = (float(angle) for angle in motion.head_pose[0])
        return cls(yaw=yaw, pitch=pitch, roll=roll, breath=float(motion.breath[0]))

    def is_rest(self) -> bool:
        """Return whether nothing moves."""
        return not any((self.yaw, self.pitch, self.roll, self.breath))


class Head:
    """Movement fields of the head and the body of one photo.

    Args:
        landmarks: Face mesh, x, y, z [px].
        frame: Pose of the face.
        lattice: Block of the moving picture.
        open_bottom: Whether the block ends at the photo's lower border, so that the
            body may move there.
    """

    def __init__(
        self,
        landmarks: Float32[np.ndarray, "478 3"],
        frame: FaceFrame,
        lattice: Lattice,
        open_bottom: bool,
    ) -> None:
        self.frame = frame
        self.lattice = Lattice(
            step=_COARSER * lattice.step,
            left=0,
            top=0,
            columns=-(-lattice.columns // _COARSER),
            rows=-(-lattice.rows // _COARSER),
        )
        self.positions = self.lattice.positions()
        self._nodes = self.lattice.units(lattice.positions())
        self.pivot = landmarks[CHIN, :2] + _PIVOT * frame.iod * frame.down
        below = frame.along(self.positions) - frame.along(landmarks[[CHIN], :2])
        border = self._border(open_bottom)
        self.depth = (self._paraboloid(landmarks) + self._relief(landmarks)) * border
        self.rigid = ((1.0 - smoothstep(below, -0.1, 1.0)) * border).astype(np.float32)
        self.body = (smoothstep(below, 0.2, 1.3) * border).astype(np.float32)

    def _border(self, open_bottom: bool) -> Float32[np.ndarray, "rows columns"]:
        """Return 1 inside and 0 at the borders of the block."""
        node = self.lattice.step / self.frame.iod
        rows, columns = self.lattice.rows, self.lattice.columns
        x, y = node * np.arange(columns), node * np.arange(rows)
        width, height = x[-1], y[-1]
        side = smoothstep(np.minimum(x, width - x), 0.0, 0.9)
        top = smoothstep(y, 0.0, 0.7)
        bottom = np.ones(rows) if open_bottom else smoothstep(height - y, 0.0, 1.0)
        return np.outer(top * bottom, side).astype(np.float32)

    def _ring(self, landmarks: Float32[np.ndarray, "478 3"]) -> Float[np.ndarray, "36 2"]:
        """Return the outline at which a turn no longer shifts anything [px]."""
        oval = landmarks[list(OVAL), :2].astype(np.float64)
        middle = oval.mean(0)
        away = (oval - middle) @ self.frame.down
        grow = np.where(away < 0, 1.42, 1.26)
        sideways = np.abs((oval - middle) @ self.frame.right)
        share = sideways / np.hypot(sideways, away)
        return middle + (oval - middle) * (grow + (1.18 - grow) * share**2)[:, None]

    def _paraboloid(
        self, landmarks: Float32[np.ndarray, "478 3"]
    ) -> Float32[np.ndarray, "rows columns"]:
        """Return H (1 - rho^2) with rho = 1 on the ring [px]."""
        ring = self._ring(landmarks)
        middle = ring.mean(0)
        angles = np.arctan2(*(ring - middle).T[::-1])
        radii = np.linalg.norm(ring - middle, axis=1)
        order = np.argsort(angles)
        offset = self.positions - middle.astype(np.float32)
        direction = np.arctan2(offset[..., 1], offset[..., 0])
        radius = np.interp(direction, angles[order], radii[order], period=2 * np.pi)
        rho_squared = (offset**2).sum(-1) / radius**2
        # Bent at the rim, so that the shift ends without a crease.
        height = np.maximum(1.0 - rho_squared, 0.0)
        soft = np.where(height < 0.2, height * height * (10.0 - 25.0 * height), height)
        return (_DEPTH * self.frame.iod * soft).astype(np.float32)

    def _relief(
        self, landmarks: Float32[np.ndarray, "478 3"]
    ) -> Float32[np.ndarray, "rows columns"]:
        """Return what nose, cheeks and a turned pose add to the paraboloid [px]."""
        iod = self.frame.iod
        points = landmarks[:468, :2].astype(np.float64)
        smooth = self.lattice.sample(self._paraboloid(landmarks), points[None].astype(np.float32))[
            0
        ]
        toward = -landmarks[:468, 2].astype(np.float64)
        rest = toward - smooth
        rest -= np.median(rest[list(OVAL)])
        ring = self._ring(landmarks)
        rings = np.vstack([ring, ring.mean(0) + 1.35 * (ring - ring.mean(0))])
        keep = np.setdiff1d(np.arange(0, 468, 2), OVAL)
        centres = (np.vstack([points[keep], rings]) - self.frame.eyes) / iod
        values = np.concatenate([_RELIEF * rest[keep] / iod, np.zeros(len(rings))])
        values = np.clip(values, -0.35, 0.6)
        weights = ThinPlate(centres, smoothing=0.02).weights(values[:, None])
        nodes = (self.positions.reshape(-1, 2) - self.frame.eyes) / iod
        field = (evaluation_matrix(nodes, centres) @ weights).reshape(self.positions.shape[:2])
        across = np.linalg.norm(self.positions - ring.mean(0), axis=-1) / iod
        return (iod * field * (1.0 - smoothstep(across, 1.3, 2.0))).astype(np.float32)

    def flow(self, pose: HeadPose) -> Float32[np.ndarray, "rows columns 2"]:
        """Return the backward displacement at all nodes of the picture [px]."""
        if pose.is_rest():
            return np.zeros_like(self._nodes)
        forward = self._move(pose, self.positions, self.depth, self.rigid, self.body)
        return sample_linear(invert(forward, self.lattice, self.positions), self._nodes)

    def move(
        self, pose: HeadPose, points: Float32[np.ndarray, "points 2"]
    ) -> Float32[np.ndarray, "points 2"]:
        """Return where points go [px]."""
        where = points[None].astype(np.float32)
        fields = (
            self.lattice.sample(field, where)[0] for field in (self.depth, self.rigid, self.body)
        )
        return points + self._move(pose, points, *fields)

    def _move(
        self,
        pose: HeadPose,
        points: Float32[np.ndarray, "*n 2"],
        depth: Float32[np.ndarray, "*n"],
        rigid: Float32[np.ndarray, "*n"],
        body: Float32[np.ndarray, "*n"],
    ) -> Float32[np.ndarray, "*n 2"]:
        frame = self.frame
        yaw, pitch, roll = np.deg2rad([pose.yaw, pose.pitch, pose.roll])
        turn = (np.sin(yaw) * frame.right + _NOD * np.sin(pitch) * frame.down).astype(np.float32)
        spin = np.array(
            [[np.cos(roll) - 1, -np.sin(roll)], [np.sin(roll), np.cos(roll) - 1]], np.float32
        )
        lift = -pose.breath * frame.iod * (_HEAD_LIFT * rigid + _SHOULDER_LIFT * body)
        moved = (depth + _FORWARD * frame.iod * rigid)[..., None] * turn + rigid[..., None] * (
            (points - self.pivot) @ spin.T
        )
        moved[..., 1] += lift
        return moved.astype(np.float32)
