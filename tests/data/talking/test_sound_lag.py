import numpy as np
import pytest
from made_lips import landmarks_of, lips_of, phones_of

from facevox.core.speech import SILENCE
from facevox.data.speech.tokens import Tokens
from facevox.data.talking.sound_lag import measure_lag, open_loudness, phones_of_tokens
from facevox.models.face.lip_shape import frame_times

SAID = "m ay m ah m b ao t ah b ih g b l uw b ow l ah v s uw p"

SILENT = np.zeros(16_000, np.float32)


def face_of(phones, late=0.0, **how):
    """Landmarks of a mouth that says these phones, `late` frames late."""
    return landmarks_of(lips_of(phones, late=late / 25, **how))


def buzz(gap):
    """Return a sound that is loud between 500 and 2000 Hz where the mouth is open."""
    time = np.arange(len(gap) * 640) / 16_000
    level = np.interp(time, frame_times(len(gap), 25.0), gap)
    return (level**2 * np.sin(2 * np.pi * 900 * time)).astype(np.float32)


@pytest.mark.parametrize("late", [-7, -5, 0, 5, 9])
def test_the_shift_is_found_with_phones(late):
    phones = phones_of(SAID)
    found = measure_lag(face_of(phones, late, noise=0.02), SILENT, phones, 0)
    assert found.sure
    assert found.frames == pytest.approx(late, abs=0.5)


@pytest.mark.parametrize("late", [-5, 0, 6])
def test_the_shift_is_found_without_text(late):
    phones = phones_of(f"{SAID} s {SAID}")
    sound = buzz(lips_of(phones)[:, 0])
    found = measure_lag(face_of(phones, late), sound, (), 0)
    assert found.sure
    assert found.frames == pytest.approx(late, abs=1)


def test_pictures_that_begin_after_the_sound():
    phones = phones_of(SAID)
    found = measure_lag(face_of(phones)[8:], SILENT, phones, 8)
    assert found.frames == pytest.approx(0, abs=0.3)


def test_still_lips_and_little_speech_tell_nothing():
    phones = phones_of(SAID)
    still = measure_lag(face_of(phones_of("b b b b b b b b b b b b b")), SILENT, phones, 0)
    assert not still.sure
    assert np.isnan(still.frames)
    short = phones_of("m aa b")
    assert not measure_lag(face_of(short), SILENT, short, 0).sure


def test_loudness_hears_open_vowels():
    time = np.arange(16_000) / 16_000
    tones = [open_loudness(np.sin(2 * np.pi * f * time).astype(np.float32)) for f in (200, 900)]
    assert tones[1].mean() > 10 * tones[0].mean()
    assert len(tones[0]) == 100
    assert not open_loudness(np.zeros(1600, np.float32)).any()


def test_phones_of_tokens_keep_the_times():
    tokens = Tokens(
        symbols=("pau", "ow1", ",", "b", "."),
        tags=(0, 1, 0, 1, 0),
        durations=(15, 10, 5, 8, 15),
        words=(-1, 0, -1, 1, -1),
    )
    phones = phones_of_tokens(tokens)
    assert [phone.name for phone in phones] == [SILENCE, "ow", SILENCE, "b", SILENCE]
    assert phones[1].start == pytest.approx(0.15)
    assert phones[-1].end == pytest.approx(0.53)
