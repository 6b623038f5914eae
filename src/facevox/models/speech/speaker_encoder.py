"""Who speaks, as 192 numbers: the encoder on which the neural voice is conditioned.

Statistics of 3 s of speech, projected onto the directions in which speakers differ most
compared with how one speaker differs from recording to recording.  On the few hundred short
recordings at hand this tells speakers apart better than a network (see the decision page).
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64

from facevox.core.checkpoint import SPEECH_WEIGHTS, load_checkpoint
from facevox.core.errors import InputError
from facevox.core.voice import EMBEDDING_DIM
from facevox.core.waveform import normalise_level
from facevox.models.speech.kaldi_fbank import SAMPLE_RATE
from facevox.models.speech.speech_statistics import (
    NUM_STATISTICS,
    bands,
    speech_statistics,
    without_pauses,
)

NAME = "speaker_encoder"

WINDOW, HOP = 48_000, 24_000
"""Stretch that is embedded at once and its step, 3 s and 1.5 s [samples]."""

SHORTEST = 8_000
"""Least speech that can be embedded, 0.5 s [samples]."""


class SpeakerEncoder:
    """Speech of one person -> a vector of length one that tells how the person sounds.

    Args:
        mean: Mean of each of the statistics.
        scale: Their standard deviations.
        projection: Directions that tell speakers apart, weighted by how well they do.

    Reference:
        Ioffe, Probabilistic linear discriminant analysis, ECCV 2006 (the weights).
    """

    def __init__(
        self,
        mean: Float32[np.ndarray, " n"],
        scale: Float32[np.ndarray, " n"],
        projection: Float32[np.ndarray, "n dim"],
    ) -> None:
        self._mean, self._scale, self._projection = mean, scale, projection

    @classmethod
    def load(cls, path: Path | None = None) -> "SpeakerEncoder":
        """Load the weights that ship with the package, or others of the same kind.

        Raises:
            CheckpointError: If they are absent, damaged or do not fit.
        """
        path = SPEECH_WEIGHTS / f"{NAME}.safetensors" if path is None else path
        shapes = {
            "mean": (NUM_STATISTICS,),
            "scale": (NUM_STATISTICS,),
            "projection": (NUM_STATISTICS, EMBEDDING_DIM),
        }
        return cls(**load_checkpoint(path, shapes))

    def tensors(self) -> dict[str, np.ndarray]:
        """Return what `load` reads."""
        return {"mean": self._mean, "scale": self._scale, "projection": self._projection}

    def embed(self, waveform: Float32[np.ndarray, " samples"]) -> Float32[np.ndarray, " dim"]:
        """Return the embedding of speech at 16 kHz: the mean over windows, of length one.

        Pauses are left out, the level does not matter, and the same sound gives the same
        numbers.

        Raises:
            InputError: If less than 0.5 s of sound is left without the pauses.
        """
        speech = without_pauses(normalise_level(waveform, SAMPLE_RATE))
        if len(speech) < SHORTEST:
            raise InputError(
                f"A speaker cannot be told from {len(speech) / SAMPLE_RATE:.1f} s of sound; "
                f"at least {SHORTEST / SAMPLE_RATE:.1f} s without pauses are needed."
            )
        statistics = speech_statistics(bands(torch.from_numpy(_windows(speech))))
        mean = _unit(self._project(statistics)).mean(0)
        return _unit(mean).astype(np.float32)

    def _project(self, statistics: Float64[np.ndarray, "windows n"]) -> np.ndarray:
        return ((statistics - self._mean) / self._scale) @ self._projection


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _windows(speech: Float32[np.ndarray, " samples"]) -> Float32[np.ndarray, "windows length"]:
    """Return evenly spread windows that cover the speech; a short clip is one window."""
    length = min(WINDOW, len(speech))
    count = 1 + int(np.ceil((len(speech) - length) / HOP))
    starts = np.linspace(0, len(speech) - length, count).astype(int)
    return np.stack([speech[start : start + length] for start in starts])
