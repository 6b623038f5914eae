"""The portable speech engine: flite's statistical voices with exact sliders.

Melody and tempo are set on flite's vocoder parameters, before any sound exists.
The sound is made by our own vocoder, which also moves the formants.
"""

from dataclasses import replace

import numpy as np

from facevox.core.errors import InputError
from facevox.core.speech import Speech
from facevox.core.text.sentence import Sentence
from facevox.core.voice import Voice
from facevox.models.speech import flite_library, vocoder
from facevox.models.speech.flite_library import VOICES, Parameters, Token
from facevox.models.speech.melody import set_melody
from facevox.models.speech.settings import check_words, finish, settings_of
from facevox.models.speech.timeline import lay_out, spoken_runs

OWN_F0 = {"slt": 173.0, "rms": 101.0, "awb": 128.0}
"""Mean fundamental frequency that each voice predicts for itself, over 20 sentences [Hz]."""


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

    def base_voice(self, name: str) -> Voice:
        """Return one of flite's voices as it is, bent in nothing.

        Raises:
            InputError: If flite has no voice of this name.
        """
        if name not in VOICES:
            raise InputError(
                f"The speech engine flite has the voices {', '.join(VOICES)}; got {name!r}."
            )
        return Voice(engine=self.name, base=name, f0_mean=OWN_F0[name], vocal_tract=1.0)

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
        check_words(sentence)
        settings = settings_of(voice)
        library = flite_library.flite_library()
        segments, predicted = library.predict(voice.base, _tokens(sentence))
        f0 = set_melody(predicted.f0, segments, sentence, settings.f0_mean, settings.f0_range)
        shaped = _at_tempo(replace(predicted, f0=f0), settings.rate)
        sound = finish(vocoder.synthesise(shaped, settings.vocal_tract), self.sample_rate, settings)
        runs = spoken_runs(segments, sentence.words, sentence.pause)
        return lay_out(sound, f0, runs, sentence.words, self.sample_rate, settings.rate)


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
