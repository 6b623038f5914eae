import numpy as np
import pytest
from made_speech import babble

from facevox.data.speech.edges import cut_frames, frame_levels, speech_span

HOP = 160


def test_speech_is_found_between_its_pauses():
    first, last = speech_span(babble(1.5, edge=0.5))
    assert abs(first - 50) <= 3
    assert abs(last - 50 - 150) <= 6


def test_a_click_is_no_speech():
    waveform = babble(1.0, edge=0.6)
    waveform[1600:1640] = 0.9
    assert speech_span(waveform)[0] > 50


@pytest.mark.parametrize("waveform", [np.zeros(100, np.float32), np.zeros(16_000, np.float32)])
def test_silence_has_no_span(waveform):
    assert speech_span(waveform) == (0, 0)


def test_inner_cuts_are_the_recording_itself():
    waveform = babble(1.0)
    cut = cut_frames(waveform, 10, 60, np.random.default_rng(0))
    assert np.array_equal(cut, waveform[1600:9600])


@pytest.mark.parametrize(("before", "after"), [(7, 0), (0, 9), (15, 15)])
def test_the_noise_goes_on_beyond_the_ends(before, after):
    waveform = babble(1.0)
    frames = len(waveform) // HOP
    waveform = waveform[: frames * HOP]
    cut = cut_frames(waveform, -before, frames + after, np.random.default_rng(0))
    assert len(cut) == (before + frames + after) * HOP
    inner = slice(before * HOP + 80, (before + frames) * HOP - 80)
    assert np.array_equal(cut[inner], waveform[80 : frames * HOP - 80])
    levels = frame_levels(cut)
    outside = np.concatenate([levels[:before], levels[len(levels) - after :]])
    # the room of these recordings is at -80 dB
    assert np.abs(outside + 80).max() < 4


def test_digital_silence_goes_on_as_silence():
    cut = cut_frames(np.zeros(1600, np.float32), -2, 12, np.random.default_rng(0))
    assert len(cut) == 14 * HOP
    assert not cut.any()


def test_the_seed_fixes_the_noise():
    waveform = babble(0.5)
    one, two, other = (cut_frames(waveform, -5, 60, np.random.default_rng(k)) for k in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
