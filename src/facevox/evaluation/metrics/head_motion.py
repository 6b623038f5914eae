"""How much and how smoothly a head moves, from landmarks; needs nothing but the package.

Amount: standard deviation over time of yaw, pitch and roll [deg], and their range.
Smoothness, because noise also has a deviation and would pass for lively motion:

- Logarithmic dimensionless jerk, LDLJ = -ln(T^3 / v^2 * integral of |jerk|^2 dt), where v is
  the highest angular speed.  It has no unit and does not depend on how far a head turns.  It
  does depend on T, therefore on windows of exactly 3 s.
- Tremor: what is left of the three angles above 5 Hz [deg], and the share of the angular
  velocity's power there: heads are too heavy for that.  A head that stands still has a large
  share of next to nothing: read both.

Traps:
    Jitter raises every deviation, hence DIV: never read an amount without the tremor.
    Derivatives depend on the frame rate: curves are compared at 25 Hz.  Trackers have noise
    of their own, and their pitch follows the jaw: a head that stands still and speaks shows
    .3, .8 and .2 deg of yaw, pitch and roll, and half of the power above 5 Hz is noise in
    real recordings too.  So read the row of real recordings; only large differences in
    smoothness and tremor mean anything.  More motion is not better motion.

Reference:
    Balasubramanian, Melendez-Calderon, Roby-Brami and Burdet, On the analysis of movement
    smoothness, Journal of NeuroEngineering and Rehabilitation 2015 (LDLJ, equation 4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float, Float64

from facevox.core.errors import InputError
from facevox.core.portrait.head_pose import estimate_head_poses
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips
from facevox.evaluation.signals.time_series import RATE, pieces, power_between, spectrum, windows

WINDOW = 3
"""Length of a window [s]."""

TREMOR = 5.0
"""Heads do not move on purpose faster than this [Hz]."""

_RANGE = (1.0, 99.0)  # percentiles
_STILL = 0.1
"""A head that moves less is within the noise of trackers: it stands still [deg]."""

_NOTHING = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadMotionScore:
    """How a head moves in one clip.

    Attributes:
        yaw: Standard deviation over time [deg].
        pitch: The same of the pitch.
        roll: The same of the roll.
        amount: Mean of the three [deg].
        reach: From the 1st to the 99th percentile, mean of the three [deg].
        smoothness: LDLJ, mean over windows; NaN for a head that stands still (below .1 deg).
        tremor: Root mean square of the three angles above 5 Hz [deg].
        tremor_share: Share of the angular velocity's power above 5 Hz, 0 to 1; NaN likewise.
    """

    yaw: float
    pitch: float
    roll: float
    amount: float
    reach: float
    smoothness: float
    tremor: float
    tremor_share: float


def log_dimensionless_jerk(angles: Float[np.ndarray, "frames k"], rate: int = RATE) -> float:
    """Return the smoothness LDLJ of a movement; less negative is smoother.

    Args:
        angles: Of one window, in any unit.
        rate: Frames per second.

    Returns:
        NaN if nothing moves.
    """
    angles = np.asarray(angles, np.float64)
    speed = np.linalg.norm(np.gradient(angles, 1 / rate, axis=0), axis=1)
    jerk = np.diff(angles, 3, axis=0) * rate**3
    if speed.max() < _NOTHING:
        return float("nan")
    seconds = (len(angles) - 1) / rate
    total = float((jerk**2).sum() / len(jerk)) * seconds
    return float(-np.log(max(total, 1e-300) * seconds**3 / float(speed.max()) ** 2))


def head_motion(
    poses: Float[np.ndarray, "frames 3"], fps: Fraction | float | int
) -> HeadMotionScore:
    """Score the motion of one head.

    Args:
        poses: Yaw, pitch and roll [deg]; NaN where the face was lost.
        fps: Frames per second.

    Raises:
        InputError: If the face is never seen for 3 s on end, or the rate is below 24 fps.
    """
    found = pieces(poses, fps, shortest=float(WINDOW))
    if not found:
        raise InputError("head motion needs a face that is seen for 3 s on end")
    everything = np.concatenate(found)
    deviation = everything.std(0)
    low, high = np.percentile(everything, _RANGE, axis=0)
    parts = [part for piece in found for part in windows(piece, WINDOW * RATE)]
    amount = float(deviation.mean())
    moves = amount >= _STILL
    return HeadMotionScore(
        yaw=float(deviation[0]),
        pitch=float(deviation[1]),
        roll=float(deviation[2]),
        amount=amount,
        reach=float((high - low).mean()),
        smoothness=_smoothness(parts) if moves else float("nan"),
        tremor=float(np.sqrt(np.mean([_power(part, TREMOR).mean() for part in parts]))),
        tremor_share=_tremor_share(parts) if moves else float("nan"),
    )


class HeadMotion:
    """Amount and smoothness of head motion from landmarks."""

    name = "head-motion"
    version = 1
    judges: tuple[str, ...] = ()
    uses_landmarks = True
    figures: tuple[Figure, ...] = ()

    def observe(self, media: ClipMedia) -> Observation:
        """Measure one clip."""
        poses = estimate_head_poses(media.landmarks)
        media.note_lost_frames()
        note_other_rate(media)
        score = head_motion(poses, media.fps)
        return {name: np.array(value) for name, value in asdict(score).items()}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the means over clips."""
        return {
            figure.name: mean_over_clips(seen, key, seed=seed) for key, figure in _FIGURES.items()
        }


