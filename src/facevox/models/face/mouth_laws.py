"""What a mouth must do, whatever a network thinks: close for /p b m/, rest in silence.

Every law is a smooth function of time, 1 where it holds and 0 away from it, so
that it can be asked at the frames of any video without pops.

Reference:
    Lofqvist and Gracco, Lip and jaw kinematics in bilabial stop consonant
    production, JSLHR 1997 (closures are aimed beyond contact: lips press).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64

from facevox.core.speech import SILENCE, Phone

SHORT_PAUSE = 0.12
"""Silences up to this length are talked through [s]."""

ANTICIPATION, RELEASE = 0.12, 0.13
"""The mouth starts to move this long before sound, and settles this long after it [s]."""

CLOSURE_RAMP = 0.065
"""Time in which the lips come together or part [s]."""

CLOSURE_MIN = 0.046
"""Shortest closure, so that it is seen at 25 fps even when the phone is shorter [s]."""

LONGEST_FRAME = 0.1
"""Below 10 fps closures snap to the nearest frame instead of being made longer [s]."""

TONGUE = {"th": 1.0, "dh": 1.0, "l": 0.8, "d": 0.6, "t": 0.6, "n": 0.6, "s": 0.3, "z": 0.3}
"""How far the tongue tip shows at the teeth."""

ROUNDING = {
    **{"w": 1.0, "uw": 1.0, "ow": 0.8, "oy": 0.6, "uh": 0.5, "ao": 0.4, "aw": 0.3},
    **{"er": 0.5, "r": 0.5, "sh": 0.7, "ch": 0.7, "jh": 0.7, "zh": 0.7},
}
"""How much the lips are pushed forward."""

OPENING = {"aa": 0.3, "ao": 0.35, "aw": 0.35, "ah": 0.25, "ae": 0.2, "oy": 0.25, "ay": 0.1}
"""How much wider open vowels are than the network says: the corpus has them in few words
("four", "now", "one"), between consonants that narrow them."""

NARROW = {
    **dict.fromkeys(("f", "v"), 0.03),
    **dict.fromkeys(("w", "uw"), 0.07),
    **dict.fromkeys(("sh", "zh", "ch", "jh"), 0.115),
    **dict.fromkeys(("s", "z"), 0.13),
}
"""Largest opening: lip at the teeth, rounded lips, teeth together [IOD]."""

BILABIAL, LABIODENTAL, INTERDENTAL = ("p", "b", "m"), ("f", "v"), ("th", "dh")


def smooth_step(x: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Return 0 below 0, 1 above 1, and between them a step with two smooth derivatives."""
    x = np.clip(x, 0, 1)
    return x**3 * (10 - 15 * x + 6 * x * x)


def hold(
    times: Float64[np.ndarray, " frames"],
    starts: Sequence[float],
    ends: Sequence[float],
    ramp: float,
    heights: Sequence[float] | None = None,
) -> Float64[np.ndarray, " frames"]:
    """Return the height of the intervals inside them, falling to 0 within `ramp` [s] outside."""
    level = np.zeros(len(times))
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        first, last = np.searchsorted(times, (start - ramp, end + ramp))
        near = times[first:last]
        outside = np.maximum(np.maximum(start - near, near - end), 0)
        height = 1.0 if heights is None else heights[index]
        level[first:last] = np.maximum(
            level[first:last], height * (1 - smooth_step(outside / ramp))
        )
    return level


def activity(
    times: Float64[np.ndarray, " frames"], phones: Sequence[Phone]
) -> Float64[np.ndarray, " frames"]:
    """Return 1 while the mouth speaks and 0 while it rests, with smooth ways between."""
    level = np.zeros(len(times))
    runs = speech_runs(phones)
    for index, (start, end) in enumerate(runs):
        before = start - runs[index - 1][1] if index else start
        after = runs[index + 1][0] - end if index + 1 < len(runs) else np.inf
        rise, fall = min(ANTICIPATION, 0.4 * before), min(RELEASE, 0.5 * after)
        # A sentence that starts at once opens a little late rather than with a jump.
        opening = smooth_step((times - (start - rise)) / max(rise, ANTICIPATION * 0.8))
        closing = smooth_step((times - end) / max(fall, 1e-3))
        level = np.maximum(level, opening - closing)
    return level


def speech_runs(phones: Sequence[Phone]) -> list[tuple[float, float]]:
    """Return start and end of each stretch of speech between pauses [s]."""
    runs: list[tuple[float, float]] = []
    for phone in phones:
        if phone.name == SILENCE:
            continue
        if runs and phone.start - runs[-1][1] <= SHORT_PAUSE:
            runs[-1] = (runs[-1][0], phone.end)
        else:
            runs.append((phone.start, phone.end))
    return runs


def closures(phones: Sequence[Phone], frame: float) -> tuple[list[float], list[float]]:
    """Return start and end of each time the lips must touch [s].

    A stop lets go before its end, a nasal keeps closed; each closure is long
    enough to contain a frame of `frame` [s].
    """
    starts, ends = [], []
    for phone in phones:
        if phone.name in BILABIAL:
            length = phone.end - phone.start
            release = 0.15 if phone.name == "m" else 0.3
            first, last = phone.start + 0.1 * length, phone.end - release * length
            middle = (first + last) / 2
            half = max(last - first, CLOSURE_MIN, min(frame, LONGEST_FRAME) * 1.02) / 2
            starts.append(middle - half)
            ends.append(middle + half)
    return starts, ends


def closed(
    times: Float64[np.ndarray, " frames"], phones: Sequence[Phone], frame: float
) -> Float64[np.ndarray, " frames"]:
    """Return exactly 1 where the lips must touch, 0 where they are free."""
    starts, ends = closures(phones, frame)
    level = hold(times, starts, ends, CLOSURE_RAMP)
    if len(times) and frame > LONGEST_FRAME:
        for start, end in zip(starts, ends, strict=True):
            nearest = int(np.argmin(np.abs(times - (start + end) / 2)))
            if abs(times[nearest] - (start + end) / 2) <= frame / 2:
                level[nearest] = 1.0
    return level


def phone_level(
    times: Float64[np.ndarray, " frames"],
    phones: Sequence[Phone],
    heights: Mapping[str, float],
    ramp: float,
) -> Float64[np.ndarray, " frames"]:
    """Return how much the named phones rule each instant, 0 to their height."""
    chosen = [phone for phone in phones if phone.name in heights]
    middle = [(phone.start + phone.end) / 2 for phone in chosen]
    half = [max((phone.end - phone.start) * 0.3, 0.015) for phone in chosen]
    return hold(
        times,
        [m - h for m, h in zip(middle, half, strict=True)],
        [m + h for m, h in zip(middle, half, strict=True)],
        ramp,
        [heights[phone.name] for phone in chosen],
    )


def narrowed(
    gap: Float64[np.ndarray, " frames"],
    times: Float64[np.ndarray, " frames"],
    phones: Sequence[Phone],
) -> Float64[np.ndarray, " frames"]:
    """Return the lip gap [IOD] kept below what the phones of `NARROW` allow."""
    for limit in sorted(set(NARROW.values()), reverse=True):
        names = {name: 1.0 for name, value in NARROW.items() if value == limit}
        level = phone_level(times, phones, names, 0.06)
        gap = gap + level * (np.minimum(gap, limit) - gap)
    return gap
