"""FID: how far the frames of generated videos are from frames of recordings.

Traps: fewer frames than features have numbers give a singular covariance and a number that
looks like any other; whole frames and face crops differ; so do ways to shrink pictures; the
first frame is often the given photo and flatters; a comparison with other people than
those shown raises it.  Never compare with a number out of a paper.

Reference:
    Heusel et al., GANs Trained by a Two Time-Scale Update Rule, NeurIPS 2017.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
from jaxtyping import Float16

from facevox.core.errors import InputError
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import (
    Estimate,
    Figure,
    NotMeasured,
    Observation,
    Result,
    Seen,
)
from facevox.evaluation.metrics.frechet import distance_of_gaussians, gaussian_of, rank_problem
from facevox.evaluation.metrics.two_sets import observe_both, two_sets
from facevox.evaluation.signals.face_square import crop_square, face_square

JUDGE = "inception"
BATCH = 16
"""Frames that the judge sees at once."""

_NAME = "FID"
_LEFT_OUT = 1
"""Frames at the start that are not looked at: systems may just copy the photo there."""

_FEWEST_VIDEOS = 2


def frame_features(media: ClipMedia) -> Float16[np.ndarray, "frames dim"]:
    """Return the Inception features of a clip's face crops, all frames but the first.

    Raises:
        InputError: If no frame shows a face, or there is only one frame.
    """
    judge = media.judges.load(JUDGE)
    square = face_square(media.landmarks)
    crops = (crop_square(pixels, square) for pixels in islice(media.frames(), _LEFT_OUT, None))
    rows = []
    while batch := list(islice(crops, BATCH)):
        rows.append(judge.features(np.stack(batch)).astype(np.float16))
    if not rows:
        raise InputError("the video has one frame only; FID leaves out the first.")
    return np.concatenate(rows)


class Fid:
    """Frechet distance of Inception features, as pytorch-fid computes it."""

    name = "fid"
    version = 1
    judges = (JUDGE,)
    uses_landmarks = True
    figures = (
        Figure(
            name=_NAME,
            unit="",
            better="lower",
            protocol="pytorch-fid's Inception v3, 2048 features of the last pooling; every frame "
            "but the first at the file's own rate; face square of the clip (1.5 x the landmarks' "
            "box, native pixels), resized to 299 px inside; real side: the recordings of the same "
            "people, each once. Biased upwards for few frames, so without an interval; compare "
            "only within this table.",
            digits=2,
        ),
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Return the features of the frames of a clip and of its recording.

        Raises:
            InputError: If no face is seen.
            MissingPiece: If the judge is not here.
        """
        return observe_both(media, self.name, frame_features)

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return FID, or why there is none."""
        sets = two_sets(seen, seed=seed)
        if isinstance(sets, NotMeasured):
            return {_NAME: sets}
        sides = [list(side.values()) for side in (sets.made, sets.recorded)]
        counts = [sum(map(len, side)) for side in sides]
        if problem := rank_problem(counts, next(iter(sets.made.values())).shape[1], of="frames"):
            return {_NAME: NotMeasured(reason=problem)}
        if len(sets.made) < _FEWEST_VIDEOS:
            return {_NAME: NotMeasured(reason="the frames of one video are too much alike")}
        value = distance_of_gaussians(*(gaussian_of(side) for side in sides))
        note = f"{counts[1]} real frames" + (f"; {sets.note}" if sets.note else "")
        return {_NAME: Estimate(value=value, count=counts[0], of="frames", note=note)}
