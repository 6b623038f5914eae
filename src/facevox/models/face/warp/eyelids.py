"""The lids and the eyeball of one eye: where they move and how they are shaded.

A blink is drawn the way lids work: the upper lid unfolds from below the brow and slides
over an eyeball that stays where it is, the lower lid rises a little to meet it.  Thin
plates cannot do this: their inverse folds when a lid is more than half closed.  The skin
that unfolds was hidden in the photo; it takes its colour from around the eye.
"""

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from scipy.ndimage import gaussian_filter1d

from facevox.models.face.warp.eye_geometry import EyeGeometry
from facevox.models.face.warp.glasses import Rims
from facevox.models.face.warp.linear_light import luminance, to_light

EYEBALL_RADIUS = 0.19
"""Radius of the eyeball: 12 mm [IOD]."""

MEETING = 0.92
"""Share of the opening that the upper lid covers when shut."""

OVERLAP = 0.018
"""How far a shut upper lid covers the rim of the lower one [IOD]."""

LASH = 0.08
"""Width of the lid's margin that moves without being stretched, with its lashes [IOD]."""

_FOLD = 0.090
"""Where the lid comes out from under its fold, above its margin [IOD]."""


class Eyelids:
    """Moves and shades the lids of one eye, and turns its eyeball.

    Args:
        crop: The working crop of the photo, sRGB.
        eye: Where the parts of the eye are.
        iod: Distance between the iris centres [px].
        blur: Blur of the photo, below which nothing is drawn [px].
        rims: Rims of glasses, which must not move.
    """

    def __init__(
        self,
        crop: UInt8[np.ndarray, "height width 3"],
        eye: EyeGeometry,
        iod: float,
        blur: float,
        rims: Rims | None = None,
    ) -> None:
        self._pouch = np.full_like(eye.lower, 0.22)
        self._border = _border(eye.across.shape, 0.05 * iod)
        if rims is not None:
            eye = replace(eye, brow=np.maximum(eye.brow, np.float32(-rims.above)))
            self._pouch = np.maximum(rims.below - 0.02 - eye.lower, 0.04).astype(np.float32)
            self._border = self._border * (1 - smooth_step((np.abs(eye.across) - 0.25) / 0.10))
        self.eye, self._iod = eye, iod
        x0, y0, x1, y1 = eye.box
        light = to_light(crop[y0:y1, x0:x1])
        opening = eye.lower - eye.upper
        self._strength = float(smooth_step((eye.openness - 0.035) / 0.03))
        half = eye.corners[1]
        away = np.abs(eye.across)
        outside = np.where(eye.across * eye.outer > 0, 1.0, 0.5)
        # The outer corner sinks a little too, so that its lashes do not pile up.
        corner = 0.27 * eye.openness * outside * (1 - smooth_step((away - half) / 0.16))
        ends = smooth_step((away - 0.55 * half) / (0.45 * half))
        cover = OVERLAP * smooth_step(opening / 0.05)
        self._fall = np.maximum(MEETING * opening + cover, corner * ends).astype(np.float32)
        self._rise = (-(1 - MEETING) * opening).astype(np.float32)
        self._lash = np.minimum(LASH, 0.50 * (eye.upper - eye.brow))
        self._follow = smooth_step(opening / 0.06)
        self._inside = smooth_step((half - away) / 0.03)
        # Lashes flare out beyond the outer corner: skin covers them there too.
        flare = np.where(eye.across * eye.outer > 0, 0.12, 0.01)
        self._reach = smooth_step((half + flare - away) / 0.06)
        self._lash_colour = self._lashes(light)
        self._blur = blur / iod
        self._skin = self._hidden_skin(light)

    def _lashes(self, light: np.ndarray) -> np.ndarray:
        """Return the colour of the lashes: the darkest pixels along the upper lid."""
        eye = self.eye
        near = (np.abs(eye.down - eye.upper) < 0.025) & (self._inside > 0.5)
        beside = near & (np.abs(eye.across - eye.iris[0]) > 1.1 * eye.iris[2])
        pixels = light[beside if beside.sum() > 12 else near]
        if len(pixels) < 4:
            return np.zeros(3, np.float32)
        level = luminance(pixels)
        return pixels[level <= np.percentile(level, 22)].mean(0)

    def _hidden_skin(self, light: np.ndarray) -> Float32[np.ndarray, "2 bh bw 3"]:
        """Return the colour of the skin above and below the eye, for every pixel.

        Columns are measured along the eye and smoothed, so that neither lashes nor
        wrinkles are repeated; the texture is that of the skin below the eye.
        """
        eye = self.eye
        reach = eye.corners[1] + 0.12
        along = np.arange(-reach, reach, 0.01, dtype=np.float32)
        upper, lower, brow = (
            self._along(curve, along) for curve in (eye.upper, eye.lower, eye.brow)
        )
        raised = np.minimum(0.085, 0.55 * (upper - brow))
        colours = []
        for start in (upper - raised, lower + 0.075):
            rows = start[:, None] + np.linspace(-0.018, 0.018, 7)[None]
            samples = self._sample(light, np.broadcast_to(along[:, None], rows.shape), rows)
            colours.append(gaussian_filter1d(np.median(samples, axis=1), 4.0, axis=0))
        # Below a near brow or rim there is no free skin above the eye.
        free = gaussian_filter1d(smooth_step((upper - brow - 0.06) / 0.05), 4.0)[:, None]
        colours[0] = colours[1] + free * (colours[0] - colours[1])
        at = (np.clip(eye.across, along[0], along[-1]) - along[0]) / 0.01
        maps = [
            cv2.remap(
                np.ascontiguousarray(colour[None], np.float32),
                at.astype(np.float32),
                np.zeros_like(eye.across),
                cv2.INTER_LINEAR,
            )
            for colour in colours
        ]
        soft = cv2.GaussianBlur(light, (0, 0), 0.02 * self._iod)
        ratio = np.clip(luminance(light) / np.maximum(luminance(soft), 1e-3), 0.85, 1.15)
        texture = self._sample(ratio, eye.across, eye.down + 0.16)
        return np.asarray(np.stack(maps) * texture[None, ..., None], np.float32)

    def _along(self, curve: np.ndarray, along: np.ndarray) -> np.ndarray:
        """Return a curve of the eye at other positions along it."""
        order = np.argsort(self.eye.across, axis=None)[:: max(1, curve.size // 2000)]
        return np.interp(along, self.eye.across.ravel()[order], curve.ravel()[order])

    def _sample(self, picture: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
        """Return a picture of the box at positions in the eye's axes."""
        eye, height, width = self.eye, *self.eye.across.shape
        corner = np.array([eye.across[0, 0], eye.down[0, 0]])
        offset = (np.stack([across, down], -1) - corner) @ eye.axes * self._iod
        offset = np.clip(offset, 0, [width - 1, height - 1]).astype(np.float32)
        return cv2.remap(picture, offset[..., 0], offset[..., 1], cv2.INTER_LINEAR)

    def _margins(self, eyelids: float, look: float) -> tuple[np.ndarray, np.ndarray]:
        """Return how far the upper and lower margins have moved down [IOD]."""
        shut = min(1.0, eyelids * 1.03) * self._strength
        upper = shut * self._fall + np.float32((1 - shut) * 0.75 * look) * self._follow
        lower = shut * self._rise + np.float32((1 - shut) * 0.35 * look) * self._follow
        return upper, lower

    def flow(self, eyelids: float, gaze: tuple[float, float]) -> Float32[np.ndarray, "bh bw 2"]:
        """Return where each pixel of the box comes from, relative to itself [px].

        Args:
            eyelids: 0 = as in the photo, 1 = shut.
            gaze: Rotation of the eye to the picture's right and down [deg].
        """
        eye = self.eye
        turn = [EYEBALL_RADIUS * float(np.sin(np.deg2rad(angle))) for angle in gaze]
        right, look = (float(value) for value in eye.axes @ np.array(turn))
        fall, rise = self._margins(eyelids, look)
        upper, lower = eye.upper + fall, eye.lower + rise
        above = eye.down < upper + 0.006
        below = (eye.down > lower - 0.004) & ~above
        reach = np.maximum(upper - self._lash - eye.brow, 1e-3)
        lid = -fall * _unfold((eye.down - eye.brow) / reach)
        pouch = -rise * (1 - smooth_step((eye.down - lower - 0.01) / self._pouch))
        ball_across, ball_down = self._eyeball(right, look, upper, lower)
        down = np.where(above, lid, np.where(below, pouch, ball_down))
        across = np.where(above | below, np.float32(0), ball_across)
        field = np.stack([across, down], -1) * (np.float32(self._iod) * self._border)[..., None]
        return np.ascontiguousarray(field.astype(np.float32) @ eye.axes)

    def _eyeball(
        self, right: float, look: float, upper: np.ndarray, lower: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the displacement of iris and sclera, fading towards corners and lids."""
        eye = self.eye
        x, y, radius = eye.iris
        distance = np.hypot(eye.across - x - right, eye.down - y - look)
        weight = 1 - smooth_step((distance - 1.05 * radius) / 0.11)
        within = np.minimum(eye.down - upper, lower - eye.down) * self._iod / 1.5
        weight = weight * np.clip(within, 0, 1)
        return -right * weight, -look * weight

    def veil(
        self, eyelids: float
    ) -> tuple[Float32[np.ndarray, "bh bw"], Float32[np.ndarray, "bh bw 3"]]:
        """Return what a closing lid does to the light of the moved pixels: gain and offset.

        Unfolded skin covers the stretched one, a dark line of lashes borders it, and its
        shadow falls on the eyeball.
        """
        eye = self.eye
        shut = min(1.0, eyelids) * self._strength
        fall, rise = self._margins(eyelids, 0.0)
        upper = eye.upper + fall
        below = eye.down - upper
        cast = np.exp(-np.clip(below, 0, None) / 0.03) * (below > 0)
        cast *= below < eye.lower + rise - upper
        gain = 1 - np.float32(0.40 * shut) * cast * self._inside

        share, skin = self._lid(upper, fall, shut)
        gain, offset = gain * (1 - share), skin * share[..., None]

        width = np.hypot(np.where(below < 0, 0.011, 0.011 + 0.008 * shut), self._blur)
        taper = self._inside * (0.5 + 0.5 * smooth_step((eye.across * eye.outer + 0.12) / 0.2))
        line = 0.75 * smooth_step(shut / 0.5) * np.exp(-((below / width) ** 2)) * taper
        gain = np.asarray(gain * (1 - line), np.float32)
        offset = offset * (1 - line[..., None]) + self._lash_colour * line[..., None]
        return gain, np.asarray(offset, np.float32)

    def _lid(
        self, upper: np.ndarray, fall: np.ndarray, shut: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return cover and colour of the skin that has come out from under the fold."""
        eye = self.eye
        side = smooth_step((eye.across * eye.outer / eye.corners[1] - 0.5) / 0.5)
        top = eye.upper - _FOLD - 0.03 * side + 0.35 * fall
        length = np.maximum(upper - top, 1e-3)
        t = np.clip((eye.down - top) / length, 0, 1)
        share = smooth_step((eye.down - top) / 0.045)
        share = share * smooth_step((upper + 0.006 - eye.down) / 0.010 + 0.5)
        share = share * (0.96 * smooth_step(shut / 0.6)) * self._reach
        mix = (0.20 + 0.30 * t)[..., None]
        skin = self._skin[0] * (1 - mix) + self._skin[1] * mix
        round_ = 1 + 0.07 * np.exp(-((eye.across / 0.13) ** 2) - ((t - 0.55) / 0.28) ** 2)
        round_ = round_ - 0.16 * t**6 - 0.10 * np.clip(1 - t / 0.35, 0, 1)
        return share, skin * round_[..., None]


def smooth_step(value: np.ndarray | float) -> Float32[np.ndarray, "*shape"]:
    """Return the smooth step of a value: 0 below 0, 1 above 1."""
    t = np.clip(value, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _unfold(t: np.ndarray) -> np.ndarray:
    """Return 0 at the brow and 1 at the lashes: slow start, then an even stretch."""
    t = np.clip(t, 0.0, 1.0)
    start = 0.45
    even = 1.0 / (1.0 - start / 2)
    return np.where(t < start, even * t * t / (2 * start), 1 - even * (1 - t))


def _border(shape: tuple[int, ...], width: float) -> Float32[np.ndarray, "bh bw"]:
    """Return 1 inside a box, fading to 0 at its border."""
    rows = np.minimum(np.arange(shape[0]), np.arange(shape[0])[::-1])
    columns = np.minimum(np.arange(shape[1]), np.arange(shape[1])[::-1])
    return np.clip(np.minimum(rows[:, None], columns[None]) / width, 0, 1).astype(np.float32)
