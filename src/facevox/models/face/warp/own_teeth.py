"""The person's own upper teeth, where the photo shows them.

They are cut out of the source opening and completed upwards and downwards along their
own columns, so that they hold when the mouth opens further than in the photo.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from scipy.ndimage import gaussian_filter1d, median_filter

from facevox.models.face.warp.linear_light import luminance, to_light
from facevox.models.face.warp.mouth_light import MouthLight

UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Landmarks along the borders of the opening, left to right."""

LIP_FLESH = (11, 72, 302, 73, 303, 16, 85, 315, 86, 316, 15, 180, 404)
"""Landmarks on the red of both lips."""

MIN_GAP = 0.065
"""Opening in the photo from which teeth are looked for [IOD]."""

_REACH = (0.50, 0.20, 0.32)
"""Half width, height above and depth below the lip line that is searched [IOD]."""

_CROWN = 0.175
"""No upper tooth is seen higher than this [IOD]."""


@dataclass(frozen=True)
class OwnTeeth:
    """Upper teeth found in a photo, on a raster in the face's axes.

    Attributes:
        light: Linear RGB of the mouth.
        columns: `x` of each column from the middle of the lip line [IOD].
        rows: `y` of each row, down from the lip line [IOD].
        top: First row of clean tooth in each column [IOD].
        edge: Where the teeth end in each column [IOD].
        cover: How far each column is known, 0 to 1.
        curve: Smooth curve of the edges, continued beyond the teeth seen [IOD].
        colour: Typical colour of the front teeth.
    """

    light: Float32[np.ndarray, "h w 3"]
    columns: Float32[np.ndarray, " w"]
    rows: Float32[np.ndarray, " h"]
    top: Float32[np.ndarray, " w"]
    edge: Float32[np.ndarray, " w"]
    cover: Float32[np.ndarray, " w"]
    curve: Float32[np.ndarray, " w"]
    colour: Float32[np.ndarray, "3"]

    @property
    def middle_edge(self) -> float:
        """Edge of the front teeth below the lip line [IOD]."""
        weight = self.cover * np.exp(-((self.columns / 0.12) ** 2))
        return float((weight * self.edge).sum() / weight.sum())

    def lay_over(
        self,
        picture: Float32[np.ndarray, "h w 4"],
        gum: Float32[np.ndarray, "h w"],
        x: Float32[np.ndarray, " w"],
        y: Float32[np.ndarray, " h"],
        drawn_curve: float,
    ) -> Float32[np.ndarray, "h w 4"]:
        """Replace drawn teeth by the person's own where they are known.

        Args:
            picture: Premultiplied linear RGB and coverage of drawn teeth.
            gum: Share of gum in each sample of it.
            x: Position of its columns [IOD].
            y: Position of its rows [IOD].
            drawn_curve: Rise of its edges per squared distance from the middle [1/IOD].
        """
        top, edge, cover, curve = (
            np.interp(x, self.columns, values)
            for values in (self.top, self.edge, self.cover, self.curve)
        )
        scale = 1 / float(y[1] - y[0])
        bend = (curve - self.middle_edge + drawn_curve * x**2) * scale
        rows = np.arange(len(y))[:, None] - bend[None]
        across = np.broadcast_to(np.arange(len(x))[None], rows.shape).astype(np.float32)
        picture = cv2.remap(picture, across, rows.astype(np.float32), cv2.INTER_LINEAR)
        gum = cv2.remap(gum, across, rows.astype(np.float32), cv2.INTER_LINEAR)
        inset = 0.010
        low = np.maximum(edge - inset, top)
        source = np.clip(y[:, None], top[None], low[None])
        step_x, step_y = self.columns[1] - self.columns[0], self.rows[1] - self.rows[0]
        map_x = np.broadcast_to((x - self.columns[0]) / step_x, source.shape)
        map_y = (source - self.rows[0]) / step_y
        own = cv2.remap(
            self.light, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR
        )
        beyond = np.clip((y[:, None] - low[None]) / inset, 0, 1)[..., None]
        own = own * (1 - 0.12 * beyond)
        alpha = np.clip((edge[None] - y[:, None]) / 0.008 + 0.5, 0, 1)
        tooth = np.dstack([own * alpha[..., None], alpha])
        picture = picture * self._match(picture, tooth, edge, cover, y)
        above = y[:, None] < top[None]
        share = (cover[None] * (1 - gum * above))[..., None]
        return np.asarray(picture * (1 - share) + tooth * share, np.float32)

    def _match(
        self,
        picture: np.ndarray,
        tooth: np.ndarray,
        edge: np.ndarray,
        cover: np.ndarray,
        y: np.ndarray,
    ) -> np.ndarray:
        """Return the gain that makes the drawn teeth as bright as the last ones seen."""
        index = np.arange(len(edge))
        rows = np.clip(np.searchsorted(y, edge - 0.035), 0, len(y) - 1)
        drawn = luminance(picture[rows, index, :3].astype(np.float32))
        own = luminance(tooth[rows, index, :3].astype(np.float32))
        known = np.flatnonzero(cover > 0.5)
        span = max(8, len(known) // 10)
        ratio = [
            float(np.clip(own[part].mean() / max(drawn[part].mean(), 1e-3), 0.25, 1.1))
            for part in (known[:span], known[-span:])
        ]
        gain = np.interp(index, [known[0], known[-1]], ratio)
        return np.dstack([gain[None]] * 3 + [np.ones_like(gain)[None]])


def find_own_teeth(
    crop: UInt8[np.ndarray, "h w 3"],
    landmarks: Float32[np.ndarray, "478 2"],
    iod: float,
    *,
    origin: Float32[np.ndarray, "2"],
    axes: Float32[np.ndarray, "2 2"],
    light: MouthLight,
) -> OwnTeeth | None:
    """Look for upper teeth in the opening of the photo's mouth.

    Args:
        crop: The working crop of the photo, sRGB.
        landmarks: Face mesh [px of the crop].
        iod: Distance between the iris centres [px].
        origin: Middle of the closed lip line [px].
        axes: Unit vectors to the picture's right and down along the face.
        light: Colours expected in the mouth.

    Returns:
        None if the mouth is closed, or no bright, pale, wide region lies between the lips.
    """
    gap = float((landmarks[14] - landmarks[13]) @ axes[1]) / iod
    if gap < MIN_GAP:
        return None
    scale = 2.0 * iod
    half, above, below = _REACH
    columns = np.arange(-half, half, 1 / scale, dtype=np.float32)
    rows = np.arange(-above, below, 1 / scale, dtype=np.float32)
    grid = origin + iod * (columns[None, :, None] * axes[0] + rows[:, None, None] * axes[1])
    pixels = cv2.remap(
        crop,
        grid[..., 0].astype(np.float32),
        grid[..., 1].astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    mouth = to_light(pixels)
    outline = np.vstack([landmarks[list(UPPER_LIP)], landmarks[list(LOWER_LIP)][::-1]])
    local = ((outline - origin) @ axes.T / iod - (columns[0], rows[0])) * scale
    opening = np.zeros(mouth.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.round(local * 16).astype(np.int32)], 255, shift=4)
    lip = mouth[_lip_samples(landmarks, origin, axes, iod, columns, rows)]
    lip_red = float(np.median(np.log((lip[:, 0] + 0.01) / (lip[:, 1] + 0.01))))
    blob = _tooth_blob(mouth, opening > 127, light, lip_red)
    if blob is None:
        return None
    return _measure(mouth, blob, opening > 127, columns, rows)


def _lip_samples(
    landmarks: np.ndarray,
    origin: np.ndarray,
    axes: np.ndarray,
    iod: float,
    columns: np.ndarray,
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of samples on both lips."""
    local = (landmarks[list(LIP_FLESH)] - origin) @ axes.T / iod
    step = float(rows[1] - rows[0])
    row = np.clip(np.round((local[:, 1] - rows[0]) / step), 0, len(rows) - 1)
    column = np.clip(np.round((local[:, 0] - columns[0]) / step), 0, len(columns) - 1)
    return row.astype(int), column.astype(int)


def _tooth_blob(
    mouth: np.ndarray, opening: np.ndarray, light: MouthLight, lip_red: float
) -> np.ndarray | None:
    """Return the largest bright region of the opening that is no lip, None if it is no row.

    Lips are told apart by their red over green; teeth may well be yellow.
    """
    inside = mouth[opening]
    if len(inside) < 60:
        return None
    level = luminance(mouth)
    bright = float(np.percentile(level[opening], 88))
    if bright < 0.30 * float(luminance(light.teeth)):
        return None
    found = opening & (level > 0.42 * bright)
    red = np.log((mouth[..., 0] + 0.01) / (mouth[..., 1] + 0.01))
    tooth = float(np.percentile(red[opening & (level > 0.75 * bright)], 35))
    limit = tooth + 0.40 * max(lip_red - tooth, 0.0)
    if limit - tooth > 0.04:
        found &= red < limit
    found = found.astype(np.uint8)
    bridge = max(3, round(0.03 * opening.shape[1]) | 1)
    found = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((3, bridge), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[largest, cv2.CC_STAT_AREA] < 0.25 * opening.sum():
        return None
    return labels == largest


def _measure(
    mouth: np.ndarray, blob: np.ndarray, opening: np.ndarray, columns: np.ndarray, rows: np.ndarray
) -> OwnTeeth | None:
    """Read the borders of the teeth, column by column."""
    step = float(rows[1] - rows[0])
    seen = blob.sum(0) * step > 0.022
    if seen.sum() * step < 0.24:
        return None
    first, last = np.flatnonzero(seen)[[0, -1]]
    top = rows[np.argmax(blob, 0)]
    bottom = rows[len(rows) - 1 - np.argmax(blob[::-1], 0)]
    floor = rows[len(rows) - 1 - np.argmax(opening[::-1], 0)]
    index = np.arange(len(columns))
    top, bottom, floor = (
        np.interp(index, index[seen], values[seen]) for values in (top, bottom, floor)
    )
    cut = _between_rows(mouth, columns, rows, top, bottom)
    bottom = np.minimum(bottom, top + cut)
    window = max(3, round(0.016 / step) | 1)
    edge = gaussian_filter1d(median_filter(bottom, window), 0.006 / step)
    curve = _robust_parabola(columns[first : last + 1], edge[first : last + 1])
    fit = np.polyval(curve, columns)
    edge = np.clip(edge, fit - 0.040, fit + 0.014)
    # Where the lower lip covers the edges they end a little below it, along the curve.
    hidden = gaussian_filter1d((floor - bottom < 0.016).astype(float), 0.015 / step)
    free = gaussian_filter1d(edge, 0.004 / step) - 0.004
    edge = free + hidden * (gaussian_filter1d(np.maximum(edge, fit), 0.02 / step) + 0.008 - free)
    top = gaussian_filter1d(median_filter(top, window), 0.01 / step) + 0.014
    top = np.minimum(top, edge - 0.012)
    ends = np.minimum(index - first, last - index) * step
    cover = np.clip(ends / 0.035, 0, 1)
    front = blob & (np.abs(columns)[None] < 0.14)
    if front.sum() < 30:
        return None
    # Beyond the last tooth seen the row goes on along its curve.
    known = np.clip(columns, columns[first] + 0.02, columns[last] - 0.02)
    slope = np.polyval(np.polyder(curve), known)
    curve_edge = np.polyval(curve, known) + slope * (columns - known)
    planes = (columns, rows, top, edge, cover, curve_edge)
    columns, rows, top, edge, cover, curve_edge = (np.asarray(p, np.float32) for p in planes)
    return OwnTeeth(
        light=mouth,
        columns=columns,
        rows=rows,
        top=top,
        edge=edge,
        cover=cover,
        curve=curve_edge,
        colour=np.median(mouth[front], axis=0).astype(np.float32),
    )


def _robust_parabola(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the parabola through most of the points."""
    weight = np.ones_like(x)
    curve = np.polyfit(x, y, 2)
    for _ in range(6):
        weight = 1 / (1 + ((y - np.polyval(curve, x)) / 0.012) ** 2)
        curve = np.polyfit(x, y, 2, w=np.sqrt(weight))
    return curve


def _between_rows(
    mouth: np.ndarray, columns: np.ndarray, rows: np.ndarray, top: np.ndarray, bottom: np.ndarray
) -> float:
    """Return how far below their top the upper teeth end [IOD].

    A smile may show both rows: the dark line between them is the lowest dip of the
    brightness, followed down along the curve of the teeth.
    """
    step = float(rows[1] - rows[0])
    middle = np.abs(columns) < 0.16
    height = float(np.median((bottom - top)[middle]))
    depth = np.arange(0.0, max(height, 2 * step), step)
    source = (top[middle][None] + depth[:, None] - rows[0]) / step
    across = np.broadcast_to(np.flatnonzero(middle)[None], source.shape)
    level = cv2.remap(
        luminance(mouth), across.astype(np.float32), source.astype(np.float32), cv2.INTER_LINEAR
    )
    profile = gaussian_filter1d(np.median(level, axis=1), 0.006 / step)
    inner = (depth > 0.055) & (depth < min(height - 0.02, _CROWN + 0.03))
    if inner.sum() < 3:
        return min(height + 0.06, _CROWN + 0.02)
    at = int(np.flatnonzero(inner)[np.argmin(profile[inner])])
    dip = profile[at] / max(min(profile[:at].max(), profile[at:].max()), 1e-3)
    return float(depth[at]) if dip < 0.86 else min(height + 0.06, _CROWN + 0.02)
