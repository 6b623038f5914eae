from dataclasses import replace

import numpy as np
import pytest
import torch
from made_engine import made_embedding, made_engine, made_voice

from facevox.core.errors import CheckpointError, InputError, MissingPiece
from facevox.core.speech import SILENCE
from facevox.core.text.reader import read_sentences
from facevox.core.voice import Voice
from facevox.models.speech.engine import SpeechEngine
from facevox.models.speech.matcha.config import small
from facevox.models.speech.matcha.matcha import MatchaTTS
from facevox.models.speech.matcha_engine import FRAME_SHIFT, Manner, MatchaEngine
from facevox.models.speech.timeline import LEAD, PAUSES
from facevox.models.speech.vocoders import harmonic


@pytest.fixture(scope="module")
def engine() -> MatchaEngine:
    return made_engine()


def _sentence(text: str):
    return next(iter(read_sentences(text)))


def test_it_is_a_speech_engine(engine):
    assert isinstance(engine, SpeechEngine)
    assert engine.base_voices() == ("reader",)


def test_phones_tile_the_sound_and_are_the_words_phones(engine):
    sentence = _sentence("Well, this is a test.")
    speech = engine.speak(sentence, made_voice())
    assert speech.phones[0].start == 0
    for one, two in zip(speech.phones, speech.phones[1:], strict=False):
        assert one.end == two.start > one.start
    assert speech.phones[-1].end == pytest.approx(speech.duration)
    spoken = [p for p in speech.phones if p.name != SILENCE]
    assert [p.name for p in spoken] == [
        phone.rstrip("012") for word in sentence.words for phone in word.phones
    ]
    assert [p.word for p in spoken] == sorted(p.word for p in spoken)
    assert len(speech.waveform) % 160 == 0
    assert len(speech.f0) == len(speech.waveform) // 160 + 1


def test_pauses_are_as_long_as_the_text_asks(engine):
    sentence = _sentence("Well, yes.")
    phones = engine.speak(sentence, made_voice()).phones
    pauses = [p.end - p.start for p in phones if p.name == SILENCE]
    assert pauses == pytest.approx([LEAD, PAUSES[","], sentence.pause], abs=FRAME_SHIFT)


def test_a_word_of_one_phone_is_long_enough_to_be_heard(engine):
    sentence = _sentence("Such a day is a day.")
    phones = engine.speak(sentence, made_voice()).phones
    articles = [p for p in phones if p.word >= 0 and len(sentence.words[p.word].phones) == 1]
    assert len(articles) == 2
    assert all(p.end - p.start >= 0.07 - 1e-6 for p in articles)


def test_the_same_arguments_give_the_same_samples(engine):
    sentence = _sentence("Once more.")
    first, second = (engine.speak(sentence, made_voice()) for _ in range(2))
    assert np.array_equal(first.waveform, second.waveform)


def test_another_voice_sounds_different_at_the_same_times(engine):
    sentence = _sentence("Once more.")
    first, second = (engine.speak(sentence, made_voice(seed)) for seed in (0, 1))
    assert first.phones == second.phones  # tempo is the prosody speaker's
    assert not np.array_equal(first.waveform, second.waveform)


def test_pitch_slider_moves_the_melody_exactly(engine):
    sentence = _sentence("Once more.")
    low = engine.speak(sentence, made_voice())
    high = engine.speak(sentence, made_voice().with_controls(pitch=12.0))
    voiced = low.f0 > 0
    assert voiced.any()
    assert low.f0[voiced].mean() == pytest.approx(120, rel=1e-3)
    assert high.f0[voiced].mean() == pytest.approx(240, rel=1e-3)


def test_pitch_range_slider_flattens(engine):
    speech = engine.speak(_sentence("Once more."), made_voice().with_controls(pitch_range=0.0))
    voiced = speech.f0[speech.f0 > 0]
    assert voiced.std() < 0.01 * voiced.mean()


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_rate_slider_stretches_everything(engine, rate):
    sentence = _sentence("Well, this is quite a long sentence.")
    usual = engine.speak(sentence, made_voice())
    other = engine.speak(sentence, made_voice().with_controls(rate=rate))
    # each phone keeps at least one frame, and an untrained model gives it little more
    assert other.duration == pytest.approx(usual.duration / rate, rel=0.25)


def test_energy_slider_sets_the_level(engine):
    sentence = _sentence("Once more.")
    usual = engine.speak(sentence, made_voice()).waveform
    quiet = engine.speak(sentence, made_voice().with_controls(energy=-12.0)).waveform
    ratio = np.sqrt((quiet**2).mean() / (usual**2).mean())
    assert ratio == pytest.approx(10 ** (-12 / 20), rel=0.05)


def test_pauses_are_silent(engine):
    speech = engine.speak(_sentence("Well, yes."), made_voice())
    last = speech.phones[-1]
    tail = speech.waveform[round((last.start + 0.07) * speech.sample_rate) :]
    assert not tail.any()


def test_a_question_rises(engine):
    flat = made_voice().with_controls(pitch_range=0.0)

    def rise(text: str) -> float:
        f0 = engine.speak(_sentence(text), flat).f0
        voiced = f0[f0 > 0]
        return float(voiced[-1] / voiced[0])

    assert rise("Is it you.") == pytest.approx(1.0, abs=1e-3)
    assert rise("Is it you?") > 1.05


def test_a_voice_of_the_weights_is_spoken_by_name(engine):
    named = Voice(engine="matcha", base="reader", f0_mean=120.0, vocal_tract=1.0)
    sentence = _sentence("Once more.")
    ours = engine.speak(sentence, named).waveform
    assert np.array_equal(ours, engine.speak(sentence, replace(made_voice(3))).waveform)


@pytest.mark.parametrize(
    ("voice", "message"),
    [
        (Voice(), "voices of 'matcha'"),
        (Voice(engine="matcha", base=""), "no speaker embedding"),
        (Voice(engine="matcha", base="nobody"), "'nobody' is unknown; there are: reader"),
    ],
)
def test_a_voice_it_cannot_speak_is_refused(engine, voice, message):
    with pytest.raises(InputError, match=message):
        engine.speak(_sentence("Hello."), voice)


def test_absent_weights_are_said(tmp_path):
    with pytest.raises(MissingPiece, match="no weights here"):
        MatchaEngine.load(tmp_path)
    for name in ("matcha", "vocoder"):
        (tmp_path / f"{name}.safetensors").write_bytes(b"not weights")
    with pytest.raises(CheckpointError):
        MatchaEngine.load(tmp_path)


def test_the_preset_that_ships_speaks():
    torch.manual_seed(1)
    vocoder = harmonic.HarmonicVocoder(harmonic.tiny()).eval()
    manner = Manner(prosody_embedding=made_embedding(9), prosody_log2_f0=6.9, steps=1)
    speech = MatchaEngine(MatchaTTS(small()), vocoder, manner).speak(_sentence("Hi."), made_voice())
    assert np.isfinite(speech.waveform).all()
