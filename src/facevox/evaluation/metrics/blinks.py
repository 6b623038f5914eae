"""Blinks: how often, how long, and whether the eye really shuts.

The eye aspect ratio (height of the opening over its width, mean of both eyes) is divided by
that of the same person's open eye: its 80th percentile in the clip.  A blink begins when
this openness falls below 0.6 and is over when it has risen above 0.7 (two thresholds, so
that a trembling lid is one blink).  Its duration is the time below 0.6, crossings
interpolated between frames.  It is complete if the openness falls below 0.45: the tracker
that comes with facevox leaves up to 0.39 in most eyes that are drawn shut, and up to 0.44 on
dark skin (seen by eye on two people; at 0.4 it called them incomplete).

Traps:
    The rate of several clips is all blinks over all minutes; a mean of rates of short clips
    would weigh a chance blink in 3 s as 20 a minute.  A closure of more than a second is a
    closed eye, not a blink, and is counted apart.  At 25 fps a blink has 4 to 8 frames: its
    duration is good to a frame, and an eye that is shut for less than a frame looks
    incomplete.  People blink more when they
    speak: 26 a minute in conversation, 17 at rest, with large differences between persons;
    neither more nor fewer is better.

Reference:
    Soukupova and Cech, Real-time eye blink detection using facial landmarks, CVWW 2016
    (eye aspect ratio).
    Bentivoglio et al., Analysis of blink rate patterns in normal subjects, Movement
    Disorders 1997.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float, Float32, Float64, Shaped

from facevox.core.errors import InputError
from facevox.evaluation.bootstrap import interval_of_mean, interval_of_share
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import (
    Estimate,
    Figure,
    NotMeasured,
    Observation,
    Result,
    Seen,
    interval_over_people,
    people_of,
)
from facevox.evaluation.signals.time_series import LONGEST_HOLE, bridge

RIGHT_EYE = (33, 133, 160, 144, 158, 153)
LEFT_EYE = (362, 263, 385, 380, 387, 373)
"""Corners, then two pairs of upper and lower lid."""

CLOSING, OPENED, SHUT = 0.6, 0.7, 0.45
"""Openness at which a blink begins, is over, and is complete, relative to the open eye."""

LONGEST = 1.0
"""A closure that lasts longer is no blink [s]."""

_OPEN = 80.0  # percentile
_NARROWEST = 0.08
"""Aspect ratio below which the eyes never open."""

_FEWEST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Blink:
    """One blink.

    Attributes:
        start: When the lid passes `CLOSING` downwards [s].
        duration: Until it passes it upwards [s].
        lowest: Smallest openness, relative to the open eye.
    """

    start: float
    duration: float
    lowest: float

    @property
    def complete(self) -> bool:
        """Whether the eye shuts."""
        return self.lowest < SHUT


def eye_aspect_ratio(
    landmarks: Float32[np.ndarray, "frames 478 3"],
) -> Float64[np.ndarray, " frames"]:
    """Return height over width of the eye opening, mean of both eyes; NaN without a face."""
    flat = landmarks[..., :2].astype(np.float64)

    def ratio(points: tuple[int, ...]) -> Float64[np.ndarray, " frames"]:
        inner, outer, *lids = (flat[:, index] for index in points)
        heights = [
            np.linalg.norm(a - b, axis=1) for a, b in zip(lids[::2], lids[1::2], strict=True)
        ]
        width = np.linalg.norm(outer - inner, axis=1)
        return np.mean(heights, axis=0) / np.where(width > 0, width, np.nan)

    return (ratio(RIGHT_EYE) + ratio(LEFT_EYE)) / 2


def find_blinks(
    aspect_ratio: Float[np.ndarray, " frames"], fps: Fraction | float | int
) -> tuple[list[Blink], float]:
    """Find the blinks in one clip.

    Args:
        aspect_ratio: Of every frame; NaN where the face was lost.
        fps: Frames per second.

    Returns:
        Blinks and closures by time, and the seconds in which eyes were seen.

    Raises:
        InputError: If no eyes are seen, or they are never open.
    """
    rate = float(fps)
    filled = bridge(np.asarray(aspect_ratio, np.float64)[:, None], round(LONGEST_HOLE * rate))[:, 0]
    seen = np.isfinite(filled)
    if not seen.any():
        raise InputError("blinks cannot be counted: no eyes are seen")
    open_eye = float(np.percentile(filled[seen], _OPEN))
    if open_eye < _NARROWEST:
        raise InputError("blinks cannot be counted: the eyes are never open")
    openness = filled / open_eye
    found = [_measured(openness, a, b, rate) for a, b in _closures(openness)]
    return found, float(seen.sum()) / rate


class Blinks:
    """Rate, duration and completeness of blinks."""

    name = "blinks"
    version = 1
    judges: tuple[str, ...] = ()
    uses_landmarks = True
    figures: tuple[Figure, ...] = ()

    def observe(self, media: ClipMedia) -> Observation:
        """Find the blinks of one clip."""
        ratio = eye_aspect_ratio(media.landmarks)
        media.note_lost_frames()
        found, seconds = find_blinks(ratio, media.fps)
        blinks = [blink for blink in found if blink.duration <= LONGEST]
        if len(blinks) < len(found):
            media.note(f"eyes closed for more than {LONGEST:g} s, {len(found) - len(blinks)} times")
        return {
            "duration": np.array([blink.duration for blink in blinks]),
            "lowest": np.array([blink.lowest for blink in blinks]),
            "seconds": np.array(seconds),
        }

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return rate, duration and completeness over all clips together."""
        durations = [item.observation["duration"] for item in seen]
        people = np.repeat(people_of(seen), [len(one) for one in durations])
        shut = np.concatenate([item.observation["lowest"] for item in seen]) < SHUT
        return {
            RATE.name: _rate(seen, seed),
            DURATION.name: _over_blinks(np.concatenate(durations), people, seed),
            COMPLETE.name: _over_blinks(
                shut.astype(np.float64), people, seed, interval=interval_of_share
            ),
        }


