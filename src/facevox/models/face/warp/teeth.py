"""Rows of teeth drawn from dental anatomy: widths, arch, outlines, enamel.

No photograph is used.  Mesio-distal widths and the arch are textbook averages.  A few
seeded irregularities make every face's teeth its own.

Reference:
    Ash & Nelson, "Wheeler's Dental Anatomy", tables of mean crown sizes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

MM = 1 / 63.0
"""One millimetre on an average adult [IOD]."""

SAMPLES_PER_PIXEL = 3

_FALLOFF_X = (0.0, 0.14, 0.18, 0.22, 0.26, 0.30, 0.34, 0.38, 0.45)
_FALLOFF_Y = (1.0, 1.0, 0.93, 0.78, 0.66, 0.52, 0.38, 0.26, 0.14)
"""Brightness over the distance from the middle [IOD]: steeper than where a wide smile shows
them (`recipes/teeth.py`: 0.62 at 0.34), because cheeks at rest cover the side teeth."""


@dataclass(frozen=True)
class Row:
    """One row of teeth, from the middle to the back of one side.

    Attributes:
        widths: Mesio-distal widths [IOD].
        heights: Crown heights [IOD].
        edges: How far each edge stops short of the central incisor's [IOD].
        pointed: How pointed each edge is, 0 (flat) to 1 (canine).
        arch: Half width [IOD] and depth [IOD] of the arch at the canine.
        curve: Rise of the edges per squared distance from the middle [1/IOD].
        direction: +1 if edges point down (upper row), -1 if up.
    """

    widths: tuple[float, ...]
    heights: tuple[float, ...]
    edges: tuple[float, ...]
    pointed: tuple[float, ...]
    arch: tuple[float, float]
    curve: float
    direction: int


UPPER = Row(
    widths=tuple(MM * w for w in (8.6, 6.7, 7.6, 7.0, 6.8, 10.0)),
    heights=tuple(MM * h for h in (10.3, 9.0, 10.0, 8.4, 7.6, 7.2)),
    edges=tuple(MM * e for e in (0.0, 0.7, 0.2, 1.0, 1.4, 1.8)),
    pointed=(0.0, 0.15, 1.0, 0.7, 0.5, 0.3),
    arch=(17.5 * MM, 9.0 * MM),
    curve=0.30,
    direction=1,
)

LOWER = Row(
    widths=tuple(MM * w for w in (5.3, 5.9, 6.9, 7.0, 7.1, 11.0)),
    heights=tuple(MM * h for h in (8.6, 8.9, 9.4, 8.4, 8.0, 7.5)),
    edges=tuple(MM * e for e in (0.0, 0.0, -0.2, 0.3, 0.7, 1.0)),
    pointed=(0.0, 0.0, 0.5, 0.4, 0.3, 0.3),
    arch=(13.5 * MM, 6.5 * MM),
    curve=-0.10,
    direction=-1,
)


@dataclass(frozen=True)
class TeethPicture:
    """A row of teeth on a fine raster whose origin is the edge between the middle teeth.

    Attributes:
        light: Relative brightness and tint, 1 = fully lit enamel.
        gum: Share of gum in each sample; `light` is its shading there.
        alpha: Coverage.
        origin: Column and row of the origin [samples].
        scale: Samples per IOD.
    """

    light: Float32[np.ndarray, "h w 3"]
    gum: Float32[np.ndarray, "h w"]
    alpha: Float32[np.ndarray, "h w"]
    origin: tuple[float, float]
    scale: float


def draw_teeth(row: Row, *, scale: float, yaw: float, seed: int) -> TeethPicture:
    """Draw one row of teeth.

    Args:
        row: Which row.
        scale: Samples per IOD.
        yaw: Turn of the head in the photo, + = towards the picture's right [deg].
        seed: Irregularities; the same seed gives the same teeth.
    """
    half_width, above, below = 0.62, 0.42, 0.14
    width, height = int(2 * half_width * scale), int((above + below) * scale)
    origin = (half_width * scale, above * scale)
    x = (np.arange(width, dtype=np.float32) - np.float32(origin[0])) / np.float32(scale)
    y = (np.arange(height, dtype=np.float32) - np.float32(origin[1])) / np.float32(scale)
    canvas = _Canvas(x=x[None, :], y=y[:, None], soft=1.5 / scale)
    generator = np.random.default_rng(seed)
    teeth = _place(row, yaw, generator)
    canvas.gum_behind(teeth)
    for tooth in sorted(teeth, key=lambda tooth: -tooth.depth):
        canvas.enamel(tooth)
    picture = [canvas.light, canvas.gum, canvas.alpha]
    if row.direction < 0:
        picture = [plane[::-1] for plane in picture]
        origin = (origin[0], height - 1 - origin[1])
    light, gum, alpha = (np.ascontiguousarray(plane) for plane in picture)
    return TeethPicture(light=light, gum=gum, alpha=alpha, origin=origin, scale=scale)


@dataclass(frozen=True)
class _Tooth:
    """One tooth as seen by the camera; lengths in IOD, `y` down, edge pointing down."""

    centre: float
    half_width: float
    edge: float
    height: float
    pointed: float
    mesial: float
    tilt: float
    depth: float
    light: float
    tint: tuple[float, float, float]


def _place(row: Row, yaw: float, generator: np.random.Generator) -> list[_Tooth]:
    """Set the teeth of both sides along the arch and project them."""
    x = np.linspace(0.0, 32 * MM, 600)
    depth = row.arch[1] * (x / row.arch[0]) ** 2.9
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(depth)))])
    turn = np.deg2rad(yaw)
    wear = generator.normal(0.0, 0.004)
    teeth = []
    for side in (-1.0, 1.0):
        start = 0.0
        for index, width in enumerate(row.widths):
            noise = generator.normal(0.0, 1.0, 5)
            ends = (
                np.interp([start, start + width], length, x),
                np.interp([start, start + width], length, depth),
            )
            start += width
            seen = side * ends[0] * np.cos(turn) + ends[1] * np.sin(turn)
            centre = float(seen.mean()) + 0.0015 * noise[0]
            half = float(abs(seen[1] - seen[0])) / 2 * (1 + 0.02 * noise[1])
            lateral = float(ends[0].mean())
            if half < 0.004:
                continue
            edge = -row.edges[index] - row.curve * lateral**2 + 0.004 * noise[2]
            edge += wear if index == 1 else 0.0
            warm = 1.0 if index == 2 else 0.35 * (index > 2)
            teeth.append(
                _Tooth(
                    centre=centre,
                    half_width=half,
                    edge=edge,
                    height=row.heights[index],
                    pointed=row.pointed[index],
                    mesial=-side,
                    tilt=0.03 * noise[3],
                    depth=float(ends[1].mean())
                    + side * float(ends[0].mean()) * float(np.sin(-turn)),
                    light=float(np.interp(lateral, _FALLOFF_X, _FALLOFF_Y)) * (1 + 0.03 * noise[4]),
                    tint=(1.0 - 0.02 * warm, 1.0 - 0.06 * warm, 1.0 - 0.14 * warm),
                )
            )
    return teeth


class _Canvas:
    """A raster onto which teeth are laid, the ones in the back first."""

    def __init__(self, *, x: np.ndarray, y: np.ndarray, soft: float) -> None:
        self.x, self.y, self.soft = x, y, soft
        shape = (y.shape[0], x.shape[1])
        self.light = np.zeros((*shape, 3), np.float32)
        self.gum = np.zeros(shape, np.float32)
        self.alpha = np.zeros(shape, np.float32)

    def _columns(self, tooth: _Tooth, margin: float) -> slice:
        reach = tooth.half_width * margin
        hits = np.flatnonzero(np.abs(self.x[0] - tooth.centre) <= reach)
        return slice(int(hits[0]), int(hits[-1]) + 1) if len(hits) else slice(0, 0)

    def gum_behind(self, teeth: list[_Tooth]) -> None:
        """Lay gum above the crowns and a dim wall behind the gaps between them."""
        order = sorted(teeth, key=lambda tooth: tooth.centre)
        centres = [tooth.centre for tooth in order]
        ends = (order[0].centre - order[0].half_width, order[-1].centre + order[-1].half_width)
        edge, height, lit = (
            np.interp(self.x, centres, [getattr(tooth, name) for tooth in order])
            for name in ("edge", "height", "light")
        )
        up = (edge - self.y) / height
        within = _ramp(self.x - ends[0], 2 * self.soft) * _ramp(ends[1] - self.x, 2 * self.soft)
        alpha = _ramp(up - 0.18, 0.10) * within
        share = _ramp(up - 0.66, 0.16) * np.ones_like(self.x)
        shade = lit * (0.40 + 0.60 * share) * (1 - 0.25 * np.clip(up - 1.0, 0, 1))
        light = np.asarray(shade[..., None] * np.ones(3), np.float32)
        self._over(slice(0, self.x.shape[1]), alpha, light, share)

    def enamel(self, tooth: _Tooth) -> None:
        """Lay one crown."""
        columns = self._columns(tooth, 1.15)
        up = (tooth.edge - self.y) / tooth.height
        u = (self.x[:, columns] - tooth.centre) / tooth.half_width - tooth.tilt * (up - 0.3)
        away = u * -tooth.mesial
        distal = 0.17 if tooth.half_width > 0.05 else 0.09
        corner = np.where(away > 0, distal, 0.09) * np.abs(u) ** 4
        point = 0.17 * np.abs(away - 0.06) ** 1.4
        v = up - (1 - tooth.pointed) * corner - tooth.pointed * point
        outline = (
            0.985 - 0.20 * np.clip(up - 0.30, 0, 1) ** 1.5 - 0.4 * np.clip(0.2 - v, 0, 1) ** 1.4
        )
        neck = 1.0 - 0.16 * u**2
        soft_u = self.soft / tooth.half_width
        soft_v = self.soft / tooth.height
        alpha = _ramp(outline - np.abs(u), soft_u) * _ramp(v, soft_v) * _ramp(neck - up, 2 * soft_v)
        self._over(columns, alpha, self._enamel_light(tooth, u, v), np.zeros_like(alpha))

    def _enamel_light(self, tooth: _Tooth, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Shade a convex crown: dim flanks, glassy edge, warm neck, a soft gleam."""
        shade = 1.0 - 0.30 * np.abs(u) ** 3.5 - 0.10 * np.clip(v - 0.55, 0, 1)
        shade = shade * (0.80 + 0.20 * np.clip(v / 0.16, 0, 1) ** 0.7)
        shade = shade + 0.10 * np.exp(
            -((u - 0.15 * tooth.mesial) ** 2) / 0.18 - (v - 0.42) ** 2 / 0.08
        )
        glass = np.clip(1 - v / 0.20, 0, 1)[..., None]
        warmth = np.clip((v - 0.45) / 0.55, 0, 1)[..., None]
        tint: np.ndarray = np.asarray(tooth.tint, np.float32)
        tint = tint * (1 + glass * np.array([-0.05, 0.0, 0.04], np.float32))
        tint = tint * (1 + warmth * np.array([0.0, -0.06, -0.16], np.float32))
        return np.asarray(tooth.light * shade[..., None] * tint, np.float32)

    def _over(self, columns: slice, alpha: np.ndarray, light: np.ndarray, gum: np.ndarray) -> None:
        """Composite premultiplied layers over what is there."""
        keep = 1.0 - alpha
        self.light[:, columns] = light * alpha[..., None] + self.light[:, columns] * keep[..., None]
        self.gum[:, columns] = gum * alpha + self.gum[:, columns] * keep
        self.alpha[:, columns] = alpha + self.alpha[:, columns] * keep


def _ramp(distance: np.ndarray, soft: float) -> np.ndarray:
    """Return 0 outside, 1 inside, smooth over `soft` around the edge."""
    t = np.clip(distance / soft + 0.5, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
