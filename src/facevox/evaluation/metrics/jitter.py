"""Trembling of the picture: how far landmarks that nothing should move still move, fast.

The landmarks are those of forehead, nose, temples and eye corners, in units of the distance
between the irises [IOD].  Whatever they do slowly is head motion; above 5 Hz it is jitter.

- Jitter: root mean square of x and y above 5 Hz.
- Jitter acceleration: root mean square of the second difference from frame to frame, in
  which slow motion hardly counts and a jump of the whole picture counts fully.
- Swimming: jitter that is left when every frame is laid on the mean face by turn, scale and
  shift; a face that swims on its own head, or landmarks that do not know where they are.

A swing of amplitude a and f Hz has jitter a / sqrt(2) and, at 25 Hz, acceleration
4 sin^2(pi f / 25) a / sqrt(2).

Traps:
    The tracker's own noise is in it: compare within one tracker, and read the row of real
    recordings.  The tracker that comes with facevox sees .1 mIOD in a still picture, .7 in
    one that slides slowly, 2 to 3 in faces that speak, and 13.0 where 11.6 is true (10 Hz).
    Small faces are noisier.  Blinks and speech move skin: hence only rigid landmarks.
    Curves are compared at 25 Hz; such video cannot show more than 12.5 Hz.

Reference:
    None; the band follows from heads moving below 5 Hz (see `head_motion`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float32, Float64

from facevox.core.errors import InputError
from facevox.core.portrait.head_pose import RIGID_LANDMARKS
from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips
from facevox.evaluation.metrics.head_motion import note_other_rate
from facevox.evaluation.signals.face_alignment import fit_similarity
from facevox.evaluation.signals.time_series import pieces, power_between, spectrum

LOWEST = 5.0
"""What is slower is motion, not jitter [Hz]."""

SHORTEST = 1.0
"""Shorter stretches of a seen face are left out [s]."""

_MILLI = 1000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class JitterScore:
    """How much a face trembles in one clip.

    Attributes:
        jitter: Root mean square above 5 Hz [mIOD].
        acceleration: Root mean square of the second difference [mIOD / frame^2].
        swimming: Jitter without turn, scale and shift of the whole face [mIOD].
    """

    jitter: float
    acceleration: float
    swimming: float


def jitter(
    landmarks: Float32[np.ndarray, "frames 478 3"], fps: Fraction | float | int
) -> JitterScore:
    """Score the trembling of one face.

    Args:
        landmarks: Of every frame [px]; NaN where the face was lost.
        fps: Frames per second.

    Raises:
        InputError: If the face is never seen for 1 s on end, or the rate is below 24 fps.
    """
    rigid = rigid_landmarks(landmarks)
    found = pieces(rigid.reshape(len(rigid), -1), fps, shortest=SHORTEST)
    if not found:
        raise InputError("jitter needs a face that is seen for 1 s on end")
    bends = np.concatenate([np.diff(piece, 2, axis=0) for piece in found])
    laid = [_laid_on_mean(piece) for piece in found]
    return JitterScore(
        jitter=_fast_part(found),
        acceleration=_MILLI * float(np.sqrt((bends**2).mean())),
        swimming=_fast_part(laid),
    )


def rigid_landmarks(
    landmarks: Float32[np.ndarray, "frames 478 3"],
) -> Float64[np.ndarray, "frames rigid 2"]:
    """Return the landmarks that nothing but the head moves [IOD of the whole clip]."""
    flat = landmarks[..., :2].astype(np.float64)
    iods = np.linalg.norm(flat[:, LEFT_IRIS] - flat[:, RIGHT_IRIS], axis=-1)
    if not np.isfinite(iods).any():
        raise InputError("the clip shows no face")
    return flat[:, list(RIGID_LANDMARKS)] / float(np.nanmedian(iods))


class Jitter:
    """Trembling of rigid landmarks."""

    name = "jitter"
    version = 1
    judges: tuple[str, ...] = ()
    uses_landmarks = True
    figures: tuple[Figure, ...] = ()

    def observe(self, media: ClipMedia) -> Observation:
        """Measure one clip."""
        landmarks = media.landmarks
        media.note_lost_frames()
        note_other_rate(media)
        score = jitter(landmarks, media.fps)
        return {name: np.array(value) for name, value in asdict(score).items()}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the means over clips."""
        return {
            figure.name: mean_over_clips(seen, key, seed=seed) for key, figure in _FIGURES.items()
        }


def _fast_part(curves: Sequence[Float64[np.ndarray, "_ k"]]) -> float:
    powers = [power_between(*spectrum(curve), LOWEST).mean() for curve in curves]
    weights = [len(curve) for curve in curves]
    return _MILLI * float(np.sqrt(np.average(powers, weights=weights)))


def _laid_on_mean(curve: Float64[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
    faces = curve.reshape(len(curve), -1, 2)
    mean = faces.mean(0)
    matrices = [fit_similarity(face, mean) for face in faces]
    laid = [face @ m[:, :2].T + m[:, 2] for face, m in zip(faces, matrices, strict=True)]
    return np.stack(laid).reshape(len(curve), -1)


_HOW = (
    "44 landmarks of forehead, nose, temples and eye corners in thousandths of the distance of "
    "the irises, at 25 Hz (needs 24 fps); the tracker's own noise is in it."
)
_FIGURES = {
    "jitter": Figure(
        name="jitter",
        unit="mIOD",
        better="lower",
        protocol=f"Root mean square above 5 Hz, Hann window. {_HOW}",
        digits=2,
    ),
    "acceleration": Figure(
        name="jitter acceleration",
        unit="mIOD/frame^2",
        better="lower",
        protocol=f"Root mean square of the second difference from frame to frame. {_HOW}",
        digits=2,
    ),
    "swimming": Figure(
        name="face swimming",
        unit="mIOD",
        better="lower",
        protocol="Jitter that is left after laying each frame on the mean face by turn, scale "
        f"and shift. {_HOW}",
        digits=2,
    ),
}
Jitter.figures = tuple(_FIGURES.values())
