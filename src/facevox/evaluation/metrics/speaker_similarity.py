"""SS and C-SIM: is the voice that of the real person?

The cosine between speaker embeddings of the generated speech and of a recording of the same
person, as in Face2VoiceSync (SS, CAM++) and Faces that Speak (C-SIM, x-vectors).

Traps:
    Cosines of different encoders cannot be compared: x-vectors lie near 0.9 for almost any
    two voices, CAM++ around 0.4 to 0.7.  They are raw: no mean of a set is taken away.  A
    recording compared with itself gives 1 and says nothing, so that is refused.  A system
    that was trained with an encoder must be judged by another one.

Reference:
    Jang et al., Faces that Speak, CVPR 2024; Face2VoiceSync, arXiv 2507.19225, 2025.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from facevox.core.errors import InputError
from facevox.evaluation.judges.speaker_encoder import LABELS, cosine, embedding_of
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import (
    Figure,
    NotMeasured,
    Observation,
    Result,
    Seen,
    mean_over_clips,
)


class SpeakerSimilarity:
    """Mean cosine to a recording of the same person.

    Args:
        judge: Name of the speaker encoder.
    """

    version = 1
    uses_landmarks = False

    def __init__(self, judge: str = "campplus") -> None:
        self.name, self.judges = f"speaker-similarity-{judge}", (judge,)
        title = "C-SIM" if judge == "xvector" else "SS"
        self.figures = (
            Figure(
                name=f"{title} ({LABELS[judge]})",
                unit="",
                better="higher",
                protocol=f"Cosine of {LABELS[judge]} embeddings of the generated voice and of "
                "a recording of the same person (the same text unless noted), whole utterances at "
                "16 kHz; raw, not centred; mean over clips.",
            ),
        )

    def observe(self, media: ClipMedia) -> Observation:
        """Compare the voice of one clip with its reference.

        Raises:
            InputError: If there is no reference, or the clip itself is the reference.
        """
        clip, judge = media.clip, self.judges[0]
        if clip.reference is not None and clip.reference.resolve() == clip.video.resolve():
            raise InputError("the clip is its own reference, so their similarity says nothing")
        if not clip.reference_says_text:
            media.note("the recording of this person says another text")
        known = embedding_of(media.reference, judge)
        return {"cosine": np.array(cosine(embedding_of(media, judge), known))}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the mean over clips."""
        return {self.figures[0].name: mean_over_clips(seen, "cosine", seed=seed)}


class FaceVoiceAssociation:
    """Does the voice match the face for a network that has learned which go together?

    No such network is published with weights that can be loaded here: SVHF-Net is for
    MatConvNet, that of Kim et al. (2018) for TensorFlow 1, FOP and SBNet come without theirs.
    The figure stands in the table with this reason, so that its absence is seen.
    `face_voice_match.match` takes its scores once there is one.
    """

    name = "face-voice-association"
    version = 1
    judges: tuple[str, ...] = ()
    uses_landmarks = False
    figures = (
        Figure(
            name="face-voice 1-of-N (association)",
            unit="",
            better="higher",
            protocol="Share of photos whose voice a frozen face-voice association network "
            "ranks first among the voices of all people.",
        ),
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Return nothing: there is no network to look with."""
        return {}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return why there is no number."""
        reason = (
            "no face-voice association network is published with weights that can be loaded "
            "and whose licence could be checked"
        )
        return {self.figures[0].name: NotMeasured(reason=reason)}
