"""What lips do in a video, and what the sound lets one expect of them.

Three measures are taken from the landmarks of each frame: how far the lips are apart, how
high the mouth is with the lips, and how wide.  Openness and spread are expected from the
phones, by coarse tables of ours: nothing in them was fitted to a person or a system.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.ndimage import gaussian_filter1d, median_filter

from facevox.core.errors import InputError
from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS
from facevox.core.speech import SILENCE, Phone

UPPER_INNER_LIP, LOWER_INNER_LIP = 13, 14
UPPER_OUTER_LIP, LOWER_OUTER_LIP = 0, 17
RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER = 61, 291

CLOSED_GAP = 0.03
"""Inner lips closer than this count as closed [IOD]; a wide open vowel has about .25."""

CLOSED_GAPS = {"attention-mesh": 0.02, "face-landmarker": CLOSED_GAP}
"""The same by tracker: the attention mesh draws nearly closed lips closer together, and at
this gap it agrees best with the other's (97.8 % of 7500 frames of 100 GRID clips)."""

CLOSING_PHONES = ("p", "b", "m")

OPENNESS = {
    **dict.fromkeys((*CLOSING_PHONES, SILENCE), 0.0),
    **dict.fromkeys(("f", "v"), 0.15),
    **dict.fromkeys(("w", "uw", "uh", "sh", "zh", "ch", "jh", "s", "z", "t", "d", "n"), 0.3),
    **dict.fromkeys(("th", "dh", "l", "r", "er", "y", "k", "g", "ng", "hh"), 0.4),
    **dict.fromkeys(("iy", "ih", "ax", "ow", "oy"), 0.55),
    **dict.fromkeys(("eh", "ey", "ah"), 0.75),
    **dict.fromkeys(("aa", "ae", "ao", "aw", "ay"), 1.0),
}
"""How wide the lips are expected to part, by phone, 0 to 1."""

SPREAD = {
    **dict.fromkeys(("w", "uw", "uh", "ow", "oy", "ao", "sh", "zh", "ch", "jh"), -1.0),
    **dict.fromkeys(("r", "er"), -0.7),
    **dict.fromkeys(CLOSING_PHONES, -0.1),
    **dict.fromkeys((SILENCE, "aa", "ah", "aw", "ax", "f", "v", "g", "hh", "k", "l", "ng"), 0.0),
    **dict.fromkeys(("t", "d", "n", "th", "dh", "y"), 0.3),
    **dict.fromkeys(("ih", "eh", "ae", "ay"), 0.6),
    **dict.fromkeys(("iy", "ey", "s", "z"), 1.0),
}
"""How wide the mouth is expected to be drawn, by phone, -1 (rounded) to 1 (spread)."""

OPEN_VOWELS = tuple(name for name, openness in OPENNESS.items() if openness >= 0.75)

BLUR = 0.03
"""Lips move from phone to phone in about this time: width of a Gaussian [s]."""

TICK = 0.005  # s

_FEWEST_FOUND = 0.6
"""Share of frames that must show a face."""


def lip_shape(
    landmarks: Float[np.ndarray, "frames 478 3"], fps: float
) -> Float64[np.ndarray, "frames 3"]:
    """Return lip gap, height of the mouth with the lips, and width [IOD]; NaN without a face.

    The IOD is a median over a second: landmarks of the irises shake in a blink.

    Args:
        landmarks: Of every frame [px].
        fps: Frames per second.
    """
    iod = _steady(_distance(landmarks, LEFT_IRIS, RIGHT_IRIS), fps)
    pairs = (
        (UPPER_INNER_LIP, LOWER_INNER_LIP),
        (UPPER_OUTER_LIP, LOWER_OUTER_LIP),
        (RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER),
    )
    return np.stack([_distance(landmarks, one, other) / iod for one, other in pairs], 1)


