"""How a voice is likely to be heard: masculine or feminine, young or old.

Two linear regressions on Resemblyzer's embedding, learned from the words of listeners.
They say what listeners would say of a voice, not what a speaker is.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32

from facevox.core.checkpoint import load_checkpoint

NAME = "voice_perception"
FOLDER = Path(__file__).parents[2] / "weights" / "judges"
DIM = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class PerceivedVoice:
    """What listeners would say of a voice.

    Attributes:
        femininity: About -1 for voices called masculine, 1 for feminine; 0 is undecided.
        age: On the scale young -1, adult-like 0, middle-aged 1, old 2; pulled towards the
            middle, so that only its order can be trusted.
    """

    femininity: float
    age: float


class VoicePerception:
    """Reads perceived sex and age off a speaker embedding.

    Args:
        slopes: Weights of femininity and of age.
        biases: Their biases.
    """

    def __init__(
        self, slopes: Float32[np.ndarray, "2 dim"], biases: Float32[np.ndarray, " 2"]
    ) -> None:
        self._slopes, self._biases = slopes, biases

    def __call__(self, embedding: Float[np.ndarray, " dim"]) -> PerceivedVoice:
        """Judge one utterance by its embedding (unit length)."""
        femininity, age = (self._slopes @ embedding + self._biases).tolist()
        return PerceivedVoice(femininity=femininity, age=age)


def load_voice_perception(folder: Path = FOLDER) -> VoicePerception:
    """Load the weights that come with the package.

    Raises:
        CheckpointError: If they are absent, damaged or do not fit.
    """
    shapes = {"slopes": (2, DIM), "biases": (2,)}
    found = load_checkpoint(folder / f"{NAME}.safetensors", shapes)
    return VoicePerception(found["slopes"], found["biases"])
