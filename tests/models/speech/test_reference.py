import numpy as np
import pytest
from made_voice import vowels

from facevox.core.errors import InputError, MediaError
from facevox.core.voice import Voice
from facevox.core.waveform import normalise_level, write_waveform
from facevox.models.speech import reference
from facevox.models.speech.reference import (
    check_reference,
    clipped_share,
    read_reference,
    voice_of,
)
from facevox.models.speech.speaker_encoder import SpeakerEncoder

RATE = 16_000
TIME = np.arange(4 * RATE) / RATE


def talk(f0=130.0, seconds=4):
    """Vowels with a pause."""
    sound = normalise_level(vowels(f0, seconds), RATE, level=-20.0)
    sound[RATE : RATE + RATE // 2] = 0
    return sound


def chords(decay):
    generator = np.random.default_rng(1)
    sound = np.zeros(4 * RATE)
    for beat in range(8):
        place = slice(beat * RATE // 2, (beat + 1) * RATE // 2)
        fade = np.exp(-decay * TIME[: RATE // 2])
        for note in generator.choice([0, 4, 7, 12, 16], 3, replace=False):
            for harmonic in (1, 2, 3):
                pitch = 220 * harmonic * 2 ** (note / 12)
                sound[place] += np.sin(2 * np.pi * pitch * TIME[: RATE // 2]) * fade / harmonic
    return (0.4 * sound / np.abs(sound).max()).astype(np.float32)


def noise(scale=0.1):
    return (scale * np.random.default_rng(0).standard_normal(4 * RATE)).astype(np.float32)


def test_speech_passes_at_every_level():
    for level in (1.0, 0.3, 0.1):
        found = check_reference(level * talk())
        assert found.warnings == ()
        assert found.f0_mean == pytest.approx(130, rel=0.05)
    assert len(found.waveform) == 4 * RATE


@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (np.zeros(4 * RATE, np.float32), "is silent"),
        (np.zeros(0, np.float32), "is silent"),
        (1e-5 * noise(), "is silent"),
        (noise(), "sounds like noise"),
        (0.003 * np.cumsum(noise()).astype(np.float32), "sounds like noise"),
        (chords(0.1), "sounds like music"),
        (chords(3.0), "sounds like music"),
        (chords(8.0), "sounds like music"),
        (0.3 * np.sin(2 * np.pi * 220 * TIME).astype(np.float32), "sounds like music"),
        (talk()[:RATE], "at least 2 s of speech are needed"),
        (np.concatenate([talk()[:RATE], np.zeros(9 * RATE, np.float32)]), "holds 1.1 s of sound"),
        (np.clip(40 * talk(), -1, 1), "is distorted"),
    ],
)
def test_what_is_no_speech_is_refused(sound, message):
    with pytest.raises(InputError, match=message):
        check_reference(sound.astype(np.float32))


@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (np.clip(1.35 * talk() / np.abs(talk()).max(), -1, 1), "cut off at its loudest"),
        (0.02 * talk(), "very quiet"),
        (talk() + noise(0.03), "is noisy"),
    ],
)
def test_what_may_spoil_the_voice_is_told(sound, message):
    found = check_reference(sound.astype(np.float32), "clip.wav")
    assert len(found.warnings) == 1
    assert message in found.warnings[0]
    assert found.warnings[0].startswith("clip.wav")


def test_a_clean_tone_is_not_clipped():
    tone = np.sin(2 * np.pi * 220 * TIME).astype(np.float32)
    assert clipped_share(tone) < 0.03
    assert clipped_share(np.clip(1.2 * tone, -1, 1)) > 0.2
    assert clipped_share(tone[:0]) == 0.0


def test_a_file_becomes_a_voice(tmp_path):
    path = write_waveform(tmp_path / "clip.wav", talk(), RATE)
    voice = voice_of(read_reference(path), SpeakerEncoder.load(), path.name)
    assert voice.engine == "matcha"
    assert voice.origin == "clip.wav"
    assert voice.f0_mean == pytest.approx(130, rel=0.05)
    assert Voice.from_dict(voice.to_dict()) == voice


def test_a_file_that_is_no_sound(tmp_path):
    (tmp_path / "clip.wav").write_bytes(b"no sound")
    with pytest.raises(MediaError, match="not a sound file"):
        read_reference(tmp_path / "clip.wav")


def test_long_recordings_are_cut(monkeypatch):
    monkeypatch.setattr(reference, "LONGEST", 5.0)
    assert len(check_reference(np.tile(talk(), 2)).waveform) == 5 * RATE
