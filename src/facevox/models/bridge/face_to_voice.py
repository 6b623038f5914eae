"""From a face to the voices that fit it.

It estimates how a face is likely to be seen and picks from what is usual for such a
voice.  It says nothing about the person: nobody's voice can be read off a photo, and both
guesses can be replaced by what the user knows.
"""

from dataclasses import replace
from functools import cached_property

from facevox.core.errors import InputError
from facevox.core.portrait.portrait import Portrait
from facevox.models.bridge.neural_voices import ENGINE as NEURAL_ENGINE
from facevox.models.bridge.neural_voices import NeuralVoices
from facevox.models.bridge.perception import FacePerception, Perceived
from facevox.models.bridge.voice_distribution import VoiceDistribution
from facevox.models.bridge.voice_space import VoiceSpace

AGE_LIMITS = (4.0, 90.0)
_GIVEN_AGE_SIGMA = 2.0


class FaceToVoice:
    """Suggests voices for a face.

    Args:
        perception: Says how a face is seen.
    """

    def __init__(self, perception: FacePerception) -> None:
        self._perception = perception

    @classmethod
    def load(cls) -> "FaceToVoice":
        """Load the weights that ship with the package.

        Raises:
            CheckpointError: If they are absent, damaged or do not fit.
        """
        return cls(FacePerception.load())

    @property
    def num_parameters(self) -> int:
        """Numbers that were learned."""
        return self._perception.num_parameters

    def perceive(self, portrait: Portrait) -> Perceived:
        """Return how the face is likely to be seen; not a fact about the person."""
        return self._perception(portrait)

    def distribution(
        self,
        portrait: Portrait,
        *,
        female: float | None = None,
        age: float | None = None,
        engine: str = "flite",
    ) -> VoiceDistribution | NeuralVoices:
        """Return the voices that fit a face.

        Args:
            portrait: The face.
            female: Replaces what the face looks like, 0 (man) to 1 (woman).
            age: Replaces what the face looks like [years], 4 to 90.
            engine: Speech engine whose voices they are, "flite" or "matcha".

        Raises:
            InputError: If `female` or `age` is outside its range.
            CheckpointError: If the space of neural voices is absent or damaged.
        """
        seen = self.perceive(portrait)
        if female is not None:
            seen = replace(seen, female=_checked("female", female, 0.0, 1.0))
        if age is not None:
            age = _checked("age", age, *AGE_LIMITS)
            seen = replace(seen, age=age, age_sigma=_GIVEN_AGE_SIGMA)
        if engine == NEURAL_ENGINE:
            return NeuralVoices(perceived=seen, space=self._space)
        return VoiceDistribution(perceived=seen)

    @cached_property
    def _space(self) -> VoiceSpace:
        return VoiceSpace.load()


def _checked(name: str, value: float, low: float, high: float) -> float:
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not low <= value <= high:
        raise InputError(f"{name} must be a number from {low:g} to {high:g}, got {value!r}.")
    return float(value)
