"""The main job with the neural voice, untrained: contract, voices, mixed engines."""

import numpy as np
import pytest
from made_engine import made_engine
from made_voice import vowels

from facevox.core.errors import InputError, MissingPiece
from facevox.core.portrait.reader import read_portrait
from facevox.core.voice import Voice
from facevox.core.waveform import write_waveform
from facevox.systems.lite import Lite
from facevox.systems.registry import load

SIZE = 96
TEXT = "Hello there. My boat is big."


@pytest.fixture(scope="module")
def portrait(astronaut):
    return read_portrait(astronaut)


@pytest.fixture(scope="module")
def neural(lite):
    return Lite(made_engine(), lite.bridge, lite.motion)


def test_the_voice_is_drawn_for_the_engine_and_the_clock_follows_it(neural, portrait):
    face = neural.generate(portrait, TEXT, seed=1, size=SIZE)
    assert face.voice.engine == "matcha"
    assert face.clock.sample_rate == 16_000
    frames = sum(1 for _ in face.frames())
    assert frames == face.clock.num_frames(len(face.waveform()))


def test_without_flite_the_neural_voice_speaks_and_says_so(portrait, monkeypatch):
    def load_engine(name):
        if name == "flite":
            raise MissingPiece("flite is not installed; install it with apt.")
        return made_engine()

    monkeypatch.setattr("facevox.systems.speaking_portrait.load_engine", load_engine)
    face = Lite.load().generate(portrait, "Hello.", size=SIZE)
    assert face.voice.engine == "matcha"
    assert "install it with apt" in face.warnings[0]
    with pytest.raises(MissingPiece):
        Lite.load("flite")


def test_the_same_seed_gives_the_same_sound(neural, portrait):
    first, second = (neural.generate(portrait, TEXT, seed=2, size=SIZE) for _ in range(2))
    assert np.array_equal(first.waveform(), second.waveform())


def test_different_seeds_and_faces_have_different_voices(neural, portrait):
    voices = neural.voices(portrait, 3)
    embeddings = {voice.speaker_embedding for voice in voices}
    assert len(embeddings) == 3


def test_a_voice_of_another_engine_brings_its_own(neural, portrait):
    face = neural.generate(portrait, "Hello.", voice=Voice(base="slt"), size=SIZE)
    assert face.clock.sample_rate == 24_000
    assert len(face.waveform()) > 0


def test_a_recording_gives_a_voice(neural, tmp_path):
    generator = np.random.default_rng(0)
    parts = []
    for _ in range(14):
        parts += [vowels(130 * generator.uniform(0.85, 1.2), 0.25), np.zeros(1500)]
        parts.append(0.02 * generator.standard_normal(1600))
    sound = np.concatenate(parts).astype(np.float32)
    clip = write_waveform(tmp_path / "clip.wav", sound, 16_000)
    voice = neural.voice_from(clip)
    assert voice.engine == "matcha"
    assert "clip.wav" in voice.origin
    assert 100 < voice.f0_mean < 170
    assert np.linalg.norm(voice.embedding()) == pytest.approx(1.0, abs=1e-3)


def test_silence_is_no_voice(neural, tmp_path):
    clip = write_waveform(tmp_path / "clip.wav", np.zeros(64_000, np.float32), 16_000)
    with pytest.raises(InputError):
        neural.voice_from(clip)


def test_unknown_engines_and_options_are_refused():
    with pytest.raises(InputError, match="no speech engine 'nobody'"):
        load("lite", speech="nobody")
    with pytest.raises(InputError, match="no option 'voice'; it has: speech"):
        load("lite", voice="x")
