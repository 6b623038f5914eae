"""What speaker encoders have in common: a voice in, one vector out."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import InputError
from facevox.evaluation.media import SAMPLE_RATE, ClipMedia

LABELS = {"campplus": "CAM++", "xvector": "x-vector", "resemblyzer": "Resemblyzer"}
"""Name in the registry -> name in tables."""

SHORTEST = 0.4
"""Speech shorter than this says too little about a speaker [s]."""


@runtime_checkable
class SpeakerEncoder(Protocol):
    """Turns speech into a vector in which one speaker's utterances lie close together."""

    def embed(self, waveform: Float32[np.ndarray, " samples"]) -> Float32[np.ndarray, " dim"]:
        """Return the embedding of mono speech at 16 kHz in [-1, 1]."""
        ...


def embedding_of(media: ClipMedia, judge: str) -> Float32[np.ndarray, " dim"]:
    """Return the embedding of a clip's voice; made once, however many metrics ask.

    Args:
        media: The clip.
        judge: Name of the speaker encoder in the registry.

    Raises:
        InputError: If there is no sound, too little, or none that the encoder can embed.
        MissingPiece: If the encoder is not here.
    """
    return media.once(("speaker embedding", judge), lambda: _embedding(media, judge))


def _embedding(media: ClipMedia, judge: str) -> Float32[np.ndarray, " dim"]:
    waveform = media.waveform(SAMPLE_RATE)
    if len(waveform) < SHORTEST * SAMPLE_RATE:
        raise InputError(
            f"{media.clip.video.name} has {len(waveform) / SAMPLE_RATE:.2f} s of sound, a "
            f"speaker encoder needs {SHORTEST} s."
        )
    embedding = media.judges.load(judge).embed(waveform)
    if not np.isfinite(embedding).all():
        raise InputError(f"{judge} cannot make anything of the sound of {media.clip.video.name}.")
    return embedding


def cosine(left: Float32[np.ndarray, " dim"], right: Float32[np.ndarray, " dim"]) -> float:
    """Return the cosine of the angle between two embeddings."""
    lengths = np.linalg.norm(left) * np.linalg.norm(right)
    return float(left @ right / max(float(lengths), 1e-12))
