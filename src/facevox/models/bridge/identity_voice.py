"""From the identity seen in a face, free of motion, to the voices that fit it.

Reference:
    Jang et al., Faces that Speak, CVPR 2024, section 3.2 (the voice follows f_id, so that the
    same person smiling and serious keeps it).
"""

from collections.abc import Sequence

from facevox.core.errors import InputError
from facevox.models.bridge.face_to_voice import AGE_LIMITS
from facevox.models.bridge.perception import Perceived

AGE_MEAN, AGE_SCALE = 35.0, 15.0
"""Ages are learned as (age - mean) / scale [years]."""

_AGE_SIGMA = 7.0
_TRAIT_LIMIT = 3.0


def perceived_of(numbers: Sequence[float]) -> Perceived:
    """Return how an identity is seen.

    Args:
        numbers: Femininity from -1 to 1, age in units of `AGE_SCALE` around `AGE_MEAN`, then
            breadth, length and width of the face [sd], as a network read them.

    Raises:
        InputError: If there are not five numbers.
    """
    if len(numbers) != 5:
        raise InputError(f"An identity is read as 5 numbers, got {len(numbers)}.")
    femininity, age, *traits = (float(number) for number in numbers)
    breadth, length, width = (max(-_TRAIT_LIMIT, min(_TRAIT_LIMIT, t)) for t in traits)
    return Perceived(
        female=max(0.0, min(1.0, 0.5 + 0.5 * femininity)),
        age=max(AGE_LIMITS[0], min(AGE_LIMITS[1], AGE_MEAN + AGE_SCALE * age)),
        age_sigma=_AGE_SIGMA,
        breadth=breadth,
        length=length,
        width=width,
    )