def expected_lips(
    phones: Sequence[Phone], times: Float[np.ndarray, " n"]
) -> Float64[np.ndarray, "n 2"]:
    """Return openness (0 to 1) and spread (-1 to 1) of the mouth as the phones suggest.

    Args:
        phones: Phones in order; outside them there is silence.
        times: Instants [s].
    """
    first = min(float(times.min()), phones[0].start) - 4 * BLUR
    last = max(float(times.max()), phones[-1].end) + 4 * BLUR
    ticks = np.arange(first, last, TICK)
    ends = np.array([phone.end for phone in phones])
    values = np.array([(OPENNESS[phone.name], SPREAD[phone.name]) for phone in phones])
    raster = values[np.minimum(np.searchsorted(ends, ticks, side="right"), len(phones) - 1)]
    raster[(ticks < phones[0].start) | (ticks >= phones[-1].end)] = OPENNESS[SILENCE]
    smooth = gaussian_filter1d(raster, BLUR / TICK, axis=0, mode="nearest")
    return np.stack([np.interp(times, ticks, column) for column in smooth.T], 1)


def frame_times(num_frames: int, fps: float) -> Float64[np.ndarray, " frames"]:
    """Return the middle of the time for which each frame is shown [s]."""
    return (np.arange(num_frames) + 0.5) / fps


def closures(
    gap: Float[np.ndarray, " frames"],
    phones: Sequence[Phone],
    fps: float,
    closed_gap: float = CLOSED_GAP,
) -> Bool[np.ndarray, " closures"]:
    """Return for each p, b, m whether the lips are closed in some frame of it.

    A frame before and after counts too, so that a closure between two frames is not missed.
    Phones for which no frame shows a face are left out.

    Args:
        gap: Lip gap [IOD].
        phones: Phones in order.
        fps: Frames per second.
        closed_gap: Gap that counts as closed [IOD].
    """
    shown = np.arange(len(gap)) / fps  # a frame is shown from here to here + 1 / fps
    closed = []
    for phone in phones:
        if phone.name in CLOSING_PHONES:
            near = gap[(shown > phone.start - 2 / fps) & (shown < phone.end + 1 / fps)]
            if np.isfinite(near).any():
                closed.append(bool(np.nanmin(near) <= closed_gap))
    return np.array(closed, bool)


def shut_in_vowels(
    gap: Float[np.ndarray, " frames"],
    phones: Sequence[Phone],
    fps: float,
    closed_gap: float = CLOSED_GAP,
) -> Bool[np.ndarray, " vowels"]:
    """Return for each open vowel (aa ae ah ao aw ay eh ey) whether all its frames show closed lips.

    Args:
        gap: Lip gap [IOD].
        phones: Phones in order.
        fps: Frames per second.
        closed_gap: Gap that counts as closed [IOD].
    """
    times, shut = frame_times(len(gap), fps), []
    for phone in phones:
        inside = gap[(times >= phone.start) & (times < phone.end)]
        if phone.name in OPEN_VOWELS and np.isfinite(inside).any():
            shut.append(bool(np.nanmax(inside) <= closed_gap))
    return np.array(shut, bool)


def spoken_span(phones: Sequence[Phone]) -> tuple[float, float]:
    """Return when the first sound begins and the last one ends [s].

    Raises:
        InputError: If there is nothing but silence.
    """
    spoken = [phone for phone in phones if phone.name != SILENCE]
    if not spoken:
        raise InputError("lips cannot be compared with the sound: nothing is said")
    return spoken[0].start, spoken[-1].end


def checked_shape(
    landmarks: Float[np.ndarray, "frames 478 3"], fps: float
) -> Float64[np.ndarray, "frames 3"]:
    """Return `lip_shape`, if enough frames show a face.

    Raises:
        InputError: If fewer than 60 % do.
    """
    shape = lip_shape(landmarks, fps)
    found = int(np.isfinite(shape).all(1).sum())
    if found < _FEWEST_FOUND * len(shape):
        raise InputError(f"lips cannot be judged: {found} of {len(shape)} frames show a face")
    return shape


def _distance(
    landmarks: Float[np.ndarray, "frames 478 3"], one: int, other: int
) -> Float64[np.ndarray, " frames"]:
    flat = landmarks[..., :2].astype(np.float64)
    return np.linalg.norm(flat[:, one] - flat[:, other], axis=-1)


def _steady(iod: Float64[np.ndarray, " frames"], fps: float) -> Float64[np.ndarray, " frames"]:
    """Return the median over a second around each frame; NaN where it is not known."""
    seen = np.flatnonzero(iod > 0)
    if not len(seen):
        return np.full_like(iod, np.nan)
    bridged = np.interp(np.arange(len(iod)), seen, iod[seen])
    return np.asarray(median_filter(bridged, 2 * round(fps / 2) + 1, mode="nearest"), np.float64)