_HOW = (
    f"Eye aspect ratio of both eyes over its 80th percentile in the clip; a blink falls below "
    f"{CLOSING:g} and rises above {OPENED:g} within {LONGEST:g} s."
)
RATE = Figure(
    name="blink rate",
    unit="per minute",
    better="neither",
    protocol=f"All blinks over all minutes in which a face is seen. {_HOW}",
    digits=1,
)
DURATION = Figure(
    name="blink duration",
    unit="s",
    better="neither",
    protocol=f"Mean time below {CLOSING:g}. {_HOW}",
)
COMPLETE = Figure(
    name="complete blinks",
    unit="",
    better="higher",
    protocol=f"Share of blinks in which the openness falls below {SHUT:g}. {_HOW}",
)
Blinks.figures = (RATE, DURATION, COMPLETE)


def _closures(openness: Float64[np.ndarray, " frames"]) -> list[tuple[int, int]]:
    """Return first and last frame below `CLOSING` of each closure that begins and ends."""
    closures: list[tuple[int, int]] = []
    first = last = None
    for frame, value in enumerate(openness):
        if np.isnan(value):
            first = None
        elif value < CLOSING:
            begins = frame > 0 and openness[frame - 1] >= CLOSING
            first = frame if first is None and begins else first
            last = frame
        elif value > OPENED and first is not None and last is not None:
            closures.append((first, last))
            first = None
    return closures


def _measured(
    openness: Float64[np.ndarray, " frames"], first: int, last: int, rate: float
) -> Blink:
    before, after = openness[first - 1], openness[last + 1]
    down = first - (CLOSING - openness[first]) / (before - openness[first])
    up = last + (CLOSING - openness[last]) / (after - openness[last])
    lowest = float(openness[first : last + 1].min())
    return Blink(float(down / rate), float((up - down) / rate), lowest)


def _rate(seen: Sequence[Seen], seed: int) -> Result:
    counts = np.array([len(item.observation["duration"]) for item in seen], np.float64)
    seconds = np.array([float(item.observation["seconds"]) for item in seen])
    note = f"{int(counts.sum())} blinks in {seconds.sum() / 60:.1f} min"
    if seconds.sum() < _FEWEST_SECONDS:
        return NotMeasured(
            reason=f"a blink rate needs {_FEWEST_SECONDS:g} s of video, got {seconds.sum():.1f} s"
        )

    def rate(chosen: np.ndarray) -> float:
        return 60 * float(counts[chosen].sum() / seconds[chosen].sum())

    low, high = interval_over_people(seen, rate, seed=seed)
    value = rate(np.arange(len(seen)))
    return Estimate(value=value, low=low, high=high, count=len(seen), note=note)


def _over_blinks(
    values: Float64[np.ndarray, " n"],
    people: Shaped[np.ndarray, " n"],
    seed: int,
    interval: Callable[..., tuple[float, float] | tuple[None, None]] = interval_of_mean,
) -> Result:
    if not len(values):
        return NotMeasured(reason="nobody blinked")
    low, high = interval(values, people, seed=seed)
    return Estimate(value=float(values.mean()), low=low, high=high, count=len(values), of="blinks")
