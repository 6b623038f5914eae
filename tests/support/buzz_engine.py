"""A speech engine that buzzes: for everything around engines."""

import numpy as np
from made_voice import vowels

from facevox.core.errors import InputError
from facevox.core.speech import SILENCE, Phone, Speech
from facevox.core.voice import Voice


class BuzzEngine:
    """Two vowels a word at the voice's pitch; notes what it was asked to say."""

    name, sample_rate = "buzz", 16_000

    def __init__(self, refuse=""):
        self.said, self.refuse = [], refuse

    def base_voices(self):
        return ("low", "high")

    def base_voice(self, name):
        return Voice(engine=self.name, base=name, f0_mean={"low": 100.0, "high": 200.0}[name])

    def speak(self, sentence, voice):
        self.said.append(sentence.text)
        if self.refuse and self.refuse in sentence.text:
            raise InputError("this sentence is refused")
        seconds = 0.3 * len(sentence.words)
        phones = [
            Phone(name="ah", start=0.3 * k, end=0.3 * (k + 1), stress=1, word=k)
            for k in range(len(sentence.words))
        ]
        sound = np.concatenate([vowels(voice.f0_mean, seconds), np.zeros(1600, np.float32)])
        pause = Phone(name=SILENCE, start=seconds, end=seconds + 0.1, word=-1)
        return Speech(
            waveform=sound.astype(np.float32),
            sample_rate=self.sample_rate,
            phones=(*phones, pause),
            f0=np.full(int(seconds * 100) + 10, voice.f0_mean, np.float32),
            words=tuple(word.text for word in sentence.words),
        )
