"""Head pose and breath: slow drift that always returns, nods that answer the voice.

The drift is a sum of noises with falling power; it is a function of absolute
time.  Nods, tilts and phrase ends come from the voice as smooth bumps that
start after their sentence starts, so that sentences join without a jump.

Reference:
    Hadar, Steiner, Grant and Rose, Kinematics of head movements accompanying
    speech during conversation, Human Movement Science 1983 (bands below 4 Hz).
    Graf, Cosatto, Strom and Huang, Visual prosody: facial movements
    accompanying speech, FG 2002 (nods on accents, rises at questions).
"""

import numpy as np
from jaxtyping import Float64

from facevox.models.face.noise import draw_normal, draw_uniform, spline_bump, spline_noise
from facevox.models.face.prosody import Prosody

LIMITS = (8.0, 6.0, 5.0)
"""Largest yaw, pitch and roll away from the photo [deg]."""

BANDS = ((0.35, 0.85), (0.9, 0.75), (2.2, 0.4), (4.5, 0.12))
"""Knots per second and amplitude of each noise: most power below 1 Hz, little at 2 Hz."""

DRIFT = (1.2, 0.74, 0.68)
"""Standard deviation of the drift in yaw, pitch and roll [deg]."""

EASE_IN = 1.2
"""Time in which the first sentence leaves the photo's own pose [s]."""

NOD, NOD_HALF_WIDTH = 2.0, 0.32
"""Depth of the strongest nod [deg] and half its length [s]."""

REBOUND = 0.5
"""Part of a nod by which the head rises again beyond its place."""

PHRASE, PHRASE_HALF_WIDTH = 0.9, 0.75
"""Lowering at the end of a sentence (raise if it rises) [deg] and half its length [s]."""

BREATH_RATE = 0.25
"""Breaths per second."""

_AXES = ("yaw", "pitch", "roll")
_LONG_PAUSE = 0.3

Bump = tuple[float, float, tuple[float, float, float, float]]
"""Centre [s], half width [s], and height in yaw, pitch, roll [deg] and breath."""


def head_drift(seed: int, times: Float64[np.ndarray, " frames"]) -> Float64[np.ndarray, "frames 3"]:
    """Return the random part of the head pose at absolute times [deg]."""
    norm = np.sqrt(sum(amount**2 for _, amount in BANDS))
    columns = [
        sum(
            amount * spline_noise(seed, f"head.{axis}.{band}", times, rate)
            for band, (rate, amount) in enumerate(BANDS)
        )
        * (size / norm)
        for axis, size in zip(_AXES, DRIFT, strict=True)
    ]
    return np.stack(columns, 1)


def head_bumps(seed: int, prosody: Prosody, offset: float) -> list[Bump]:
    """Return the movements that one sentence causes, in absolute time.

    Args:
        seed: Of this talking face.
        prosody: Of the sentence.
        offset: Start of the sentence in the whole [s].
    """
    bumps: list[Bump] = []
    last = offset - 1.0
    for accent in prosody.accents:
        # A nod follows its vowel and never starts before the sentence itself.
        centre = offset + max(accent.time + 0.03, NOD_HALF_WIDTH)
        key = round((offset + accent.time) * 1000)
        chance = 0.25 + 0.6 * accent.strength
        if centre - last < NOD_HALF_WIDTH or draw_uniform(seed, "head.nod", key) > chance:
            continue
        last = centre
        depth = NOD * accent.strength * (0.6 + 0.5 * draw_uniform(seed, "head.depth", key))
        side = 0.45 * depth * float(np.tanh(draw_normal(seed, "head.side", key)))
        tilt = 0.35 * depth * float(np.tanh(draw_normal(seed, "head.tilt", key)))
        bumps.append((centre, NOD_HALF_WIDTH, (side, depth, tilt, 0.0)))
        bumps.append((centre + 0.42, 0.42, (0.0, -REBOUND * depth, 0.0, 0.0)))
    end_key = round(offset * 1000)
    turn = float(np.tanh(draw_normal(seed, "head.phrase", end_key)))
    centre = offset + max(prosody.speech_end, PHRASE_HALF_WIDTH)
    height = -PHRASE if prosody.rising else PHRASE
    bumps.append((centre, PHRASE_HALF_WIDTH, (0.5 * turn, height, 0.7 * turn, 0.0)))
    for pause in prosody.pauses:
        if pause.end - pause.start > _LONG_PAUSE:
            centre = offset + max((pause.start + pause.end) / 2, 0.4)
            bumps.append((centre, 0.4, (0.0, 0.0, 0.0, 0.35)))
    return bumps


def head_pose(
    seed: int, times: Float64[np.ndarray, " frames"], bumps: list[Bump], strength: float
) -> Float64[np.ndarray, "frames 3"]:
    """Return yaw, pitch and roll relative to the photo [deg]."""
    pose = head_drift(seed, times)
    for centre, half_width, heights in bumps:
        pose += spline_bump(times, centre, half_width)[:, None] * np.array(heights[:3])
    pose *= strength * ease_in(times)[:, None]
    limits = np.array(LIMITS)
    return limits * np.tanh(pose / limits)


def breath(
    seed: int, times: Float64[np.ndarray, " frames"], bumps: list[Bump], strength: float
) -> Float64[np.ndarray, " frames"]:
    """Return the rise of the shoulders, 0 to 1; people breathe in where they pause."""
    phase = BREATH_RATE * times + 0.12 * spline_noise(seed, "breath.phase", times, 0.15)
    depth = 0.22 + 0.03 * np.tanh(spline_noise(seed, "breath.depth", times, 0.1))
    rise = depth * (1 - np.cos(2 * np.pi * (phase + 0.5 * seed_phase(seed))))
    for centre, half_width, heights in bumps:
        rise += spline_bump(times, centre, half_width) * heights[3]
    return np.tanh(np.maximum(rise, 0) * strength * ease_in(times))


def seed_phase(seed: int) -> float:
    """Return where in the breath this face starts, 0 to 1."""
    return draw_uniform(seed, "breath.start", 0)


def ease_in(times: Float64[np.ndarray, " frames"]) -> Float64[np.ndarray, " frames"]:
    """Return a factor from 0 at the first frame to 1, so that the video starts as the photo."""
    x = np.clip(times / EASE_IN, 0, 1)
    return x**3 * (10 - 15 * x + 6 * x**2)
