import numpy as np

from facevox.core.speech import Phone, Speech
from facevox.models.face.prosody import read_prosody

RATE = 16_000


def speech_with(f0, loud=(1.0, 1.0)):
    phones = (
        Phone(name="pau", start=0.0, end=0.1),
        Phone(name="aa", start=0.1, end=0.5, stress=1, word=0),
        Phone(name="iy", start=0.5, end=0.9, stress=1, word=1),
        Phone(name="pau", start=0.9, end=1.3),
    )
    sound = np.random.default_rng(0).normal(size=round(1.3 * RATE)).astype(np.float32) * 0.1
    sound[: RATE // 2] *= loud[0]
    sound[RATE // 2 :] *= loud[1]
    return Speech(waveform=sound, sample_rate=RATE, phones=phones, f0=f0.astype(np.float32))


FLAT = np.full(131, 150.0)


def test_the_higher_vowel_stands_out():
    f0 = FLAT.copy()
    f0[50:90] = 220
    accents = read_prosody(speech_with(f0)).accents
    assert accents[1].strength > accents[0].strength + 0.3
    assert [accent.word for accent in accents] == [0, 1]
    np.testing.assert_allclose([accent.time for accent in accents], [0.3, 0.7])


def test_the_louder_vowel_stands_out():
    accents = read_prosody(speech_with(FLAT, loud=(1.0, 0.2))).accents
    assert accents[0].strength > accents[1].strength


def test_a_final_rise_is_a_question():
    rise, fall = FLAT.copy(), FLAT.copy()
    rise[60:91] = np.linspace(150, 200, 31)
    fall[60:91] = np.linspace(150, 100, 31)
    assert read_prosody(speech_with(rise)).rising
    assert not read_prosody(speech_with(fall)).rising
    assert not read_prosody(speech_with(np.zeros(131))).rising


def test_pauses_and_silence():
    prosody = read_prosody(speech_with(FLAT))
    assert [(pause.start, pause.end) for pause in prosody.pauses] == [(0.0, 0.1), (0.9, 1.3)]
    assert prosody.speech_end == 0.9
    silent = Speech(
        waveform=np.zeros(RATE, np.float32),
        sample_rate=RATE,
        phones=(Phone(name="pau", start=0.0, end=1.0),),
        f0=np.zeros(101, np.float32),
    )
    assert read_prosody(silent).accents == ()
    assert read_prosody(silent).speech_end == 0.0
