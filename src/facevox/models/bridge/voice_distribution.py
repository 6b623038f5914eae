"""The voices that fit a face; a seed draws one of them."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from facevox.core.voice import Voice
from facevox.models.bridge.drawing import Range, held, seeded
from facevox.models.bridge.perception import Perceived
from facevox.models.bridge.voice_norms import usual_voice

ENGINE = "flite"
ORIGIN = "face"


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseVoice:
    """A voice of the speech engine and how far it may be bent and still be understood.

    Attributes:
        name: The engine's name for it.
        own_tract: Length of this speaker's vocal tract, 1 = an average man's.
        f0_mean: Lowest and highest mean fundamental frequency [Hz].
        vocal_tract: Lowest and highest change of the vocal tract.
    """

    name: str
    own_tract: float
    f0_mean: Range
    vocal_tract: Range


BASES = (
    BaseVoice(name="rms", own_tract=1.0, f0_mean=(85.0, 280.0), vocal_tract=(0.78, 1.04)),
    BaseVoice(name="awb", own_tract=1.0, f0_mean=(95.0, 170.0), vocal_tract=(0.92, 1.03)),
    BaseVoice(name="slt", own_tract=0.82, f0_mean=(150.0, 230.0), vocal_tract=(1.0, 1.10)),
)
"""Ranges measured with a speech recogniser on the flite engine."""

RATE, F0_RANGE, BRIGHTNESS = (0.85, 1.2), (0.8, 1.6), (-4.0, 4.0)

CHILD = 14.0
"""Below this age only the base voice that can be made small enough is used [years]."""

# Spread of the draws of one face.
_LOG_F0, _TRACT, _RATE, _F0_RANGE, _BRIGHTNESS, _AGE = 0.06, 0.015, 0.045, 0.10, 0.9, 0.3
# What one standard deviation of the face's build does to the middle of the draws.  Large
# speakers tend to long tracts and low voices, within a sex only loosely; the rest has no
# meaning but that faces differ and keep their own.
_BREADTH_F0, _LENGTH_F0, _BREADTH_TRACT = -0.065, -0.04, 0.013
_LENGTH_RATE, _WIDTH_F0_RANGE, _WIDTH_BRIGHTNESS = -0.03, 0.10, -0.9
_NUM_DRAWS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class VoiceDistribution:
    """The voices that fit a face.

    Attributes:
        perceived: How the face is seen.
    """

    perceived: Perceived

    def draw(self, seed: int) -> Voice:
        """Return one of the voices; the same seed gives the same voice.

        Raises:
            InputError: If the seed is not a whole number from 0 on.
        """
        generator = seeded(seed, 0xFACE)
        place = float(generator.random())
        noise = np.clip(generator.standard_normal(_NUM_DRAWS), -2.5, 2.5)
        return replace(self._voice(self._pick(place), noise), seed=int(seed))

    def mean(self) -> Voice:
        """Return the voice in the middle."""
        likeliest = max(self.base_weights().items(), key=lambda item: item[1])[0]
        return self._voice(likeliest, np.zeros(_NUM_DRAWS))

    def base_weights(self) -> dict[str, float]:
        """Return how likely each base voice is.

        Which of two fitting base voices is preferred depends on the length of the face, so
        that faces differ in more than pitch.
        """
        seen = self.perceived
        if seen.age < CHILD:
            return {"rms": 1.0}
        woman = float(np.clip((seen.female - 0.35) / 0.3, 0, 1))
        man = (1 - woman) * _step((seen.age - 20.0) / 4.0)
        slt = woman * (0.1 + 0.8 * _step(3.0 * seen.length))
        awb = man * (0.05 + 0.75 * _step(3.0 * (seen.length - 0.5)))
        return {"slt": slt, "awb": awb, "rms": 1 - slt - awb}

    def _pick(self, place: float) -> str:
        names, weights = zip(*self.base_weights().items(), strict=True)
        index = int(np.searchsorted(np.cumsum(weights), place, side="right"))
        return names[min(index, len(names) - 1)]

    def _voice(self, name: str, noise: Float[np.ndarray, " 6"]) -> Voice:
        seen = self.perceived
        base = next(base for base in BASES if base.name == name)
        # people who are fairly sure to be taken for a man get a man's voice, not one between
        sex = seen.female**2 * (3 - 2 * seen.female)
        usual = usual_voice(sex, seen.age + _AGE * seen.age_sigma * noise[5])
        pitch = _BREADTH_F0 * seen.breadth + _LENGTH_F0 * seen.length + _LOG_F0 * noise[0]
        # long tracts go with low pitch, within a sex only loosely
        size = _BREADTH_TRACT * seen.breadth + _TRACT * (0.95 * noise[1] - 0.3 * noise[0])
        tract = usual.vocal_tract * (1 + size) / base.own_tract
        rate = usual.rate + _LENGTH_RATE * seen.length + _RATE * noise[2]
        melody = usual.f0_range + _WIDTH_F0_RANGE * seen.width + _F0_RANGE * noise[3]
        tilt = usual.brightness + _WIDTH_BRIGHTNESS * seen.width + _BRIGHTNESS * noise[4]
        return Voice(
            engine=ENGINE,
            base=base.name,
            f0_mean=held(usual.f0_mean * np.exp(pitch), base.f0_mean, 2),
            vocal_tract=held(tract, base.vocal_tract, 4),
            rate=held(rate, RATE, 4),
            f0_range=held(melody, F0_RANGE, 4),
            brightness=held(tilt, BRIGHTNESS, 3),
            origin=ORIGIN,
        )


def _step(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -60, 60))))
