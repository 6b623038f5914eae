"""The space of voices: how speaker embeddings lie for a sex and an age that listeners hear.

A linear Gaussian model of a few dozen directions, learned from some hundred speakers.  What
it makes is a new mixture; none of the speakers may be met again, so whatever comes too near
to one is moved away.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Float64

from facevox.core.checkpoint import SPEECH_WEIGHTS, load_card, load_checkpoint
from facevox.core.errors import CheckpointError
from facevox.core.voice import EMBEDDING_DIM

NAME = "voice_space"
NUM_CONDITIONS = 4

_STEP, _MOST_STEPS = 0.02, 400


class VoiceSpace:
    """Sex and age as heard, and noise -> a speaker embedding.

    All but `basis` is in its coordinates.

    Args:
        basis: Orthonormal directions that the voices differ in.
        slopes: What the conditions (see `conditions`) do to the middle.
        factors: What one standard deviation of each noise does; the first is the pitch's.
        speakers: The people it was learned from, as far as `basis` shows them.
        limit: Highest cosine of a voice with any of them.
        pitch_sigma: Spread of the mean pitch of people of one sex and age [log Hz].
    """

    def __init__(
        self,
        basis: Float32[np.ndarray, "dims 192"],
        slopes: Float32[np.ndarray, "4 dims"],
        factors: Float32[np.ndarray, "noises dims"],
        speakers: Float[np.ndarray, "speakers dims"],
        limit: float,
        pitch_sigma: float,
    ) -> None:
        self._basis = basis.astype(np.float64)
        self._slopes = slopes.astype(np.float64)
        self._factors = factors.astype(np.float64)
        self._speakers = speakers.astype(np.float64)
        self.limit, self.pitch_sigma = limit, pitch_sigma

    @classmethod
    def load(cls, path: Path | None = None) -> "VoiceSpace":
        """Load the weights that ship with the package, or others of the same kind.

        Raises:
            CheckpointError: If they are absent, damaged or do not fit.
        """
        path = SPEECH_WEIGHTS / f"{NAME}.safetensors" if path is None else path
        try:
            config = load_card(path)["config"]
            dims = int(config["dims"])
            shapes = {
                "basis": (dims, EMBEDDING_DIM),
                "slopes": (NUM_CONDITIONS, dims),
                "factors": (int(config["noises"]), dims),
                "speakers": (int(config["speakers"]), dims),
            }
            limit, sigma = float(config["limit"]), float(config["pitch_sigma"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"The card of {path} does not fit: {error}.") from error
        return cls(**load_checkpoint(path, shapes), limit=limit, pitch_sigma=sigma)

    @property
    def num_noises(self) -> int:
        """Numbers that tell voices of one sex and age apart."""
        return len(self._factors)

    def embedding(
        self, femininity: float, age: float, noise: Float64[np.ndarray, " noises"]
    ) -> Float32[np.ndarray, " 192"]:
        """Return a speaker embedding of length one, no nearer to a speaker than `limit`.

        Args:
            femininity: From -1 (masculine) to 1 (feminine), as listeners say.
            age: From -1 (young) to 2 (old), as listeners say.
            noise: Standard normal; the first is the pitch, high above 0.
        """
        place = conditions(femininity, age) @ self._slopes + noise @ self._factors
        made = self._apart(place) @ self._basis
        return (made / np.linalg.norm(made)).astype(np.float32)

    def nearest(self, embedding: Float32[np.ndarray, " 192"]) -> float:
        """Return the highest cosine of an embedding of this space with a speaker."""
        return float((self._speakers @ (self._basis @ embedding.astype(np.float64))).max())

    def _apart(self, place: Float64[np.ndarray, " dims"]) -> Float64[np.ndarray, " dims"]:
        place = place / np.linalg.norm(place)
        for _ in range(_MOST_STEPS):
            cosines = self._speakers @ place
            worst = int(cosines.argmax())
            if cosines[worst] <= self.limit:
                break
            away = self._speakers[worst]
            place = place - _STEP * away / np.linalg.norm(away)
            place = place / np.linalg.norm(place)
        return place


def conditions(femininity: float, age: float) -> Float64[np.ndarray, " 4"]:
    """Return what the middle of the voices depends on linearly."""
    return np.array([1.0, femininity, age, femininity * age])
