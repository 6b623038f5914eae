"""The neural voices that fit a face; a seed draws one of them."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from facevox.core.voice import Voice
from facevox.models.bridge.drawing import held, seeded
from facevox.models.bridge.perception import Perceived
from facevox.models.bridge.voice_norms import usual_voice
from facevox.models.bridge.voice_space import VoiceSpace

ENGINE = "matcha"
ORIGIN = "face"

F0_MEAN, VOCAL_TRACT = (70.0, 330.0), (0.78, 1.1)
RATE, F0_RANGE, BRIGHTNESS = (0.85, 1.2), (0.8, 1.4), (-4.0, 4.0)

GROWN_UP = 18.0
"""Nobody younger was heard: children are young women's voices, made smaller [years]."""

_ADULT_TRACT = {"male": 0.98, "female": 0.86}
_HEARD_AGE = ((18, -0.55), (28, -0.25), (40, 0.1), (55, 0.6), (70, 1.0), (90, 1.3))
"""Age [years] and the place of listeners' words for it."""

_PITCH_SHARE = 0.6
_RATE, _F0_RANGE, _BRIGHTNESS, _AGE = 0.045, 0.08, 0.6, 0.3
# What one standard deviation of the face's build does to the middle of the draws, in
# standard deviations of the voices.  Large speakers tend to low voices, within a sex only
# loosely; the rest has no meaning but that faces differ and keep their own: a smooth curve
# over the build whose waves are short compared with how people differ and long compared with
# what a smile changes.
_BREADTH_PITCH, _LENGTH_PITCH, _SEED_PITCH = -0.45, -0.25, 0.8
_SEED_TIMBRE, _FACE_TIMBRE = 0.65, 0.75
_WAVES = 0.9
_CURVE = 0xFACE
_LENGTH_RATE, _WIDTH_F0_RANGE, _WIDTH_BRIGHTNESS = -0.03, 0.08, -0.6
_NUM_MANNERS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class NeuralVoices:
    """The neural voices that fit a face.

    Attributes:
        perceived: How the face is seen.
        space: The space they are drawn from.
    """

    perceived: Perceived
    space: VoiceSpace

    def draw(self, seed: int) -> Voice:
        """Return one of the voices; the same seed gives the same voice.

        Raises:
            InputError: If the seed is not a whole number from 0 on.
        """
        generator = seeded(seed, 0x701CE)
        manner = np.clip(generator.standard_normal(_NUM_MANNERS), -2.5, 2.5)
        noise = np.clip(generator.standard_normal(self.space.num_noises), -2.5, 2.5)
        return replace(self._voice(manner, noise), seed=int(seed))

    def mean(self) -> Voice:
        """Return the voice in the middle."""
        return self._voice(np.zeros(_NUM_MANNERS), np.zeros(self.space.num_noises))

    def _voice(
        self, manner: Float64[np.ndarray, " 4"], noise: Float64[np.ndarray, " noises"]
    ) -> Voice:
        seen = self.perceived
        # people who are fairly sure to be taken for a man get a man's voice, not one between
        sex = seen.female**2 * (3 - 2 * seen.female)
        age = seen.age + _AGE * seen.age_sigma * float(manner[0])
        usual = usual_voice(sex, age)
        speaker = sex + (1 - sex) * _share_of_child(age)
        noise = self._own(noise)
        embedding = self.space.embedding(2 * speaker - 1, _heard_age(age), noise)
        pitch = _PITCH_SHARE * self.space.pitch_sigma * noise[0]
        adult = (1 - speaker) * _ADULT_TRACT["male"] + speaker * _ADULT_TRACT["female"]
        grown = usual.vocal_tract / adult if age < GROWN_UP else 1.0
        rate = usual.rate + _LENGTH_RATE * seen.length + _RATE * manner[1]
        melody = usual.f0_range + _WIDTH_F0_RANGE * seen.width + _F0_RANGE * manner[2]
        tilt = usual.brightness + _WIDTH_BRIGHTNESS * seen.width + _BRIGHTNESS * manner[3]
        return Voice(
            engine=ENGINE,
            base="",
            f0_mean=held(usual.f0_mean * np.exp(pitch), F0_MEAN, 2),
            vocal_tract=held(grown, VOCAL_TRACT, 4),
            rate=held(rate, RATE, 4),
            f0_range=held(melody, F0_RANGE, 4),
            brightness=held(tilt, BRIGHTNESS, 3),
            origin=ORIGIN,
            speaker_embedding=tuple(embedding.tolist()),
        )

    def _own(self, noise: Float64[np.ndarray, " noises"]) -> Float64[np.ndarray, " noises"]:
        """Return the noise of the seed together with what the build of the face adds."""
        seen = self.perceived
        generator = np.random.default_rng(_CURVE)
        waves = _WAVES * generator.standard_normal((len(noise), 3))
        phases = generator.uniform(0.0, 2 * np.pi, len(noise))
        build = np.array([seen.breadth, seen.length, seen.width])
        own = _SEED_TIMBRE * noise + _FACE_TIMBRE * np.sqrt(2) * np.cos(waves @ build + phases)
        slightness = _BREADTH_PITCH * seen.breadth + _LENGTH_PITCH * seen.length
        own[0] = slightness + _SEED_PITCH * noise[0]
        return own


def _share_of_child(age: float) -> float:
    """Return how much a boy's voice is that of a woman, made smaller: all of it below 12."""
    return float(np.clip((15.0 - age) / 3.0, 0.0, 1.0))


def _heard_age(age: float) -> float:
    years, places = zip(*_HEARD_AGE, strict=True)
    return float(np.interp(age, years, places))
