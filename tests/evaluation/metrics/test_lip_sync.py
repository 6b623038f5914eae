from pathlib import Path

import numpy as np
import pytest
from made_lips import FPS, lips_of, media_of, phones_of, random_phones

from facevox.core.errors import InputError
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Seen
from facevox.evaluation.metrics.lip_sync import LipSync
from facevox.evaluation.metrics.lip_sync import phones_of as kept_phones


def observed(shape, phones, name="clip", **known):
    media = media_of(shape, phones, known.pop("fps", FPS), name, **known)
    return Seen(media.clip, LipSync().observe(media))


def speaking(count=8, **how):
    many = [random_phones(seed, count=30) for seed in range(count)]
    return [
        observed(lips_of(phones, seed=k, **how), phones, f"c{k}") for k, phones in enumerate(many)
    ]


def test_it_is_a_metric_whose_figures_are_all_reported():
    metric = LipSync()
    assert isinstance(metric, Metric)
    assert set(metric.summarise(speaking(5))) == {figure.name for figure in metric.figures}


def test_perfect_lips_are_perfect():
    result = LipSync().summarise(speaking())
    assert result["sync AUC"].value == 1
    assert result["lip lag within 1 frame"].value == 100
    assert result["lip lag"].value == pytest.approx(0, abs=0.1)
    assert result["lip correlation"].value > 0.99
    assert result["lips shut in open vowels"].value == 0


@pytest.mark.parametrize("frames", [-5, 5])
def test_a_shift_of_five_frames_is_told_with_its_sign(frames):
    result = LipSync().summarise(speaking(late=frames / 25))
    assert result["lip lag"].value == pytest.approx(frames, abs=0.5)
    assert result["lip lag within 1 frame"].value == 0


def test_lags_are_told_in_frames_of_25_fps():
    phones = random_phones(0, count=30)
    lag = observed(lips_of(phones, 50.0, late=0.2), phones, fps=50.0).observation["lag"]
    assert float(lag) == pytest.approx(5, abs=0.3)


def test_closed_lips_at_every_closure():
    phones = phones_of("aa b aa s iy m aa t p ow", length=0.16)
    result = LipSync().summarise([observed(lips_of(phones), phones)])
    assert result["lip closure rate"] == Estimate(value=100.0, count=3, of="p, b, m")


def test_a_frozen_mouth_closes_but_is_found_out():
    frozen = [
        observed(0 * lips_of(one) + 0.01, one, f"c{k}")
        for k, one in enumerate(random_phones(seed, count=30) for seed in range(6))
    ]
    result = LipSync().summarise(frozen)
    assert result["lips shut in open vowels"].value == 100
    assert result["lip correlation"].value == 0
    assert result["lip lag within 1 frame"].value == 0
    assert isinstance(result["lip lag"], NotMeasured)
    assert result["sync AUC"].value == 0.5


def test_random_lips_have_an_interval_that_covers_chance():
    many = [random_phones(seed) for seed in range(30)]
    strange = [
        observed(lips_of(random_phones(500 + k)), phones, f"c{k}") for k, phones in enumerate(many)
    ]
    auc = LipSync().summarise(strange)["sync AUC"]
    assert auc.low < 0.5 < auc.high
    assert auc.count == 30 * 29


def test_the_interval_holds_the_value_and_is_the_same_each_time():
    seen = speaking(10, noise=0.1)
    one, two = (LipSync().summarise(seen, seed=3) for _ in range(2))
    assert one == two
    for result in one.values():
        if result.low is not None:
            assert result.low <= result.value <= result.high


def test_four_clips_are_too_few_for_the_auc():
    auc = LipSync().summarise(speaking(4))["sync AUC"]
    assert auc == NotMeasured(reason="needs 5 clips or more, got 4")


def test_clips_that_say_the_same_have_no_auc():
    phones = random_phones(0)
    seen = [observed(lips_of(phones), phones, f"c{k}") for k in range(6)]
    assert "say the same" in LipSync().summarise(seen)["sync AUC"].reason


def test_clips_without_closures_have_no_rate():
    phones = phones_of("aa s iy t aa s iy t uw s aa", length=0.12)
    rate = LipSync().summarise([observed(lips_of(phones), phones)])["lip closure rate"]
    assert isinstance(rate, NotMeasured)


def test_lost_frames_are_bridged():
    phones = random_phones(0, count=30)
    shape = lips_of(phones)
    shape[20:30] = np.nan
    seen = observed(shape, phones)
    assert float(seen.observation["lag"]) == pytest.approx(0, abs=0.2)
    assert np.isfinite(float(seen.observation["correlation"]))


@pytest.mark.parametrize(
    ("names", "message"),
    [("", "nothing is said"), ("aa b", "1 s of speech")],
)
def test_what_cannot_be_judged_is_refused(names, message):
    phones = phones_of(names)
    with pytest.raises(InputError, match=message):
        observed(lips_of(phones), phones)


def test_a_clip_without_a_face_is_refused():
    phones = random_phones(0)
    with pytest.raises(InputError, match="0 of 90 frames"):
        observed(np.full((90, 3), np.nan), phones)


def test_phones_are_kept():
    phones = random_phones(0)
    kept = kept_phones(observed(lips_of(phones), phones).observation)
    assert [phone.name for phone in kept] == [phone.name for phone in phones]
    assert [phone.end for phone in kept] == pytest.approx([phone.end for phone in phones])


def test_observations_are_arrays(tmp_path: Path):
    observation = observed(lips_of(random_phones(0)), random_phones(0)).observation
    np.savez(tmp_path / "o.npz", **observation)
    assert all(isinstance(value, np.ndarray) for value in observation.values())
