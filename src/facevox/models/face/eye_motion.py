"""Blinks, small saccades and brows.

Blinks and fixations are sequences whose n-th member depends on the seed and n
alone; a stream remembers only where in the sequence it is.

Reference:
    Bentivoglio et al., Analysis of blink rate patterns in normal subjects,
    Movement Disorders 1997 (17 a minute at rest, 26 in conversation).
    Lee, Badler and Badler, Eyes alive, SIGGRAPH 2002 (saccades in conversation).
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from facevox.models.face.noise import (
    draw_normal,
    draw_uniform,
    hash_normal,
    spline_bump,
    spline_noise,
)
from facevox.models.face.prosody import Prosody

BLINK_MEDIAN, BLINK_SPREAD = 3.1, 0.5
"""Median [s] and logarithmic spread of the time between blinks: about 18 a minute."""

CLOSING, SHUT, OPENING = 0.085, 0.04, 0.165
"""Phases of a blink [s]: 5 to 7 frames at 25 fps, faster down than up."""

DOUBLE_BLINK = 0.1
"""Part of the blinks that come twice."""

PAUSE_REACH = 0.8
"""A blink within this time of a pause happens in the pause [s]."""

SACCADE = 0.045
"""Length of a small saccade [s]."""

FIXATION_MEDIAN, FIXATION_SPREAD = 1.0, 0.55
"""Median [s] and logarithmic spread of a fixation."""

GAZE_SPREAD = (1.6, 0.8)
"""Spread of the fixations around the viewer's eyes, across and up-down [deg]."""

GAZE_LIMIT = 3.9
RETURN = 0.55
"""Part of the fixations that look straight at the viewer."""

BROW_HALF_WIDTH = 0.32
_BLINK_LENGTH = CLOSING + SHUT + OPENING
_MIN_INTERVAL = 0.7


@dataclass
class Blinks:
    """The blinks of one talking face, made as time goes on.

    Args:
        seed: Of this talking face.
        rate: Relative to the natural rate; 0 gives none.
    """

    seed: int
    rate: float
    _index: int = 0
    _scheduled: float = 0.0
    _starts: list[float] = field(default_factory=list)

    def plan(self, prosody: Prosody, offset: float, end: float) -> None:
        """Place the blinks of one sentence that lasts from `offset` to `end` [s]."""
        if self.rate == 0:
            return
        if self._index == 0:
            self._scheduled = self._interval() * 0.6
        self._starts = [start for start in self._starts if start > offset - 2.0]
        pauses = [offset + pause.start + 0.03 for pause in prosody.pauses]
        last = self._starts[-1] if self._starts else -1.0
        while True:
            time = self._scheduled
            near = [p for p in pauses if abs(p - time) < PAUSE_REACH and last + 0.5 < p < end]
            if near:
                time = min(near, key=lambda pause: abs(pause - self._scheduled))
            if time >= end:
                return
            start = max(time, offset, last + _MIN_INTERVAL / max(self.rate, 1.0))
            self._starts.append(start)
            last = start
            if draw_uniform(self.seed, "blink.double", self._index) < DOUBLE_BLINK:
                last = start + _BLINK_LENGTH + 0.06
                self._starts.append(last)
            self._index += 1
            self._scheduled += self._interval()

    def eyelids(self, times: Float64[np.ndarray, " frames"]) -> Float64[np.ndarray, " frames"]:
        """Return the closure of the lids at absolute times, 0 to 1."""
        closure = np.zeros(len(times))
        for start in self._starts:
            since = times - start
            down = _smooth(since / CLOSING)
            up = _smooth((since - CLOSING - SHUT) / OPENING)
            closure = np.maximum(closure, down - up)
        return closure

    def _interval(self) -> float:
        draw = draw_normal(self.seed, "blink.interval", self._index)
        return BLINK_MEDIAN * float(np.exp(BLINK_SPREAD * np.clip(draw, -2.5, 2.5))) / self.rate


@dataclass
class Gaze:
    """The fixations of one talking face, made as time goes on.

    Args:
        seed: Of this talking face.
        strength: Size of the movements; 0 looks straight at the viewer always.
    """

    seed: int
    strength: float
    _index: int = 0
    _start: float = 0.0

    def angles(self, times: Float64[np.ndarray, " frames"]) -> Float64[np.ndarray, "frames 2"]:
        """Return the eye rotation to the right and down at rising absolute times [deg]."""
        if len(times) == 0:
            return np.zeros((0, 2))
        while self._start + self._duration(self._index) <= times[0]:
            self._start += self._duration(self._index)
            self._index += 1
        index, start = self._index, self._start
        gaze = np.tile(self._target(index - 1), (len(times), 1))
        while start <= times[-1]:
            moved = _smooth((times - start) / SACCADE)[:, None]
            gaze += moved * (self._target(index) - self._target(index - 1))
            start += self._duration(index)
            index += 1
        gaze *= self.strength
        size = np.linalg.norm(gaze, axis=1, keepdims=True)
        return gaze * np.tanh(size / GAZE_LIMIT) * GAZE_LIMIT / np.maximum(size, 1e-9)

    def _duration(self, index: int) -> float:
        draw = draw_normal(self.seed, "gaze.duration", index)
        return FIXATION_MEDIAN * float(np.exp(FIXATION_SPREAD * np.clip(draw, -2.0, 2.5)))

    def _target(self, index: int) -> np.ndarray:
        if index <= 0 or draw_uniform(self.seed, "gaze.return", index) < RETURN:
            return np.zeros(2)
        pair = np.array([2 * index, 2 * index + 1], np.int64)
        return np.clip(hash_normal(self.seed, "gaze.target", pair), -2, 2) * GAZE_SPREAD


BrowBump = tuple[float, float]
"""Centre [s] and height of a brow raise."""


def brow_bumps(seed: int, prosody: Prosody, offset: float) -> list[BrowBump]:
    """Return the brow raises that one sentence causes, in absolute time."""
    bumps: list[BrowBump] = []
    last = offset - 1.0
    for accent in prosody.accents:
        centre = offset + max(accent.time, BROW_HALF_WIDTH)
        key = round((offset + accent.time) * 1000)
        if centre - last < 0.7 or accent.strength < 0.5:
            continue
        if draw_uniform(seed, "brows.chance", key) < 0.75 * accent.strength:
            size = 0.25 + 0.45 * accent.strength * draw_uniform(seed, "brows.size", key)
            bumps.append((centre, size))
            last = centre
    if prosody.rising:
        bumps.append((offset + max(prosody.speech_end - 0.1, BROW_HALF_WIDTH), 0.5))
    return bumps


def brows(
    seed: int, times: Float64[np.ndarray, " frames"], bumps: list[BrowBump], strength: float
) -> Float64[np.ndarray, " frames"]:
    """Return the raise of the brows at absolute times, -1 to 1."""
    raised = 0.05 * spline_noise(seed, "brows.drift", times, 0.4) * _smooth(times)
    for centre, height in bumps:
        raised = raised + height * spline_bump(times, centre, BROW_HALF_WIDTH)
    return np.tanh(raised * strength)


def _smooth(x: Float64[np.ndarray, " frames"]) -> Float64[np.ndarray, " frames"]:
    """Return 0 below 0, 1 above 1, and a smooth step between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
