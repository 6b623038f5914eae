"""Where exactly the lips part in the photo: landmarks are 1-2 pixels off, the seam is not."""

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from scipy.ndimage import gaussian_filter1d

from facevox.models.face.warp.face_frame import FaceFrame
from facevox.models.face.warp.lips import NEARLY_CLOSED, LipLine, inner_lines, smooth_line
from facevox.models.face.warp.sampling import sample_linear
from facevox.models.face.warp.thin_smile import find_thin_opening

_SAMPLES = 65
_SEARCH = 0.03
"""How far the seam is looked for above and below the landmarks [IOD]."""

_OFFSETS = 31
_INSET = 0.012
"""Strip of an open lip's edge that is given up, because it shows teeth [IOD]."""

_INSET_PIXELS = 1.1
"""The same in pixels at least: in a small picture a pixel at the edge mixes lip and teeth."""


def find_slit(
    crop: UInt8[np.ndarray, "h w 3"],
    landmarks: Float32[np.ndarray, "478 3"],
    frame: FaceFrame,
) -> LipLine:
    """Return the inner lip edges of the photo; equal where the lips touch.

    Args:
        crop: The picture.
        landmarks: Face mesh [px].
        frame: Pose of the face.
    """
    lines = inner_lines(landmarks)
    if lines.gap(frame).max() >= NEARLY_CLOSED:
        taper = np.sin(np.linspace(0.0, np.pi, len(lines.upper)))[:, None]
        strip = max(_INSET * frame.iod, _INSET_PIXELS) * np.minimum(1.0, 2.0 * taper)
        inset = (strip * frame.down).astype(np.float32)
        return LipLine(upper=lines.upper - inset, lower=lines.lower + inset)
    seam = _follow_seam(crop, lines.middle, frame)
    dense = smooth_line(seam, _SAMPLES)
    opening = find_thin_opening(crop, dense, frame)
    if opening is None:
        return LipLine(upper=seam, lower=seam)
    place = seam @ frame.right
    strip = max(_INSET, _INSET_PIXELS / frame.iod) * np.minimum(1.0, sum(opening) / _INSET)
    above, below = (np.interp(place, dense @ frame.right, edge + strip) for edge in opening)
    down = frame.iod * frame.down
    return LipLine(
        upper=(seam - above[:, None] * down).astype(np.float32),
        lower=(seam + below[:, None] * down).astype(np.float32),
    )


def _follow_seam(
    crop: UInt8[np.ndarray, "h w 3"], line: Float32[np.ndarray, "11 2"], frame: FaceFrame
) -> Float32[np.ndarray, "11 2"]:
    """Move a line between closed lips onto the dark seam."""
    dense = smooth_line(line, _SAMPLES)
    offsets = np.linspace(-_SEARCH, _SEARCH, _OFFSETS)
    places = dense[None] + (offsets * frame.iod)[:, None, None] * frame.down
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    sigma = max(0.4, 0.006 * frame.iod)
    blurred = cv2.GaussianBlur(grey, (0, 0), sigma)
    strip = sample_linear(blurred, places.astype(np.float32)).astype(np.float64)
    contrast = max(float(strip.std()), 4.0)
    cost = (strip - strip.min(0)) / contrast + 0.6 * (offsets[:, None] / _SEARCH) ** 2
    path = gaussian_filter1d(offsets[_cheapest_path(cost)], 2.0)
    ends = np.minimum(1.0, 6.0 * np.sin(np.linspace(0.0, np.pi, _SAMPLES)))
    moved = dense + (path * ends * frame.iod)[:, None] * frame.down
    # The landmarks' own columns: where the straight axis crosses the curve.
    across, wanted = dense @ frame.right, line @ frame.right
    return np.column_stack(
        [np.interp(wanted, across, moved[:, 0]), np.interp(wanted, across, moved[:, 1])]
    ).astype(np.float32)


def _cheapest_path(cost: Float[np.ndarray, "offsets samples"]) -> np.ndarray:
    """Return one offset per sample, neighbours at most one step apart."""
    offsets, samples = cost.shape
    total = cost.copy()
    came = np.zeros((offsets, samples), np.int64)
    bend = 0.15
    for sample in range(1, samples):
        before = np.pad(total[:, sample - 1], 1, constant_values=np.inf)
        choices = np.stack([before[:-2] + bend, before[1:-1], before[2:] + bend])
        best = choices.argmin(0)
        came[:, sample] = np.arange(offsets) + best - 1
        total[:, sample] += choices.min(0)
    path = np.zeros(samples, np.int64)
    path[-1] = total[:, -1].argmin()
    for sample in range(samples - 1, 0, -1):
        path[sample - 1] = came[path[sample], sample]
    return path
