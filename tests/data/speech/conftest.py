from dataclasses import replace

import pytest

from facevox.core.errors import MissingPiece
from facevox.core.waveform import resample


@pytest.fixture(scope="session")
def spoken():
    """A sentence spoken by flite: waveform at 16 kHz, words, and the phones it says it made."""
    pytest.importorskip("pocketsphinx")
    from facevox.core.text.reader import read_sentences
    from facevox.models.speech.flite import FliteEngine

    try:
        engine = FliteEngine.load()
    except MissingPiece as error:
        pytest.skip(str(error))
    text = "When the sunlight strikes raindrops in the air, they act like a prism."
    (sentence,) = read_sentences(text)
    speech = engine.speak(sentence, engine.base_voice("rms"))
    waveform = resample(speech.waveform, speech.sample_rate, 16_000)
    return text, sentence, replace(speech, waveform=waveform, sample_rate=16_000)
