import ctypes
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facevox.core.errors import InputError, MissingPiece
from facevox.core.speech import PHONES, SILENCE
from facevox.core.text.phones import VOWELS
from facevox.core.text.reader import read_sentences
from facevox.core.text.sentence import Sentence, Word
from facevox.core.voice import Voice
from facevox.core.waveform import SPEECH_LEVEL, active_level
from facevox.models.speech import flite_library
from facevox.models.speech.flite import FliteEngine
from facevox.models.speech.pitch import measure_f0
from facevox.models.speech.timeline import LEAD, PAUSES

TEXT = "The birch canoe slid on the smooth planks, and we were away all year long."
OWN_PITCH = {"slt": 180.0, "rms": 100.0, "awb": 125.0}


@pytest.fixture(scope="module")
def engine():
    try:
        flite_library.flite_library()
    except MissingPiece as error:
        pytest.skip(str(error))
    return FliteEngine()


@pytest.fixture(scope="module")
def sentence():
    return next(read_sentences(TEXT))


def voice(base="slt", **changes):
    return replace(Voice(base=base, f0_mean=OWN_PITCH[base]), **changes)


def measured_mean(speech):
    f0 = measure_f0(speech.waveform, speech.sample_rate)
    both = f0[: len(speech.f0)][(f0[: len(speech.f0)] > 0) & (speech.f0 > 0)]
    return both.mean()


def mean_spectrum(speech):
    power = np.zeros(1025)
    for start in range(0, len(speech.waveform) - 2048, 512):
        power += np.abs(np.fft.rfft(speech.waveform[start : start + 2048] * np.hanning(2048))) ** 2
    return np.log(power + 1e-9)


@pytest.mark.parametrize("base", ["slt", "rms", "awb"])
def test_phones_are_those_of_the_words_and_tile_the_sound(engine, sentence, base):
    speech = engine.speak(sentence, voice(base))
    assert speech.phones[0].start == 0
    assert speech.phones[-1].end == speech.duration
    for before, after in zip(speech.phones, speech.phones[1:], strict=False):
        assert before.end == after.start
        assert before.end > before.start
    said = [phone for phone in speech.phones if phone.name != SILENCE]
    asked = [phone for word in sentence.words for phone in word.phones]
    assert [phone.name for phone in said] == [phone.rstrip("012") for phone in asked]
    assert [phone.stress for phone in said] == [
        int(phone[-1]) if phone[-1].isdigit() else 0 for phone in asked
    ]
    assert [p.word for p in said] == [
        index for index, word in enumerate(sentence.words) for _ in word.phones
    ]
    assert speech.words == tuple(word.text for word in sentence.words)


@pytest.mark.parametrize("base", ["slt", "rms", "awb"])
def test_every_phone_can_be_said(engine, base):
    words = tuple(
        Word(text="a", phones=("ax0", phone + "1" if phone in VOWELS else phone, "ax0"))
        for phone in PHONES
    )
    speech = engine.speak(Sentence(text="", words=words), voice(base))
    said = [phone.name for phone in speech.phones if phone.name != SILENCE]
    assert said == [name for phone in PHONES for name in ("ax", phone, "ax")]


@pytest.mark.parametrize(
    ("base", "f0_mean", "tract"),
    [("slt", 160.0, 1.0), ("slt", 230.0, 1.1), ("rms", 85.0, 1.0), ("rms", 195.0, 0.86),
     ("awb", 150.0, 0.9), ("awb", 100.0, 1.1)],
)  # fmt: skip
def test_pitch_is_as_asked(engine, sentence, base, f0_mean, tract):
    speech = engine.speak(sentence, voice(base, f0_mean=f0_mean, vocal_tract=tract))
    assert speech.f0[speech.f0 > 0].mean() == pytest.approx(f0_mean, rel=0.02)
    assert measured_mean(speech) == pytest.approx(f0_mean, rel=0.03)


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.25, 2.0])
@pytest.mark.parametrize("tract", [0.8, 1.0, 1.2])
def test_tempo_is_as_asked_whatever_the_tract(engine, sentence, rate, tract):
    plain = engine.speak(sentence, voice())
    speech = engine.speak(sentence, voice(rate=rate, vocal_tract=tract))
    assert speech.duration == pytest.approx(plain.duration / rate, rel=0.002)
    loud = np.flatnonzero(np.abs(speech.waveform) > 0.02) / speech.sample_rate
    loud_plain = np.flatnonzero(np.abs(plain.waveform) > 0.02) / plain.sample_rate
    assert np.ptp(loud) == pytest.approx(np.ptp(loud_plain) / rate, rel=0.02)


@pytest.mark.parametrize("tract", [0.85, 1.15])
def test_formants_move_with_the_tract(engine, sentence, tract):
    bins = np.arange(1025)
    inside = slice(40, 400)

    def envelope(ratio):
        # A monotone pitch that is the same in both leaves the envelope to differ.
        smooth = np.convolve(
            mean_spectrum(engine.speak(sentence, voice("rms", f0_mean=110.0, vocal_tract=ratio))),
            np.hanning(31) / np.hanning(31).sum(),
            "same",
        )
        return smooth - smooth[inside].mean()

    plain, moved = envelope(1.0), envelope(tract)
    ratios = np.arange(0.7, 1.4, 0.01)
    errors = [
        np.mean((np.interp(bins[inside] * ratio, bins, plain) - moved[inside]) ** 2)
        for ratio in ratios
    ]
    assert ratios[int(np.argmin(errors))] == pytest.approx(tract, abs=0.03)


