import numpy as np
import pytest

from facevox.core.speech import Phone
from facevox.models.face.mouth_laws import (
    activity,
    closed,
    closures,
    hold,
    phone_level,
    smooth_step,
    speech_runs,
)

FINE = np.arange(0, 2, 0.001)


def phones_of(*parts):
    phones, time = [], 0.0
    for name, length in parts:
        phones.append(Phone(name=name, start=time, end=time + length))
        time += length
    return phones


def test_step_has_flat_ends():
    x = np.linspace(-0.5, 1.5, 2001)
    y = smooth_step(x)
    assert y[0] == 0
    assert y[-1] == 1
    assert (np.diff(y) >= -1e-12).all()
    assert np.abs(np.diff(y, 3)).max() < 1e-5


def test_hold_is_one_inside_and_zero_beyond_the_ramp():
    level = hold(FINE, [0.5, 1.0], [0.6, 1.1], 0.1, [1.0, 0.5])
    assert (level[(FINE >= 0.5) & (FINE <= 0.6)] == 1).all()
    assert (level[(FINE >= 1.0) & (FINE <= 1.1)] == 0.5).all()
    assert not level[(FINE < 0.399) | (FINE > 1.201)].any()


@pytest.mark.parametrize("length", [0.02, 0.04, 0.08, 0.15])
@pytest.mark.parametrize("name", ["p", "b", "m"])
@pytest.mark.parametrize("fps", [5, 10, 23.976, 25, 30, 60, 120])
def test_some_frame_is_exactly_closed_wherever_the_phone_falls(length, name, fps):
    for shift in np.arange(0, 1 / fps, 0.007):
        phones = phones_of(("aa", 0.8 + shift), (name, length), ("aa", 1.0))
        times = np.arange(0, 1.9, 1 / fps)
        assert closed(times, phones, 1 / fps).max() == 1.0


def test_a_long_nasal_stays_closed_and_a_stop_lets_go():
    starts, ends = closures(phones_of(("aa", 0.5), ("m", 0.2), ("b", 0.2)), 0.04)
    assert ends[0] - starts[0] > 0.14
    assert ends[1] < 0.9 - 0.05


def test_mouth_rests_in_pauses_but_not_in_short_ones():
    phones = phones_of(
        ("pau", 0.3),
        ("aa", 0.3),
        ("pau", 0.1),
        ("aa", 0.3),
        ("pau", 0.4),
        ("aa", 0.3),
        ("pau", 0.3),
    )
    assert len(speech_runs(phones)) == 2
    level = activity(FINE, phones)
    assert not level[FINE < 0.15].any()
    assert level[(FINE > 0.31) & (FINE < 0.99)].min() > 0.8
    assert level[(FINE > 1.14) & (FINE < 1.27)].max() < 1e-9
    assert level[(FINE > 1.42) & (FINE < 1.69)].min() > 0.9
    assert np.abs(np.diff(level)).max() < 0.03


def test_levels_take_the_height_of_their_phone():
    phones = phones_of(("aa", 0.5), ("th", 0.1), ("aa", 0.5), ("t", 0.1), ("aa", 0.5))
    level = phone_level(FINE, phones, {"th": 1.0, "t": 0.6}, 0.05)
    assert level[550] == 1.0
    assert level[1150] == pytest.approx(0.6)
    assert level[850] == 0
    assert not phone_level(FINE, phones, {}, 0.05).any()


def test_no_frames_and_no_phones():
    empty = np.zeros(0)
    assert len(closed(empty, phones_of(("b", 0.1)), 0.2)) == 0
    assert not activity(FINE, []).any()
