"""Blinks, small eye movements and brow raises, as displacements of the photo's pixels.

A blink is drawn the way lids work: the upper lid unfolds from below the brow and slides
over an eyeball that stays where it is, the lower lid rises a little to meet it.  Thin
plates cannot do this: their inverse folds when a lid is more than half closed.
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.warp.eye_geometry import EyeGeometry, measure_eye
from facevox.models.face.warp.linear_light import luminance, to_light, to_srgb

Box = tuple[int, int, int, int]

EYEBALL_RADIUS = 0.19
"""Radius of the eyeball: 12 mm [IOD]."""

BROW_RAISE = 0.055
"""How far fully raised brows rise [IOD]."""

_MEETING = 0.84
"""Share of the opening that the upper lid covers when shut."""

_LASH = 0.022
"""Width of the lid's margin that moves without being stretched [IOD]."""


class Eyes:
    """Moves eyelids, gaze and brows of one photo.

    Everything is in face-fixed coordinates of the crop: before the head moves.

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
        measured = (measure_eye(landmarks, iod, index, crop.shape[:2]) for index in (0, 1))
        self._lids = [_Lids(crop, eye, iod) for eye in measured if eye is not None]
        self._brows = _Brows(landmarks, iod, crop.shape[:2])

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
        return self._lids[index].shade(patch, eyelids)

    def retouch(
        self, eyelids: float, gaze: tuple[float, float], brows: float
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Return the crop with lids, gaze and brows moved; what `flow` and `shade` add up to.

        Warping this picture moves the eyes with the head.  The array is reused by the
        next call.
        """
        for x0, y0, x1, y1 in self._dirty:
            self._photo[y0:y1, x0:x1] = self._crop[y0:y1, x0:x1]
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


