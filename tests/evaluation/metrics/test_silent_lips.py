import numpy as np
import pytest
from made_lips import FPS, lips_of, media_of, phones_of, random_phones

from facevox.core.errors import InputError
from facevox.core.speech import SILENCE, Phone
from facevox.evaluation.metric import Metric, Seen
from facevox.evaluation.metrics.silent_lips import (
    SilentLips,
    inside_pauses,
    lip_speed,
    pauses,
    silent_lips,
)


def test_it_is_a_metric():
    assert isinstance(SilentLips(), Metric)


def test_pauses_lose_their_ends():
    assert pauses(phones_of("aa b", rest=0.5)) == [
        pytest.approx((0.12, 0.38)),
        pytest.approx((0.82, 1.08)),
    ]


def test_short_pauses_are_not_looked_at():
    assert pauses(phones_of("aa b", rest=0.29)) == []


def test_silences_that_follow_each_other_are_one_pause():
    times = [0.0, 0.2, 0.4, 0.5]
    parts = zip((SILENCE, SILENCE, "aa"), times[:-1], times[1:], strict=True)
    phones = [Phone(name=name, start=start, end=end) for name, start, end in parts]
    assert pauses(phones) == [pytest.approx((0.12, 0.28))]


def test_frames_lie_wholly_inside_a_pause():
    (mask, _) = inside_pauses(phones_of("aa b", rest=0.52), 31, FPS)
    assert np.flatnonzero(mask).tolist() == [3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_speed_is_in_iod_per_second(fps):
    ramp = np.arange(60) / fps
    shape = np.stack([ramp, 3 * ramp, 4 * ramp], 1)
    speed = lip_speed(shape, fps)
    assert np.nanmax(np.abs(speed - 5)) < 1e-9
    assert np.isfinite(speed).sum() >= 54


def test_lips_that_rest_in_pauses_are_perfect():
    phones = random_phones(0)
    found = silent_lips(lips_of(phones), phones, FPS)
    assert found["motion"] < 0.02
    assert found["ratio"] < 0.02
    assert found["range"] < 0.02


def test_a_mouth_that_talks_over_silence_is_punished():
    phones = random_phones(0)
    talking = random_phones(1, count=36)
    shape = lips_of(talking)[: round(phones[-1].end * FPS)]
    silent = [Phone(name=SILENCE, start=p.start, end=p.end) for p in phones[:-8]]
    good = silent_lips(lips_of(phones), phones, FPS)
    bad = silent_lips(shape, [*silent, *phones[-8:]], FPS)
    assert bad["ratio"] > 0.5 > 20 * good["ratio"]
    assert bad["motion"] > 0.5 > 20 * good["motion"]
    assert bad["range"] > 0.5


def test_jitter_in_pauses_is_found():
    phones = random_phones(0)
    quiet = silent_lips(lips_of(phones, noise=0.001), phones, FPS)["motion"]
    loud = silent_lips(lips_of(phones, noise=0.01), phones, FPS)["motion"]
    assert loud == pytest.approx(10 * quiet, rel=0.2)


def test_a_mouth_that_never_moves_has_no_ratio():
    phones = random_phones(0)
    media = media_of(np.tile([0.0, 0.3, 0.9], (90, 1)), phones)
    seen = Seen(media.clip, SilentLips().observe(media))
    result = SilentLips().summarise([seen])
    assert result["silent-lip motion"].value == pytest.approx(0, abs=1e-6)
    assert result["silent-lip ratio"].reason


def test_figures_are_means_over_clips():
    seen = []
    for seed in range(6):
        phones = random_phones(seed)
        media = media_of(lips_of(phones, noise=0.005, seed=seed), phones, name=f"c{seed}")
        seen.append(Seen(media.clip, SilentLips().observe(media)))
    result = SilentLips().summarise(seen)
    assert set(result) == {figure.name for figure in SilentLips.figures}
    motion = result["silent-lip motion"]
    assert motion.count == 6
    assert motion.low < motion.value < motion.high


def test_no_pause_is_refused():
    phones = phones_of("aa b aa m", rest=0.1)
    with pytest.raises(InputError, match="no pause"):
        silent_lips(lips_of(phones), phones, FPS)


def test_pauses_without_a_face_are_refused():
    phones = random_phones(0)
    shape = lips_of(phones)
    shape[:16] = shape[-16:] = np.nan
    with pytest.raises(InputError, match="no face is seen in the pauses"):
        silent_lips(shape, phones, FPS)


def test_only_silence_is_refused():
    phones = phones_of("")
    with pytest.raises(InputError, match="nothing is said"):
        silent_lips(np.zeros((30, 3)), phones, FPS)
