"""ID-SIM: does the face in the video stay the person in the photo?

Cosine of the face embeddings of a frame and of the photo that the video was made from,
mean over frames, then over clips.

Traps:
    Compared with the photo, a head that turns or speaks costs similarity although nobody
    has become another person; compared with the recording's frame of the same number (as
    some papers do) it does not, and numbers are .05 to .1 higher.  A system that pastes the
    photo scores highest.  Frames in which no face is found are usually skipped without a
    word, so that the worst frames raise the mean: here they are counted, see the note.
    Numbers of different networks, weights, templates or channel orders cannot be compared.

Reference:
    Jang et al., Faces that Speak, CVPR 2024 (CurricularFace, against the source photo).
    Huang et al., CurricularFace, CVPR 2020; Deng et al., ArcFace, CVPR 2019.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Float64

from facevox.core.errors import InputError
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import (
    Estimate,
    Figure,
    Observation,
    Result,
    Seen,
    mean_over_clips,
)
from facevox.evaluation.signals.face_alignment import align_face

EVERY = 0.2
"""Time between the frames that are looked at [s]."""


def identity_similarity(
    photo: Float32[np.ndarray, " dim"], frames: Float32[np.ndarray, "n dim"]
) -> Float64[np.ndarray, " n"]:
    """Return the cosine of the photo's embedding and that of each frame, -1 to 1."""
    photo, frames = photo.astype(np.float64), frames.astype(np.float64)
    lengths = np.linalg.norm(photo) * np.linalg.norm(frames, axis=1)
    return frames @ photo / np.maximum(lengths, 1e-12)


class IdentitySimilarity:
    """Cosine of face embeddings, frames against the photo.

    Args:
        judge: Name of a network of face recognition.
        label: What tables call it.
    """

    version = 1
    uses_landmarks = True

    def __init__(self, judge: str = "curricularface", label: str = "CurricularFace") -> None:
        self.name = f"id-sim-{judge}"
        self.judges: tuple[str, ...] = (judge,)
        self.figures: tuple[Figure, ...] = (
            Figure(
                name=f"ID-SIM ({label})",
                unit="",
                better="higher",
                protocol=f"Cosine of {label} embeddings, frame against source photo, a frame each "
                f"{EVERY:g} s, mean over frames. Five-point similarity to InsightFace's template "
                "(eyes, nose, mouth corners from 478 landmarks), 112 px, RGB, (x - 127.5) / 127.5.",
            ),
        )

    def observe(self, media: ClipMedia) -> Observation:
        """Compare the frames of a clip with its photo.

        Raises:
            InputError: If no photo is given, or none of the frames shows a face.
            MissingPiece: If the judge is not here.
        """
        network = media.judges.load(self.judges[0])
        portrait = media.portrait
        faces = [align_face(pixels, points) for pixels, points in media.faces(EVERY)]
        if not faces:
            raise InputError("none of the frames that are looked at shows a face")
        photo = network.embed(align_face(portrait.pixels, portrait.landmarks)[None])[0]
        cosines = identity_similarity(photo, network.embed(np.stack(faces)))
        return {
            "similarity": np.array(cosines.mean()),
            "worst": np.array(cosines.min()),
            "scored": np.array(len(faces)),
            "looked_at": np.array(len(media.landmarks[:: media.step(EVERY)])),
        }

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the mean over clips, with the number of frames that were scored."""
        result = mean_over_clips(seen, "similarity", seed=seed)
        if isinstance(result, Estimate):
            scored, looked_at = (
                sum(int(item.observation[key]) for item in seen) for key in ("scored", "looked_at")
            )
            said = f"{scored} of {looked_at} frames show a face"
            result = replace(result, note="; ".join(filter(None, (result.note, said))))
        return {self.figures[0].name: result}
