from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facevox.core.clock import Clock, parse_fps, round_half_up
from facevox.core.errors import ConfigError, InputError

RATES = st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
FPS = st.sampled_from(
    [Fraction(24), Fraction(25), Fraction(30), Fraction(30000, 1001), Fraction(60)]
)


@given(RATES, FPS, st.integers(1, 10**9))
def test_frames_are_the_rounded_duration(sample_rate, fps, samples):
    clock = Clock(sample_rate=sample_rate, fps=fps)
    exact = samples * fps / sample_rate
    frames = clock.num_frames(samples)
    assert frames == max(1, round_half_up(exact))
    assert frames == 1 or abs(frames - exact) <= Fraction(1, 2)


@given(RATES, FPS, st.lists(st.integers(1, 500_000), min_size=1, max_size=40))
def test_chunks_tile_the_whole_without_drift(sample_rate, fps, lengths):
    clock = Clock(sample_rate=sample_rate, fps=fps)
    samples = frames = 0
    for length in lengths:
        samples += length
        count = clock.num_frames(samples) - frames
        assert count >= 0
        frames += count
    assert frames == clock.num_frames(sum(lengths))


def test_ten_minutes_do_not_drift():
    clock = Clock(sample_rate=16_000, fps=Fraction(30000, 1001))
    assert clock.num_frames(600 * 16_000) == round(600 * 30000 / 1001)
    assert Clock().num_frames(600 * 16_000) == 15_000


def test_one_second_is_exactly_100_mel_frames():
    clock = Clock(sample_rate=16_000, hop_length=160)
    assert clock.num_mel_frames(16_000) == 100
    assert clock.frame_rate == 100


def test_no_sound_has_no_frames_and_a_little_sound_has_one():
    assert Clock().num_frames(0) == 0
    assert Clock().num_frames(1) == 1


@given(FPS, st.integers(0, 100_000))
def test_time_of_a_frame_finds_the_frame(fps, frame):
    clock = Clock(fps=fps)
    assert clock.frame_at(clock.frame_time(frame)) == frame


@pytest.mark.parametrize("fps", [0, -1, 1000])
def test_impossible_fps_is_refused(fps):
    with pytest.raises(ConfigError, match="fps must be between"):
        Clock(fps=Fraction(fps))


def test_fps_from_text():
    assert parse_fps("30000/1001") == Fraction(30000, 1001)
    assert parse_fps("29.97") == Fraction(2997, 100)
    for bad in ("fast", "", "1/0", "nan", float("nan")):
        with pytest.raises(InputError, match="fps must be a number"):
            parse_fps(bad)
