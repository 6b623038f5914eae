import numpy as np
import pytest
from made_lips import FPS, landmarks_of, lips_of, phones_of

from facevox.core.errors import InputError
from facevox.core.speech import PHONES, SILENCE, Phone
from facevox.evaluation.judges.registry import JUDGES
from facevox.models.face.lip_shape import (
    CLOSED_GAPS,
    OPENNESS,
    SPREAD,
    checked_shape,
    closures,
    expected_lips,
    frame_times,
    lip_shape,
    shut_in_vowels,
    spoken_span,
)


def test_every_phone_has_an_expectation():
    assert set(OPENNESS) == set(SPREAD) == {*PHONES, SILENCE}


def test_every_calibrated_tracker_exists():
    assert set(CLOSED_GAPS) <= set(JUDGES)


def test_measures_are_in_iod():
    shape = np.array([[0.2, 0.5, 0.9]])
    assert lip_shape(landmarks_of(shape), FPS) == pytest.approx(shape)


def test_size_does_not_matter():
    landmarks = landmarks_of(lips_of(phones_of("b aa m iy")))
    assert lip_shape(3 * landmarks, FPS) == pytest.approx(lip_shape(landmarks, FPS), rel=1e-5)


def test_lost_frames_are_holes():
    shape = np.full((4, 3), 0.2)
    shape[1] = np.nan
    holes = np.isnan(lip_shape(landmarks_of(shape), FPS)).all(1)
    assert holes.tolist() == [False, True, False, False]


def test_irises_on_one_spot_are_a_hole():
    assert np.isnan(lip_shape(np.zeros((2, 478, 3)), FPS)).all()


def test_a_blink_that_shakes_the_irises_does_not_move_the_mouth():
    landmarks = landmarks_of(np.tile([0.1, 0.4, 0.9], (50, 1)))
    landmarks[20:27, 473, 0] += 8
    assert lip_shape(landmarks, FPS) == pytest.approx(np.tile([0.1, 0.4, 0.9], (50, 1)))


def test_a_head_that_comes_nearer_keeps_its_mouth():
    shape = np.tile([0.1, 0.4, 0.9], (100, 1))
    landmarks = landmarks_of(shape) * np.linspace(1, 1.5, 100)[:, None, None]
    assert lip_shape(landmarks, FPS) == pytest.approx(shape, rel=0.06)


def test_a_long_phone_is_expected_as_it_stands_in_the_table():
    phones = phones_of("aa uw", length=1.0)
    openness, spread = expected_lips(phones, np.array([0.1, 1.1, 2.1])).T
    assert openness == pytest.approx([0, OPENNESS["aa"], OPENNESS["uw"]], abs=1e-6)
    assert spread == pytest.approx([0, SPREAD["aa"], SPREAD["uw"]], abs=1e-6)


def test_outside_the_phones_there_is_silence():
    phones = (Phone(name="aa", start=1.0, end=2.0),)
    assert expected_lips(phones, np.array([-3.0, 0.5, 2.5, 9.0])) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 60.0])
def test_expectation_is_the_same_at_any_frame_rate(fps):
    phones = phones_of("b aa s iy m ow")
    fine = np.arange(0, phones[-1].end, 0.001)
    times = frame_times(round(phones[-1].end * fps), fps)
    known = np.interp(times, fine, expected_lips(phones, fine)[:, 0])
    assert expected_lips(phones, times)[:, 0] == pytest.approx(known, abs=0.02)


def test_closures_are_seen_and_missed():
    phones = phones_of("aa b aa m aa p aa", length=0.16)
    gap = lips_of(phones)[:, 0]
    assert closures(gap, phones, FPS, 0.02).tolist() == [True] * 3
    assert closures(np.full_like(gap, 0.1), phones, FPS).tolist() == [False] * 3


def test_the_gap_that_counts_as_closed_can_be_set():
    phones = phones_of("aa b aa")
    gap = np.full(round(phones[-1].end * FPS), 0.025)
    assert closures(gap, phones, FPS, 0.03).tolist() == [True]
    assert closures(gap, phones, FPS, 0.02).tolist() == [False]


def test_a_closure_that_nobody_sees_is_not_counted():
    phones = phones_of("aa b aa s s s s s m aa")
    gap = lips_of(phones)[:, 0]
    gap[10:25] = np.nan
    assert len(closures(gap, phones, FPS)) == 1


def test_a_mouth_that_never_opens_is_shut_in_vowels():
    phones = phones_of("b aa m ae p")
    gap = lips_of(phones)[:, 0]
    assert shut_in_vowels(gap, phones, FPS).tolist() == [False, False]
    assert shut_in_vowels(0 * gap, phones, FPS).tolist() == [True, True]


def test_span_of_speech():
    assert spoken_span(phones_of("b aa")) == pytest.approx((0.6, 0.8))
    with pytest.raises(InputError, match="nothing is said"):
        spoken_span(phones_of(""))


def test_a_face_that_is_hardly_seen_is_refused():
    landmarks = landmarks_of(lips_of(phones_of("b aa")))
    landmarks[: len(landmarks) // 2] = np.nan
    with pytest.raises(InputError, match=r"\d+ of \d+ frames show a face"):
        checked_shape(landmarks, FPS)
