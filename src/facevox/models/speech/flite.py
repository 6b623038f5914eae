"""The portable speech engine: flite's statistical voices with exact sliders.

Melody and tempo are set on flite's vocoder parameters, before any sound exists.
The sound is made by our own vocoder, which also moves the formants.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import InputError
from facevox.core.speech import PHONES, Speech
from facevox.core.text.sentence import Sentence
from facevox.core.voice import Voice
from facevox.core.waveform import normalise_level, soft_limit, tilt_spectrum
from facevox.models.speech import flite_library, vocoder
from facevox.models.speech.flite_library import VOICES, Parameters, Token
from facevox.models.speech.melody import set_melody
from facevox.models.speech.timeline import lay_out, spoken_runs

_TRACT_RANGE, _RATE_RANGE = (0.7, 1.43), (0.33, 3.0)
_F0_RANGE, _SPREAD_RANGE = (40.0, 500.0), (0.0, 4.0)
_TILT_RANGE = (-18.0, 18.0)
_LIMITER_KNEE = 0.8
_KNOWN_PHONES = frozenset(PHONES)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Settings:
    """A voice multiplied out with its sliders, within what the engine can do."""

    f0_mean: float
    f0_range: float
    vocal_tract: float
    rate: float
    brightness: float
    energy: float


class FliteEngine:
    """Speaks English with flite (Debian package libflite1).

    Attributes:
        name: "flite".
        sample_rate: 24 kHz: shorter vocal tracts reach above flite's own 8 kHz.
    """

    name = "flite"
    sample_rate = vocoder.SAMPLE_RATE

    @classmethod
    def load(cls) -> "FliteEngine":
        """Return the engine with its library loaded.

        Raises:
            MissingPiece: If flite is not installed.
        """
        flite_library.flite_library()
        return cls()

    def base_voices(self) -> tuple[str, ...]:
        """Return slt (a woman), rms (a man) and awb (a Scottish man)."""
        return VOICES

    def speak(self, sentence: Sentence, voice: Voice) -> Speech:
        """Speak one sentence; the same arguments give the same samples.

        The pause after the sentence belongs to the sound; all pauses follow the rate.

        Raises:
            InputError: If the voice is not one of flite's, or nothing is to be said.
            MissingPiece: If flite is not installed.
        """
        if voice.engine != self.name or voice.base not in VOICES:
            raise InputError(
                f"The speech engine flite has the voices {', '.join(VOICES)}; "
                f"got {voice.base!r} of {voice.engine!r}."
            )
        _check_words(sentence)
        settings = _settings(voice)
        library = flite_library.flite_library()
        segments, predicted = library.predict(voice.base, _tokens(sentence))
        f0 = set_melody(predicted.f0, segments, sentence, settings.f0_mean, settings.f0_range)
        shaped = _at_tempo(replace(predicted, f0=f0), settings.rate)
        sound = self._finish(vocoder.synthesise(shaped, settings.vocal_tract), settings)
        runs = spoken_runs(segments, sentence.words, sentence.pause)
        return lay_out(sound, f0, runs, sentence.words, self.sample_rate, settings.rate)

    def _finish(
        self, sound: Float32[np.ndarray, " _"], settings: _Settings
    ) -> Float32[np.ndarray, " _"]:
        sound = tilt_spectrum(sound, self.sample_rate, settings.brightness)
        sound = normalise_level(sound, self.sample_rate)
        gain = np.float32(10 ** (settings.energy / 20))
        return soft_limit(sound * gain, knee=_LIMITER_KNEE)


def _check_words(sentence: Sentence) -> None:
    """Refuse what would make the C library end the process."""
    if not sentence.words or not all(word.phones for word in sentence.words):
        raise InputError("There is nothing to say in this sentence.")
    for word in sentence.words:
        for phone in word.phones:
            if phone.rstrip("012") not in _KNOWN_PHONES:
                raise InputError(f"Unknown phone {phone!r} in the word {word.text!r}.")


def _settings(voice: Voice) -> _Settings:
    sliders = voice.controls
    return _Settings(
        f0_mean=float(np.clip(voice.f0_mean * 2 ** (sliders.pitch / 12), *_F0_RANGE)),
        f0_range=float(np.clip(voice.f0_range * sliders.pitch_range, *_SPREAD_RANGE)),
        vocal_tract=float(np.clip(voice.vocal_tract * sliders.vocal_tract, *_TRACT_RANGE)),
        rate=float(np.clip(voice.rate * sliders.rate, *_RATE_RANGE)),
        brightness=float(np.clip(voice.brightness + sliders.brightness, *_TILT_RANGE)),
        energy=float(sliders.energy),
    )


def _tokens(sentence: Sentence) -> list[Token]:
    last = len(sentence.words) - 1
    return [
        Token(
            text=word.text,
            # flite knows two degrees of stress; its own lexicon folds 2 into 1.
            phones=tuple(phone.replace("2", "1") for phone in word.phones),
            punctuation=sentence.mark if index == last else "," if word.pause_after else "",
        )
        for index, word in enumerate(sentence.words)
    ]


def _at_tempo(parameters: Parameters, rate: float) -> Parameters:
    """Read the frames faster or slower."""
    last = len(parameters.f0) - 1
    positions = np.arange(int(np.ceil(last / rate)) + 1) * rate
    before = np.minimum(positions.astype(int), last)
    after = np.minimum(before + 1, last)
    part = (positions - before).clip(0, 1).astype(np.float32)[:, None]

    def between(rows: np.ndarray) -> np.ndarray:
        return rows[before] * (1 - part) + rows[after] * part

    f0 = parameters.f0[:, None]
    hold = f0[np.where(part[:, 0] < 0.5, before, after)]
    both_voiced = (f0[before] > 0) & (f0[after] > 0)
    return Parameters(
        f0=np.where(both_voiced, between(f0), hold)[:, 0],
        mel_cepstrum=between(parameters.mel_cepstrum),
        voicing=between(parameters.voicing),
    )
