"""What is behind the lips: cavity, tongue, teeth and gums, in layers of linear light.

The layers are drawn once per person; a frame only shifts, stacks and shades them.
"""

import zlib
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.warp.linear_light import to_srgb
from facevox.models.face.warp.mouth_light import MouthLight, measure_mouth_light
from facevox.models.face.warp.own_teeth import (
    LOWER_LIP,
    UPPER_LIP,
    OwnTeeth,
    find_own_teeth,
)
from facevox.models.face.warp.sharpness import measure_blur
from facevox.models.face.warp.teeth import LOWER, SAMPLES_PER_PIXEL, UPPER, TeethPicture, draw_teeth
from facevox.models.face.warp.tongue import draw_tongue

UPPER_EDGE, LOWER_EDGE = 0.034, 0.015
"""Edges of the upper and lower front teeth below the closed lip line [IOD]."""

JAW_SHARE = 0.9
"""How far the lower teeth follow the drop of the chin."""

_FORWARD = np.array([1.25, 1.25, 1.25, 1.0], np.float32)
"""A tongue that comes forward catches more light than one behind the teeth."""

_NOSE_DEPTH = 0.58
_REACH = (0.66, 0.40, 0.62)
"""Half width, height above and depth below the lip line of the layers [IOD]."""


@dataclass(frozen=True)
class _Layer:
    """Premultiplied linear RGB and coverage over a box of the crop."""

    planes: Float32[np.ndarray, "h w 4"]
    x0: int
    y0: int

    def at(self, box: tuple[int, int, int, int], shift: np.ndarray) -> np.ndarray:
        """Return the layer inside a box, moved by a shift [px]."""
        x0, y0, x1, y1 = box
        move = np.array(
            [[1, 0, self.x0 + shift[0] - x0], [0, 1, self.y0 + shift[1] - y0]], np.float32
        )
        return cv2.warpAffine(self.planes, move, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)


