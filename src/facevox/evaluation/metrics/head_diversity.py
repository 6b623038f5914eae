"""DIV: how much the features of a head-pose network vary over time.

DIV = mean over features of the standard deviation over time, mean over clips; the features
are the 2048 pooled ones of Hopenet.  Beside it stand the angles that the same network sees,
which have a unit.

Traps:
    The papers that report DIV never published their script.  SadTalker, who introduced it,
    says "standard deviation of the feature embeddings of the head motion"; real recordings
    have .168 in TTSF and .639 in KDTalker.  So this is our definition: compare only within
    one harness.  Jitter, blinks, speech and changing light move features as well as turning
    heads do: a trembling video has a high DIV.  Read it beside the head power above 5 Hz.

Reference:
    Zhang et al., SadTalker, CVPR 2023; Jang et al., Faces that Speak, CVPR 2024.
    Ruiz, Chong and Rehg, Fine-grained head pose estimation without keypoints, CVPRW 2018.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from facevox.core.errors import InputError
from facevox.evaluation.judges.hopenet import cut_head
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips

EVERY = 0.12
"""Time between the frames that are looked at [s]: heads move slower than that."""

FEWEST_FRAMES = 20


def head_diversity(features: Float[np.ndarray, "frames dim"]) -> float:
    """Return the mean over features of their standard deviation over time."""
    return float(features.astype(np.float64).std(0).mean())


class HeadDiversity:
    """DIV and the angles that Hopenet sees."""

    name = "head-diversity"
    version = 1
    judges: tuple[str, ...] = ("hopenet",)
    uses_landmarks = True
    figures: tuple[Figure, ...] = ()

    def observe(self, media: ClipMedia) -> Observation:
        """Look at frames of a clip that show a face.

        Raises:
            InputError: If fewer than 20 of them do.
            MissingPiece: If the judge is not here.
        """
        network = media.judges.load(self.judges[0])
        media.note_lost_frames()
        looked_at = media.landmarks[:: media.step(EVERY)]
        found = int(np.isfinite(looked_at).all((1, 2)).sum())
        if found < FEWEST_FRAMES:
            raise InputError(f"DIV needs {FEWEST_FRAMES} frames with a face, got {found}")
        features, angles = network.look(cut_head(*face) for face in media.faces(EVERY))
        deviations = angles.astype(np.float64).std(0)
        observed = {"div": head_diversity(features), "amount": float(deviations.mean())}
        observed |= dict(zip(("yaw", "pitch", "roll"), deviations.tolist(), strict=True))
        return {key: np.array(value) for key, value in observed.items()}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the means over clips."""
        return {
            figure.name: mean_over_clips(seen, key, seed=seed) for key, figure in _FIGURES.items()
        }


_HOW = (
    "Hopenet (300W-LP, alpha 1), box of brows, jaw and chin enlarged by 1/2, 3/4 up and 1/4 "
    f"down, 224 px, a frame each {EVERY:g} s. Jitter raises it."
)
_FIGURES = {
    "div": Figure(
        name="DIV (Hopenet)",
        unit="",
        better="neither",
        protocol="Standard deviation over time of the 2048 pooled features, mean over features "
        f"(our definition: the papers' is unpublished). {_HOW}",
    ),
    "amount": Figure(
        name="head motion (Hopenet)",
        unit="deg",
        better="neither",
        protocol=f"Standard deviation over time, mean of yaw, pitch and roll. {_HOW}",
        digits=2,
    ),
    **{
        angle: Figure(
            name=f"head {angle} (Hopenet)",
            unit="deg",
            better="neither",
            protocol=f"Standard deviation over time. {_HOW}",
            digits=2,
        )
        for angle in ("yaw", "pitch", "roll")
    },
}
HeadDiversity.figures = tuple(_FIGURES.values())
