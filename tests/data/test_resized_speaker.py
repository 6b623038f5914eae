import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_voice import vowels

from facevox.data.noise_gate import gate_noise
from facevox.data.resized_speaker import AlignedSpeech, resize_speaker, scale_durations
from facevox.models.speech.pitch_track import pitch_track


def _speech(frames=100, f0=120.0):
    sound = vowels(f0, frames / 100)[: frames * 160].astype(np.float32)
    return AlignedSpeech(
        waveform=sound, f0=np.full(frames, f0, np.float32), durations=np.array([10, 50, 40])
    )


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=30),
    st.floats(0.5, 2.0, allow_nan=False),
)
def test_every_symbol_keeps_a_frame_and_the_borders_their_places(durations, factor):
    scaled = scale_durations(np.array(durations), factor)
    assert (scaled >= 1).all()
    moved = np.abs(np.cumsum(scaled) - np.cumsum(durations) / factor)
    assert (moved <= len(durations)).all()


@pytest.mark.parametrize("factor", [0.93, 1.16])
def test_parts_still_fit_and_the_pitch_moves(factor):
    speech = _speech()
    resized = resize_speaker(speech, factor)
    frames = int(resized.durations.sum())
    assert len(resized.f0) == frames == len(resized.waveform) // 160
    assert frames == pytest.approx(100 / factor, abs=1)
    heard = pitch_track(resized.waveform, 16_000, frames)
    before = pitch_track(speech.waveform, 16_000, 100)
    wanted = factor * np.median(before[before > 0])
    assert np.median(heard[heard > 0]) == pytest.approx(wanted, rel=0.06)
    assert resized.f0 == pytest.approx(120 * factor)


def test_one_changes_nothing():
    speech = _speech()
    assert resize_speaker(speech, 1.0) is speech


def test_steady_noise_falls_and_speech_stays():
    clean = np.concatenate([np.zeros(8000), vowels(120.0, 1.0), np.zeros(8000)])
    hiss = 0.01 * np.random.default_rng(0).standard_normal(len(clean))
    gated = gate_noise((clean + hiss).astype(np.float32), 16_000)
    assert len(gated) == len(clean)
    before, after = hiss[:7000].std(), gated[:7000].std()
    assert after < 0.5 * before
    middle = slice(10_000, 22_000)
    assert np.corrcoef(gated[middle], clean[middle])[0, 1] > 0.99


def test_too_short_a_clip_is_left_alone():
    clip = np.ones(500, np.float32)
    assert gate_noise(clip, 16_000) is clip