class MouthInterior:
    """Draws what is behind the lips of one person.

    Args:
        crop: The working crop of the photo, sRGB, upright.
        landmarks: Face mesh [px of the crop].
        iod: Distance between the iris centres [px].

    Attributes:
        has_own_teeth: Whether the photo shows the person's teeth and they are used.
    """

    def __init__(
        self,
        crop: UInt8[np.ndarray, "h w 3"],
        landmarks: Float32[np.ndarray, "478 2"],
        iod: float,
    ) -> None:
        self._iod = iod
        self._light = measure_mouth_light(crop, landmarks, iod)
        self._axis = _axis(landmarks)
        # Light that reaches the mouth has been reflected by red flesh.
        self._warmth = 1 + self._light.colourfulness * np.array([-0.12, 0.02, 0.08], np.float32)
        self._blur = measure_blur(crop, landmarks, iod)
        self._yaw = estimate_yaw(landmarks)
        top, bottom = landmarks[13], landmarks[14]
        self._lip_line = np.asarray(top + 0.35 * (bottom - top), np.float32)
        own = find_own_teeth(
            crop, landmarks, iod, origin=self._lip_line, axes=self._axis, light=self._light
        )
        self.has_own_teeth = own is not None
        if own is not None:
            own = self._unshaded(own, landmarks)
            self._light = replace(self._light, teeth=own.colour)
        seed = _seed(landmarks, iod)
        scale = SAMPLES_PER_PIXEL * iod
        upper = draw_teeth(UPPER, scale=scale, yaw=self._yaw, seed=seed)
        lower = draw_teeth(LOWER, scale=scale, yaw=self._yaw, seed=seed + 1)
        edge = UPPER_EDGE if own is None else own.middle_edge
        self._edge = edge
        self._upper = self._teeth_layer(upper, edge, np.ones(3, np.float32), own)
        self._lower = self._teeth_layer(lower, LOWER_EDGE, 0.42 * (2 - self._warmth))
        self._tongue = [self._tongue_layer(raised) for raised in (0.0, 1.0)]

    def draw(
        self,
        patch_box: tuple[int, int, int, int],
        upper_lip: Float32[np.ndarray, "n 2"],
        lower_lip: Float32[np.ndarray, "n 2"],
        *,
        jaw_drop: float,
        tongue: float,
        lip_roll: float,
        head_shift: tuple[float, float],
        lip_gap: float,
    ) -> UInt8[np.ndarray, "ph pw 3"]:
        """Draw what is behind the lips; the caller clips it by the opening.

        Args:
            patch_box: x0, y0, x1, y1 of the picture to draw [px of the crop].
            upper_lip: Lower border of the upper lip, left to right [px of the crop].
            lower_lip: Upper border of the lower lip, left to right [px of the crop].
            jaw_drop: How far the chin has dropped [IOD].
            tongue: Tongue tip at the upper teeth, 0 to 1.
            lip_roll: Lower lip under the upper teeth, 0 to 1.
            head_shift: How far the skull has moved [px].
            lip_gap: Distance between the inner lips in the middle [IOD].
        """
        iod, down = self._iod, self._axis[1]
        skull = np.asarray(head_shift, np.float32)
        drop = self._lower_drop(lower_lip, jaw_drop, skull)
        jaw = drop * iod * down + skull
        opening = _opening(patch_box, upper_lip, lower_lip)
        picture = self._cavity(patch_box, upper_lip, lower_lip)
        rest, tip = 1.0 - _smooth(tongue * 1.4), _smooth(tongue * 1.4)
        rest_crest = (LOWER_EDGE - 0.02 - 0.40 * drop) * iod * down + jaw
        if rest > 0:
            _over(picture, self._tongue[0].at(patch_box, rest_crest), rest)
        lower = self._lower.at(patch_box, jaw)
        _over(picture, lower, 1.0)
        if tip > 0:
            resting = LOWER_EDGE + drop
            crest = resting + (self._edge - 0.02 - resting) * min(1.0, tongue)
            move = crest * iod * down + skull
            _over(picture, self._tongue[1].at(patch_box, move), tip)
        _over(picture, self._upper.at(patch_box, skull), 1.0)
        between = _smooth((tongue - 0.75) / 0.2) * (1.0 - _smooth((lip_gap - 0.11) / 0.06))
        if between > 0:
            # Little room: the tip comes between the teeth and over the lip, as in "th".
            lip = self._below_lip_line(lower_lip, skull)
            crest = lip + 0.015 - between * (0.015 + max(0.050, lip - self._edge))
            tip_layer = self._tongue[1].at(patch_box, crest * iod * down + skull)
            _over(picture, tip_layer * _FORWARD, 1.0)
        picture *= self._shadow(opening, lip_gap, lip_roll)[..., None] ** self._warmth
        return to_srgb(picture)

    def _lower_drop(self, lower_lip: np.ndarray, jaw_drop: float, skull: np.ndarray) -> float:
        """Return how far the lower teeth have dropped [IOD].

        They hide behind the lower lip but for a narrow strip.
        """
        lip = self._below_lip_line(lower_lip, skull)
        strip = 0.015 + 0.25 * jaw_drop
        return max(JAW_SHARE * jaw_drop, lip - LOWER_EDGE - strip)

    def _below_lip_line(self, lip: np.ndarray, skull: np.ndarray) -> float:
        """Return how far the middle of a lip lies below the closed lip line [IOD]."""
        middle = lip[len(lip) // 2] - self._lip_line - skull
        return float(middle @ self._axis[1]) / self._iod

    def _cavity(
        self, box: tuple[int, int, int, int], upper: np.ndarray, lower: np.ndarray
    ) -> np.ndarray:
        """Return the back of the mouth: darkest below the upper teeth, lit near the lip."""
        x0, y0, x1, y1 = box
        top = float(upper[len(upper) // 2, 1])
        bottom = max(float(lower[len(lower) // 2, 1]), top + 1.0)
        rows = (np.arange(y0, y1, dtype=np.float32) - np.float32(top)) / np.float32(bottom - top)
        shade = 0.55 + 0.9 * np.clip(rows, 0, 1) ** 2
        picture = np.empty((y1 - y0, x1 - x0, 3), np.float32)
        picture[:] = (shade[:, None] * self._light.cavity)[:, None].astype(np.float32)
        return picture

    def _shadow(self, opening: np.ndarray, lip_gap: float, lip_roll: float) -> np.ndarray:
        """Return how much light passes between the lips to each pixel.

        Lips block light near them, most of all under the upper lip and in the corners.
        """
        across, along = 0.055 * self._iod, 0.032 * self._iod
        blurred = cv2.GaussianBlur(opening, (0, 0), across, sigmaY=along)
        down = round(0.018 * self._iod)
        if 0 < down < len(blurred):
            blurred = np.vstack([np.repeat(blurred[:1], down, 0), blurred[:-down]])
        passed = np.clip(blurred, 0.0, 1.0) ** np.float32(1.3)
        narrow = _smooth(lip_gap / 0.07)
        floor = np.float32(0.10 + 0.25 * lip_roll)
        strength = np.float32(max(0.55 + 0.45 * narrow, lip_roll))
        return np.asarray((floor + (1 - floor) * passed) * strength, np.float32)

    def _frame(self) -> tuple[int, int, np.ndarray, np.ndarray]:
        """Return the layers' corner in the crop and x, y from the lip line [IOD]."""
        half, above, below = (r * self._iod for r in _REACH)
        x0 = int(self._lip_line[0] - half)
        y0 = int(self._lip_line[1] - above)
        columns, rows = np.meshgrid(
            np.arange(x0, x0 + int(2 * half), dtype=np.float32) - self._lip_line[0],
            np.arange(y0, y0 + int(above + below), dtype=np.float32) - self._lip_line[1],
        )
        right, down = self._axis / np.float32(self._iod)
        return x0, y0, columns * right[0] + rows * right[1], columns * down[0] + rows * down[1]

    def _unshaded(self, own: OwnTeeth, landmarks: np.ndarray) -> OwnTeeth:
        """Return a person's own teeth without the shadow of the lips in the photo."""
        iod = self._iod
        x0, y0, *_ = self._frame()
        half, above, below = (r * iod for r in _REACH)
        box = (x0, y0, x0 + int(2 * half), y0 + int(above + below))
        upper, lower = landmarks[list(UPPER_LIP)], landmarks[list(LOWER_LIP)]
        gap = float((landmarks[14] - landmarks[13]) @ self._axis[1]) / iod
        shadow = self._shadow(_opening(box, upper, lower), gap, 0.0)
        grid = own.columns[None, :, None] * self._axis[0] + own.rows[:, None, None] * self._axis[1]
        grid = (self._lip_line + iod * grid - (x0, y0)).astype(np.float32)
        passed = cv2.remap(shadow, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR)
        gain = 1 / np.clip(passed, 0.78, 1.0)
        front = np.flatnonzero(np.abs(own.columns) < 0.12)
        rows = np.searchsorted(own.rows, own.edge[front] - 0.02)
        typical = np.float32(gain[np.clip(rows, 0, len(own.rows) - 1), front].mean())
        gain = np.minimum(gain, np.maximum(0.92 / np.maximum(own.light.max(-1), 1e-3), 1.0))
        light = (own.light * gain[..., None]).astype(np.float32)
        colour = np.minimum(own.colour * typical, np.float32(0.85))
        return replace(own, light=light, colour=colour)

    def _teeth_layer(
        self, picture: TeethPicture, edge: float, dim: np.ndarray, own: OwnTeeth | None = None
    ) -> _Layer:
        """Colour a row of teeth and set it into the crop."""
        share = (picture.gum / np.maximum(picture.alpha, 1e-3))[..., None]
        light: MouthLight = self._light
        colour = picture.light * (dim * ((1 - share) * light.teeth + share * light.gum))
        fine = np.dstack([colour, picture.alpha]).astype(np.float32)
        # No sharper than the photo: a pixel averages its samples, the lens blurs them.
        fine = cv2.blur(fine, (SAMPLES_PER_PIXEL, SAMPLES_PER_PIXEL))
        fine = cv2.GaussianBlur(fine, (0, 0), max(0.5, self._blur) * SAMPLES_PER_PIXEL)
        if own is not None:
            height, width = picture.alpha.shape
            x = (np.arange(width) - picture.origin[0]) / picture.scale
            y = (np.arange(height) - picture.origin[1]) / picture.scale + edge
            x, y = x.astype(np.float32), y.astype(np.float32)
            fine = own.lay_over(fine, share[..., 0], x, y, UPPER.curve)
            fine = cv2.blur(fine, (SAMPLES_PER_PIXEL, SAMPLES_PER_PIXEL))
        x0, y0, x, y = self._frame()
        map_x = (x * picture.scale + picture.origin[0]).astype(np.float32)
        map_y = ((y - edge) * picture.scale + picture.origin[1]).astype(np.float32)
        planes = cv2.remap(fine, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        planes[..., :3] *= np.exp(-0.5 * light.side * np.clip(x / 0.4, -1, 1))[..., None]
        return _Layer(planes=planes, x0=x0, y0=y0)

    def _tongue_layer(self, raised: float) -> _Layer:
        """Colour the tongue and set its crest on the lip line."""
        x0, y0, x, y = self._frame()
        picture = draw_tongue(x, y, raised=raised)
        light = self._light
        colour = picture.light[..., None] * light.tongue * np.float32(0.62)
        colour = colour + picture.gleam[..., None] * light.teeth * np.float32(0.10)
        planes = np.dstack([colour * picture.alpha[..., None], picture.alpha])
        return _Layer(planes=planes.astype(np.float32), x0=x0, y0=y0)


def estimate_yaw(landmarks: Float32[np.ndarray, "478 2"]) -> float:
    """Return the turn of the head in the photo, + = to the picture's right [deg].

    Read from how far the nose tip sits beside the middle of the outer eye corners.
    """
    right, left = landmarks[33], landmarks[263]
    across = left - right
    width = float(np.linalg.norm(across))
    offset = float((landmarks[1] - (right + left) / 2) @ across) / (width * width)
    return float(np.rad2deg(np.arcsin(np.clip(offset / _NOSE_DEPTH, -0.5, 0.5))))


def _axis(landmarks: np.ndarray) -> np.ndarray:
    """Return unit vectors to the face's left (picture's right) and down."""
    across = landmarks[473] - landmarks[468]
    right = across / np.linalg.norm(across)
    return np.array([right, [-right[1], right[0]]], np.float32)


def _seed(landmarks: np.ndarray, iod: float) -> int:
    """Return a number that belongs to the face's proportions."""
    shape = np.round((landmarks - landmarks[168]) / iod * 50).astype(np.int16)
    return zlib.crc32(shape.tobytes())


def _opening(
    box: tuple[int, int, int, int], upper: np.ndarray, lower: np.ndarray
) -> Float32[np.ndarray, "h w"]:
    """Return the coverage of the opening between the lips."""
    x0, y0, x1, y1 = box
    outline = np.vstack([upper, lower[::-1]]) - np.array([x0, y0], np.float32)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255)


def _over(picture: np.ndarray, layer: np.ndarray, opacity: float) -> None:
    """Composite a premultiplied layer over the picture, in place."""
    picture *= 1 - np.float32(opacity) * layer[..., 3:]
    picture += np.float32(opacity) * layer[..., :3]


def _smooth(value: float) -> float:
    t = min(1.0, max(0.0, value))
    return t * t * (3 - 2 * t)