def test_pauses_are_as_asked_and_silent(engine):
    words = tuple(
        Word(text=text, phones=("n", "ow1"), pause_after=pause)
        for text, pause in (("no", ","), ("no", ";"), ("no", ""), ("no", ""))
    )
    speech = engine.speak(Sentence(text="", words=words, pause=0.5), voice())
    pauses = [phone for phone in speech.phones if phone.name == SILENCE]
    lengths = [phone.end - phone.start for phone in pauses]
    assert lengths == pytest.approx([LEAD, PAUSES[","], PAUSES[";"], 0.5], abs=1e-4)
    assert [phone.word for phone in speech.phones if phone.name == "ow"] == [0, 1, 2, 3]
    for phone in pauses[1:]:
        middle = round((phone.start * 0.4 + phone.end * 0.6) * speech.sample_rate)
        assert speech.waveform[middle] == 0


def test_no_clicks_no_clipping_and_zero_edges(engine, sentence):
    speech = engine.speak(sentence, voice("rms").with_controls(energy=12.0, brightness=12.0))
    assert np.abs(speech.waveform).max() <= 1.0
    assert np.abs(speech.waveform[[0, -1]]).max() < 1e-3


@pytest.mark.parametrize("base", ["slt", "rms", "awb"])
def test_all_voices_are_equally_loud(engine, sentence, base):
    for changes in ({}, {"vocal_tract": 0.85}, {"brightness": 9.0}):
        speech = engine.speak(sentence, voice(base, **changes))
        assert active_level(speech.waveform, speech.sample_rate) == pytest.approx(
            SPEECH_LEVEL, abs=0.5
        )


def test_energy_and_brightness_sliders(engine, sentence):
    plain = engine.speak(sentence, voice())
    quiet = engine.speak(sentence, voice().with_controls(energy=-12.0))
    level = active_level(quiet.waveform, engine.sample_rate)
    assert level == pytest.approx(SPEECH_LEVEL - 12, abs=0.5)
    bright = engine.speak(sentence, voice().with_controls(brightness=6.0))
    difference = mean_spectrum(bright) - mean_spectrum(plain)
    low, high = round(300 * 2048 / 24_000), round(4000 * 2048 / 24_000)
    gained = (difference[high] - difference[low]) * 10 / np.log(10)
    assert gained == pytest.approx(6, abs=0.6)


def test_pitch_sliders_work_on_top_of_the_voice(engine, sentence):
    speech = engine.speak(sentence, voice("rms").with_controls(pitch=12.0, pitch_range=0.0))
    assert measured_mean(speech) == pytest.approx(200.0, rel=0.03)
    voiced = speech.f0[speech.f0 > 0]
    assert np.ptp(voiced) < 1


def test_questions_rise(engine):
    question = next(read_sentences("Are you going home?"))
    statement = replace(question, mark=".")
    risen, plain = (engine.speak(s, voice()).f0 for s in (question, statement))
    assert risen[risen > 0][-1] > 1.2 * plain[plain > 0][-1]


def test_same_arguments_give_the_same_bytes(engine, sentence):
    first = engine.speak(sentence, voice()).waveform.tobytes()
    engine.speak(sentence, voice("rms"))
    assert engine.speak(sentence, voice()).waveform.tobytes() == first


def test_other_processes_give_the_same_bytes(engine, sentence):
    code = (
        "import hashlib\n"
        "from facevox.core.text.reader import read_sentences\n"
        "from facevox.core.voice import Voice\n"
        "from facevox.models.speech.flite import FliteEngine\n"
        f"speech = FliteEngine().speak(next(read_sentences({TEXT!r})), Voice(f0_mean=180.0))\n"
        "print(hashlib.sha256(speech.waveform.tobytes()).hexdigest())\n"
    )
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_threads_take_turns(engine, sentence):
    expected = engine.speak(sentence, voice()).waveform.tobytes()
    results = []
    threads = [
        threading.Thread(
            target=lambda: results.append(engine.speak(sentence, voice()).waveform.tobytes())
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8


def test_memory_does_not_grow(engine, sentence):
    resident = Path("/proc/self/statm")
    if not resident.exists():
        pytest.skip("memory is read from /proc")

    def pages():
        return int(resident.read_text().split()[1])

    short = next(read_sentences("Good morning, everybody."))
    for _ in range(15):
        engine.speak(short, voice())
    before = pages()
    for _ in range(40):
        engine.speak(short, voice())
    assert (pages() - before) * 4096 < 2e6


@pytest.mark.parametrize("text", ["No.", "I", "a" * 300, "Hm"])
def test_very_short_and_very_long_words(engine, text):
    for part in read_sentences(text):
        speech = engine.speak(part, voice())
        assert 0.1 < speech.duration < 60
        assert np.abs(speech.waveform).max() > 0.02


def test_refusals(engine, sentence):
    with pytest.raises(InputError, match="slt, rms, awb"):
        engine.speak(sentence, Voice(base="nobody"))
    with pytest.raises(InputError, match="slt, rms, awb"):
        engine.speak(sentence, Voice(engine="other"))
    with pytest.raises(InputError, match="nothing to say"):
        engine.speak(Sentence(text="", words=()), Voice())
    with pytest.raises(InputError, match="Unknown phone"):
        engine.speak(Sentence(text="", words=(Word(text="x", phones=("xx",)),)), Voice())


def test_a_missing_library_is_a_sentence(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with pytest.raises(MissingPiece, match="install it with"):
        flite_library.FliteLibrary()
