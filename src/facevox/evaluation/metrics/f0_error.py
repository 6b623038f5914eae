"""F0-RMSE: how far the melody of a voice lies from that of a recording of the same text.

    F0-RMSE = sqrt(mean over frame pairs voiced in both of (f - g)^2)

in hertz as papers state it, and in cents (1200 log2 f/g), which weighs high and low voices
alike.  Frames are paired by the time warping of the MCD.

Traps: hertz make high voices look worse than low ones; one octave error of the pitch tracker
weighs like a hundred good frames; the range matters (a ceiling of 400 Hz loses high voices);
how many frames are voiced in only one of the two is not part of the number; a text can be
said well in many melodies, so a low number is a copy, not a quality.

Reference:
    Morise, Harvest, Interspeech 2017 (pitch); the measure as in ESPnet's evaluate_f0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from facevox.core.errors import InputError
from facevox.evaluation.judges.world import F0_CEILING, F0_FLOOR
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips
from facevox.evaluation.metrics.mel_cepstral_distortion import paired_with_recording

FEWEST_VOICED = 20
"""With fewer pairs of voiced frames (a tenth of a second) there is no number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class F0Error:
    """Distance of two melodies.

    Attributes:
        hertz: Root mean square difference [Hz].
        cents: Root mean square of the interval [cents].
        pairs: Frame pairs voiced in both.
    """

    hertz: float
    cents: float
    pairs: int


def f0_error(
    f0: Float64[np.ndarray, " frames"],
    recorded_f0: Float64[np.ndarray, " recorded"],
    path: Int64[np.ndarray, "steps 2"],
) -> F0Error:
    """Compare two melodies over frames that are voiced in both.

    Args:
        f0: Pitch of every frame [Hz], 0 where unvoiced.
        recorded_f0: Of the recording.
        path: Which frames belong together.

    Raises:
        InputError: If fewer than `FEWEST_VOICED` pairs are voiced in both.
    """
    ours, theirs = f0[path[:, 0]], recorded_f0[path[:, 1]]
    voiced = (ours > 0) & (theirs > 0)
    pairs = int(voiced.sum())
    if pairs < FEWEST_VOICED:
        raise InputError(
            f"Only {pairs} pairs of frames are voiced in both sounds; at least {FEWEST_VOICED} "
            "are needed."
        )
    ours, theirs = ours[voiced], theirs[voiced]
    return F0Error(
        hertz=_root_mean_square(ours - theirs),
        cents=_root_mean_square(1200 * np.log2(ours / theirs)),
        pairs=pairs,
    )


def _root_mean_square(values: Float64[np.ndarray, " n"]) -> float:
    return float(np.sqrt((values**2).mean()))


class F0RootMeanSquare:
    """F0-RMSE of a clip against a recording of the same text by the same person."""

    name = "f0-error"
    version = 1
    judges: tuple[str, ...] = ("world",)
    uses_landmarks = False

    def __init__(self) -> None:
        how = (
            f"Harvest {F0_FLOOR:g}-{F0_CEILING:g} Hz, 16 kHz, 5 ms; frame pairs of the MCD that "
            "are voiced in both; root mean square per clip, then mean over clips."
        )
        self.figures: tuple[Figure, ...] = (
            Figure(name="F0-RMSE", unit="Hz", better="lower", protocol=how, digits=1),
            Figure(name="F0-RMSE (log)", unit="cents", better="lower", protocol=how, digits=0),
        )

    def observe(self, media: ClipMedia) -> Observation:
        """Return the distance of the melodies of one clip.

        Raises:
            InputError: If there is no recording of the same text, or too little is voiced.
        """
        paired = paired_with_recording(media)
        error = f0_error(paired.f0, paired.recorded_f0, paired.path)
        return {
            "hertz": np.array(error.hertz),
            "cents": np.array(error.cents),
            "pairs": np.array(error.pairs),
        }

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return means over clips."""
        return {
            "F0-RMSE": mean_over_clips(seen, "hertz", seed=seed),
            "F0-RMSE (log)": mean_over_clips(seen, "cents", seed=seed),
        }