class _Lids:
    """The lids and the eyeball of one eye."""

    def __init__(self, crop: np.ndarray, eye: EyeGeometry, iod: float) -> None:
        self.eye, self._iod = eye, iod
        x0, y0, x1, y1 = eye.box
        self._opening = eye.lower - eye.upper
        self._strength = float(_step((eye.openness - 0.035) / 0.03))
        half = eye.corners[1]
        beyond = np.maximum(np.abs(eye.across) - half, 0.0)
        outside = np.where(eye.across * eye.outer > 0, 1.0, 0.5)
        # The outer corner sinks a little too, so that its lashes do not pile up.
        corner = 0.16 * eye.openness * outside * (1 - _step(beyond / 0.14))
        ends = _step((np.abs(eye.across) - 0.55 * half) / (0.45 * half))
        self._fall = np.maximum(_MEETING * self._opening, corner * ends)
        self._rise = -(1 - _MEETING) * self._opening
        self._inside = _step((half - np.abs(eye.across)) / 0.03)
        self._lash_colour = self._darkest(to_light(crop[y0:y1, x0:x1]))

    def _darkest(self, light: np.ndarray) -> np.ndarray:
        """Return the colour of the lashes: the darkest pixels along the upper lid."""
        eye = self.eye
        near = (np.abs(eye.down - eye.upper) < 0.025) & (self._inside > 0.5)
        pixels = light[near]
        if len(pixels) < 4:
            return np.zeros(3, np.float32)
        level = luminance(pixels)
        return pixels[level <= np.percentile(level, 12)].mean(0)

    def _margins(self, eyelids: float, look: float) -> tuple[np.ndarray, np.ndarray]:
        """Return how far the upper and lower margins have moved down [IOD]."""
        shut = min(1.0, eyelids * 1.03) * self._strength
        follow = look * _step(self._opening / 0.06)
        upper = shut * self._fall + (1 - shut) * 0.75 * follow
        lower = shut * self._rise + (1 - shut) * 0.35 * follow
        return upper, lower

    def flow(self, eyelids: float, gaze: tuple[float, float]) -> Float32[np.ndarray, "bh bw 2"]:
        """Return the backward displacement [px]."""
        eye = self.eye
        turn = [EYEBALL_RADIUS * float(np.sin(np.deg2rad(angle))) for angle in gaze]
        right, look = (float(value) for value in eye.axes @ np.array(turn))
        fall, rise = self._margins(eyelids, look)
        upper, lower = eye.upper + fall, eye.lower + rise
        above = eye.down < upper + 0.006
        below = (eye.down > lower - 0.004) & ~above
        top = eye.brow
        reach = np.maximum(upper - _LASH - top, 1e-3)
        lid = -fall * _unfold((eye.down - top) / reach)
        pouch = -rise * (1 - _step((eye.down - lower - 0.01) / 0.22))
        ball_across, ball_down = self._eyeball(right, look, upper, lower)
        down = np.where(above, lid, np.where(below, pouch, ball_down))
        across = np.where(above | below, np.float32(0), ball_across)
        fade = self._border()
        field = np.stack([across, down], -1) * np.float32(self._iod) * fade[..., None]
        return np.ascontiguousarray(field.astype(np.float32) @ eye.axes)

    def _eyeball(
        self, right: float, look: float, upper: np.ndarray, lower: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the displacement of iris and sclera, fading towards corners and lids."""
        eye = self.eye
        x, y, radius = eye.iris
        distance = np.hypot(eye.across - x - right, eye.down - y - look)
        weight = 1 - _step((distance - 1.05 * radius) / 0.11)
        within = np.minimum(eye.down - upper, lower - eye.down) * self._iod / 1.5
        weight = weight * np.clip(within, 0, 1)
        return -right * weight, -look * weight

    def _border(self) -> np.ndarray:
        """Return 1 inside the box, fading to 0 at its border."""
        height, width = self.eye.across.shape
        rows = np.minimum(np.arange(height), np.arange(height)[::-1])
        columns = np.minimum(np.arange(width), np.arange(width)[::-1])
        edge = np.minimum(rows[:, None], columns[None, :]) / (0.05 * self._iod)
        return np.clip(edge, 0, 1).astype(np.float32)

    def shade(self, patch: np.ndarray, eyelids: float) -> np.ndarray:
        """Draw the lash line, the roundness of the lid and its shadow on the eyeball."""
        eye = self.eye
        shut = min(1.0, eyelids) * self._strength
        fall, rise = self._margins(eyelids, 0.0)
        upper, lower = eye.upper + fall, eye.lower + rise
        below = eye.down - upper
        gap = lower - upper
        light = to_light(patch)
        cast = np.exp(-np.clip(below, 0, None) / 0.03) * (below > 0) * (below < gap)
        light *= (1 - 0.40 * shut * cast * self._inside)[..., None]
        width = 0.010 + 0.006 * shut
        taper = self._inside * (0.55 + 0.45 * _step((eye.across * eye.outer + 0.12) / 0.2))
        line = np.exp(-(((below - 0.002) / width) ** 2)) * taper
        share = np.asarray(0.75 * _step(shut / 0.5) * line, np.float32)[..., None]
        light = light * (1 - share) + self._lash_colour * share
        return to_srgb(light.astype(np.float32))


class _Brows:
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
            (1 - _step((up - 0.08) / 0.80))
            * (1 - _step(low))
            * (1 - _step((np.abs(grid[..., 0]) / side - 0.62) / 0.36)),
            np.float32,
        )

    def flow(self, brows: float) -> Float32[np.ndarray, "bh bw 2"]:
        """Return the backward displacement [px]."""
        lift = np.float32(BROW_RAISE * self._iod * (brows if brows > 0 else 0.6 * brows))
        return np.asarray(self._weight[..., None] * lift * self._down, np.float32)


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


def _unfold(t: np.ndarray) -> np.ndarray:
    """Return 0 at the brow and 1 at the lashes: slow start, then an even stretch."""
    t = np.clip(t, 0.0, 1.0)
    start = 0.45
    even = 1.0 / (1.0 - start / 2)
    return np.where(t < start, even * t * t / (2 * start), 1 - even * (1 - t))


def _step(value: np.ndarray | float) -> np.ndarray:
    """Return the smooth step of a value: 0 below 0, 1 above 1."""
    t = np.clip(value, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
