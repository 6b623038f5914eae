"""Silent lips: do they rest while nothing is said?

Motion is the speed of the mouth's outer height and width: the distance that the pair goes in
0.08 s (from 0.04 s before to 0.04 s after), over that time, root mean square over instants.
It is taken in pauses and in speech; their ratio tells what share of its motion in speech the
mouth keeps in silence.  Beside it stands the range of the lip gap in the worst pause.

Traps:
    Pauses are those above 0.3 s, without 0.12 s at both ends, in which lips close and open;
    a system that opens them earlier is punished, and so are people: score recordings too.
    Landmarks jitter: a photo that never moves has about 0.02 to 0.1 IOD/s, the more the
    smaller the face.  Where phone times are aligned by force, breath and hesitation count as
    pauses.  A mouth that never moves rests well: read this beside the synchrony.

Reference:
    The idea is that of Quignon, Chopin, Wang and Dantcheva, THEval, 2025, arXiv:2511.04520
    (silent lip stability); the definition is ours.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Float64

from facevox.core.errors import InputError
from facevox.core.speech import SILENCE, Phone
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips
from facevox.models.face.lip_shape import checked_shape, frame_times, spoken_span

PAUSE_SECONDS, PAUSE_MARGIN = 0.3, 0.12
"""Pauses longer than the first are looked at, without the second at both ends [s]."""

HALF_STEP = 0.04
"""Motion is seen from so much before an instant to so much after it [s]."""

_NOTHING = 1e-6


def pauses(phones: Sequence[Phone]) -> list[tuple[float, float]]:
    """Return when the mouth should rest: the inside of each long pause, from and to [s].

    Args:
        phones: Phones in order; silences that follow each other are one pause.
    """
    edges = [phones[0].start] if phones else []
    spoken = [phone for phone in phones if phone.name != SILENCE]
    edges += [time for phone in spoken for time in (phone.start, phone.end)]
    edges += [phones[-1].end] if phones else []
    return [
        (start + PAUSE_MARGIN, end - PAUSE_MARGIN)
        for start, end in list(pairwise(edges))[::2]
        if end - start > PAUSE_SECONDS
    ]


def lip_speed(shape: Float[np.ndarray, "frames 3"], fps: float) -> Float64[np.ndarray, " frames"]:
    """Return how fast the mouth changes [IOD/s]; NaN at the ends and around lost frames.

    Args:
        shape: Gap, height and width of the mouth [IOD].
        fps: Frames per second; curves are linear between frames.
    """
    times = frame_times(len(shape), fps)
    ends = [
        np.stack(
            [np.interp(times + step, times, c, left=np.nan, right=np.nan) for c in shape[:, 1:].T]
        )
        for step in (-HALF_STEP, HALF_STEP)
    ]
    return np.asarray(np.linalg.norm(ends[1] - ends[0], axis=0) / (2 * HALF_STEP), np.float64)


def inside_pauses(
    phones: Sequence[Phone], num_frames: int, fps: float
) -> list[Bool[np.ndarray, " frames"]]:
    """Return for each long pause which frames lie wholly inside it."""
    shown = np.arange(num_frames) / fps
    masks = [(shown >= a - 1e-9) & (shown + 1 / fps <= b + 1e-9) for a, b in pauses(phones)]
    return [mask for mask in masks if mask.any()]


def silent_lips(
    shape: Float[np.ndarray, "frames 3"], phones: Sequence[Phone], fps: float
) -> dict[str, float]:
    """Return motion in pauses [IOD/s], its ratio to motion in speech, and the range of the gap.

    Args:
        shape: Gap, height and width of the mouth [IOD].
        phones: Phones in order.
        fps: Frames per second.

    Returns:
        `motion` [IOD/s]; `ratio`, NaN if the mouth does not move in speech; `range`, largest
        range of the gap in a pause over its 5th to 95th percentile in speech.

    Raises:
        InputError: If there is no pause, or no face in the pauses or in the speech.
    """
    masks = inside_pauses(phones, len(shape), fps)
    if not masks:
        raise InputError(f"there is no pause above {PAUSE_SECONDS:g} s in which lips could rest")
    speed, times = lip_speed(shape, fps), frame_times(len(shape), fps)
    start, end = spoken_span(phones)
    speech = (times >= start) & (times <= end) & ~np.any(masks, axis=0)
    gap = shape[:, 0]
    ranges = [
        float(np.ptp(gap[mask & np.isfinite(gap)]))
        for mask in masks
        if np.isfinite(gap[mask]).any()
    ]
    spoken = gap[speech & np.isfinite(gap)]
    motion, moving = _rms(speed[np.any(masks, axis=0)]), _rms(speed[speech])
    if not ranges or not len(spoken) or not np.isfinite(motion):
        raise InputError("no face is seen in the pauses, or in the speech")
    low, high = np.percentile(spoken, (5, 95))
    return {
        "motion": motion,
        "ratio": motion / moving if moving > _NOTHING else float("nan"),
        "range": max(ranges) / float(high - low) if high - low > _NOTHING else float("nan"),
    }


def _rms(values: Float[np.ndarray, " n"]) -> float:
    good = values[np.isfinite(values)]
    return float(np.sqrt((good**2).mean())) if len(good) else float("nan")


_HOW = (
    "Pauses above 0.3 s, without 0.12 s at both ends; speed of the mouth's outer height and width "
    "over 0.08 s."
)


class SilentLips:
    """Motion of the lips in pauses."""

    name = "silent-lips"
    version = 1
    judges: tuple[str, ...] = ()
    uses_landmarks = True
    figures: tuple[Figure, ...] = (
        Figure(
            name="silent-lip motion",
            unit="IOD/s",
            better="lower",
            protocol=f"Root mean square in the pauses of a clip, mean over clips. {_HOW}",
        ),
        Figure(
            name="silent-lip ratio",
            unit="%",
            better="lower",
            protocol=f"Motion in the pauses over motion in the speech of the same clip. {_HOW}",
            digits=1,
        ),
        Figure(
            name="silent-lip range",
            unit="%",
            better="lower",
            protocol="Range of the lip gap in the worst pause of a clip over its 5th to 95th "
            "percentile in speech; pauses as for silent-lip motion.",
            digits=1,
        ),
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Measure the lips of one clip in its pauses.

        Raises:
            InputError: If there is no long pause, nothing is said, or hardly a face is seen.
            DataError: If the text does not fit the sound.
        """
        fps = float(media.fps)
        found = silent_lips(checked_shape(media.landmarks, fps), media.phones, fps)
        return {
            "motion": np.array(found["motion"]),
            "ratio": np.array(100 * found["ratio"]),
            "range": np.array(100 * found["range"]),
        }

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the three figures."""
        keys = ("motion", "ratio", "range")
        return {f"silent-lip {key}": mean_over_clips(seen, key, seed=seed) for key in keys}
