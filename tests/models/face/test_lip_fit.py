import numpy as np
import pytest
from made_lips import FPS, lips_of, phones_of, random_phones

from facevox.core.speech import Phone
from facevox.models.face.lip_fit import (
    MAX_LAG,
    correlation,
    fit_of,
    lip_lag,
    own_sound_wins,
    quick_part,
)
from facevox.models.face.lip_shape import expected_lips, frame_times


def test_correlation_knows_its_bounds():
    x = np.random.default_rng(0).normal(size=40)
    assert correlation(x, 3 * x + 1) == pytest.approx(1)
    assert correlation(x, -x) == pytest.approx(-1)
    assert correlation(x, np.ones(40)) == 0


def test_correlation_skips_holes():
    x = np.arange(10.0)
    holes = x.copy()
    holes[[2, 7]] = np.nan
    assert correlation(x, holes) == pytest.approx(1)
    assert correlation(np.full(10, np.nan), x) == 0


def test_quick_part_takes_off_drift_and_keeps_holes():
    ticks = np.arange(100) / FPS
    curve = (5 + 2 * ticks + 0.1 * np.sin(2 * np.pi * 4 * ticks))[:, None]
    curve[40:43] = np.nan
    quick = quick_part(curve, FPS)[:, 0]
    assert np.isnan(quick).sum() == 3
    assert np.nanstd(quick[25:-25]) == pytest.approx(0.1 / np.sqrt(2), rel=0.1)


def test_perfect_lips_fit_perfectly():
    phones = random_phones(0)
    shape = lips_of(phones)
    assert fit_of(shape, expected_lips(phones, frame_times(len(shape), FPS)), FPS) > 0.999


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 30000 / 1001])
@pytest.mark.parametrize("frames", [-15, -5, -1.5, 0, 0.5, 2, 5, 14])
def test_late_lips_report_by_how_much(frames, fps):
    phones = random_phones(1, count=30)
    late = frames / 25
    found, fit = lip_lag(lips_of(phones, fps, late=late), phones, fps)
    assert found == pytest.approx(late, abs=0.012)
    assert fit > 0.9


def test_a_shifted_sound_reports_the_shift_the_other_way():
    phones = random_phones(2)
    later = [Phone(name=p.name, start=p.start + 0.2, end=p.end + 0.2) for p in phones]
    found, _ = lip_lag(lips_of(phones), later, FPS)
    assert found == pytest.approx(-0.2, abs=0.01)


def test_noise_and_holes_do_not_move_the_lag():
    phones = random_phones(3, count=30)
    shape = lips_of(phones, late=0.2, noise=0.02)
    shape[30:36] = np.nan
    assert lip_lag(shape, phones, FPS)[0] == pytest.approx(0.2, abs=0.03)


def test_lips_that_do_not_move_have_no_lag():
    phones = random_phones(4)
    still = np.tile([0.1, 0.4, 0.9], (80, 1))
    lag, fit = lip_lag(still, phones, FPS)
    assert np.isnan(lag)
    assert fit == 0


def test_lag_stays_within_reach():
    phones = random_phones(5)
    assert abs(lip_lag(lips_of(phones, late=2.0), phones, FPS)[0]) <= MAX_LAG + 1 / FPS


def wins_of(many, shapes, seed=0):
    return own_sound_wins(shapes, many, [FPS] * len(many), seed=seed)


def test_own_sound_always_wins_with_perfect_lips():
    many = [random_phones(seed, count=20 + seed) for seed in range(8)]
    wins = wins_of(many, [lips_of(phones) for phones in many])
    assert np.isnan(np.diag(wins)).all()
    assert np.nanmean(wins) == 1


def test_random_lips_fit_no_sound():
    many = [random_phones(seed) for seed in range(24)]
    strange = [lips_of(random_phones(100 + seed)) for seed in range(24)]
    assert np.nanmean(wins_of(many, strange)) == pytest.approx(0.5, abs=0.1)


def test_lips_that_move_with_speech_but_not_with_its_sounds_gain_little():
    many = [random_phones(seed, count=14 + seed) for seed in range(20)]
    shapes = []
    for seed, phones in enumerate(many):
        times = frame_times(round(phones[-1].end * FPS), FPS)
        speaking = (times > phones[1].start) & (times < phones[-2].end)
        phase = np.random.default_rng(seed).uniform(0, 7)
        flaps = 0.1 * speaking * (1 + np.sin(2 * np.pi * 4 * times + phase))
        shapes.append(np.stack([flaps, 0.3 + flaps, np.full_like(flaps, 0.9)], 1))
    assert 0.3 < np.nanmean(wins_of(many, shapes)) < 0.7


def test_clips_that_say_the_same_are_not_compared():
    phones = random_phones(0)
    slower = phones_of(" ".join(p.name for p in phones[1:-1]), length=0.12)
    other = random_phones(1)
    many = [phones, slower, other]
    compared = np.isfinite(wins_of(many, [lips_of(one) for one in many]))
    assert compared.tolist() == [[False, False, True], [False, False, True], [True, True, False]]