def note_other_rate(media: ClipMedia) -> None:
    """Note that curves of another frame rate are resampled."""
    if media.fps != RATE:
        media.note(f"motion at {float(media.fps):g} fps resampled to {RATE} Hz by straight lines")


def _power(curve: Float64[np.ndarray, "n 3"], low: float) -> Float64[np.ndarray, " 3"]:
    return power_between(*spectrum(curve), low)


def _smoothness(parts: Sequence[Float64[np.ndarray, "n 3"]]) -> float:
    jerks = [log_dimensionless_jerk(part) for part in parts]
    moving = [jerk for jerk in jerks if np.isfinite(jerk)]
    return float(np.mean(moving)) if moving else float("nan")


def _tremor_share(parts: Sequence[Float64[np.ndarray, "n 3"]]) -> float:
    speeds = [np.diff(part, axis=0) * RATE for part in parts]
    total = sum(float(_power(speed, 0.0).sum()) for speed in speeds)
    above = sum(float(_power(speed, TREMOR).sum()) for speed in speeds)
    return above / total


_HOW = (
    "Head pose by rigid fit to 44 landmarks that speech does not move, at 25 Hz (needs 24 fps); "
    "holes of up to 0.12 s bridged; faces seen for 3 s or more."
)
_JITTER_WARNING = "Jitter raises it: read the power above 5 Hz beside it."
_FIGURES = {
    "amount": Figure(
        name="head motion",
        unit="deg",
        better="neither",
        protocol=f"Standard deviation over time, mean of the angles. {_HOW} {_JITTER_WARNING}",
        digits=2,
    ),
    **{
        angle: Figure(
            name=f"head {angle}",
            unit="deg",
            better="neither",
            protocol=f"Standard deviation over time. {_HOW} {_JITTER_WARNING}",
            digits=2,
        )
        for angle in ("yaw", "pitch", "roll")
    },
    "reach": Figure(
        name="head range",
        unit="deg",
        better="neither",
        protocol=f"1st to 99th percentile, mean of yaw, pitch, roll; grows with length. {_HOW}",
        digits=2,
    ),
    "smoothness": Figure(
        name="head smoothness (LDLJ)",
        unit="",
        better="higher",
        protocol=f"Logarithmic dimensionless jerk of windows of 3 s. {_HOW}",
        digits=2,
    ),
    "tremor": Figure(
        name="head tremor",
        unit="deg",
        better="lower",
        protocol=f"Root mean square of the three angles above 5 Hz, Hann windows of 3 s. {_HOW}",
        digits=3,
    ),
    "tremor_share": Figure(
        name="head power above 5 Hz",
        unit="",
        better="lower",
        protocol=f"Share of the power of the angular velocity, Hann windows of 3 s. {_HOW}",
        digits=3,
    ),
}
HeadMotion.figures = tuple(_FIGURES.values())
