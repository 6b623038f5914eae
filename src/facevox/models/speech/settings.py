"""What all engines do alike: sliders multiplied out, words checked, sound made level."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import InputError
from facevox.core.speech import PHONES
from facevox.core.text.sentence import Sentence
from facevox.core.voice import Voice
from facevox.core.waveform import normalise_level, soft_limit, tilt_spectrum

_TRACT_RANGE, _RATE_RANGE = (0.7, 1.43), (0.33, 3.0)
_F0_RANGE, _SPREAD_RANGE = (40.0, 500.0), (0.0, 4.0)
_TILT_RANGE = (-18.0, 18.0)
_LIMITER_KNEE = 0.8
_KNOWN_PHONES = frozenset(PHONES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """A voice multiplied out with its sliders, within what engines can do.

    Attributes:
        f0_mean: Mean fundamental frequency [Hz].
        f0_range: Spread of the melody relative to the engine's own.
        vocal_tract: Length of the vocal tract relative to the engine's voice.
        rate: Tempo relative to the engine's own.
        brightness: Spectral tilt [dB at 4 kHz].
        energy: Loudness relative to the usual level [dB].
    """

    f0_mean: float
    f0_range: float
    vocal_tract: float
    rate: float
    brightness: float
    energy: float


def settings_of(voice: Voice) -> Settings:
    """Return what a voice and its sliders ask for together."""
    sliders = voice.controls
    return Settings(
        f0_mean=float(np.clip(voice.f0_mean * 2 ** (sliders.pitch / 12), *_F0_RANGE)),
        f0_range=float(np.clip(voice.f0_range * sliders.pitch_range, *_SPREAD_RANGE)),
        vocal_tract=float(np.clip(voice.vocal_tract * sliders.vocal_tract, *_TRACT_RANGE)),
        rate=float(np.clip(voice.rate * sliders.rate, *_RATE_RANGE)),
        brightness=float(np.clip(voice.brightness + sliders.brightness, *_TILT_RANGE)),
        energy=float(sliders.energy),
    )


def finish(
    sound: Float32[np.ndarray, " samples"], sample_rate: int, settings: Settings
) -> Float32[np.ndarray, " samples"]:
    """Give a sentence its tilt and level; peaks are bent, not clipped."""
    sound = tilt_spectrum(sound, sample_rate, settings.brightness)
    sound = normalise_level(sound, sample_rate)
    gain = np.float32(10 ** (settings.energy / 20))
    return soft_limit(sound * gain, knee=_LIMITER_KNEE)


def check_words(sentence: Sentence) -> None:
    """Refuse what no engine can say (flite would end the process).

    Raises:
        InputError: If there are no words, a word has no phones, or a phone is unknown.
    """
    if not sentence.words or not all(word.phones for word in sentence.words):
        raise InputError("There is nothing to say in this sentence.")
    for word in sentence.words:
        for phone in word.phones:
            if phone.rstrip("012") not in _KNOWN_PHONES:
                raise InputError(f"Unknown phone {phone!r} in the word {word.text!r}.")
