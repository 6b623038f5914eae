"""The weights in the package: what is true of the voice that users hear."""

import numpy as np
import pytest

from facevox.core.checkpoint import SPEECH_WEIGHTS, load_card
from facevox.core.text.reader import read_sentences
from facevox.evaluation.metrics.word_errors import count_word_errors
from facevox.models.speech.matcha_engine import MatchaEngine

TEXTS = (
    "The meeting has been moved to Thursday afternoon.",
    "The children were playing with a red ball in the garden.",
    "What time does the museum open on Sunday?",
)


@pytest.fixture(scope="module")
def engine() -> MatchaEngine:
    return MatchaEngine.load()


def say(engine, text, voice="bass"):
    (sentence,) = read_sentences(text)
    return engine.speak(sentence, engine.base_voice(voice))


def test_the_card_says_where_they_come_from():
    card = load_card(SPEECH_WEIGHTS / "matcha.safetensors")
    assert card["licence"] == "Apache-2.0"
    assert {"data", "command", "hours", "hardware", "results"} <= card.keys()
    assert (SPEECH_WEIGHTS / "matcha.safetensors").stat().st_size < 30e6


def test_it_is_understood(engine):
    from facevox.evaluation.judges.store import Judges

    judge = Judges().load("pocketsphinx")
    errors, length = 0, 0
    for text in TEXTS:
        heard = judge.transcribe(say(engine, text).waveform)
        counted = count_word_errors(judge.normalise(text), judge.normalise(heard))
        errors, length = errors + counted.errors, length + counted.length
    assert errors <= length / 4


def test_the_same_sentence_is_the_same_sound(engine):
    one, two = say(engine, TEXTS[0]), say(MatchaEngine.load(), TEXTS[0])
    assert np.array_equal(one.waveform, two.waveform)


def test_voices_keep_their_pitch_and_differ(engine):
    assert engine.base_voices() == ("bass", "tenor", "alto")
    pitches = []
    for name in engine.base_voices():
        speech = say(engine, TEXTS[0], name)
        voiced = speech.f0[speech.f0 > 0]
        pitches.append(float(np.exp(np.log(voiced).mean())))
        assert pitches[-1] == pytest.approx(engine.base_voice(name).f0_mean, rel=0.02)
    assert pitches[0] < pitches[1] < 150 < pitches[2]


def test_vowels_are_never_whispered(engine):
    speech = say(engine, "He saw nobody.")
    for phone in speech.phones:
        if phone.stress:
            inside = speech.f0[round(100 * phone.start) : round(100 * phone.end)]
            assert (inside > 0).mean() > 0.5, phone
