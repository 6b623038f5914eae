from pathlib import Path

import numpy as np
import pytest
from made_media import tell

from facevox.core.errors import InputError
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Seen
from facevox.evaluation.metrics.blinks import (
    LEFT_EYE,
    RIGHT_EYE,
    Blinks,
    eye_aspect_ratio,
    find_blinks,
)

OPEN_EYE = 0.3


def eyes(
    starts: list[float], seconds: float, fps: float = 25, lowest: float = 0.1, length: float = 0.2
) -> np.ndarray:
    """Aspect ratio of eyes that close and open in straight lines within `length`."""
    times = np.arange(round(seconds * fps)) / fps
    openness = np.ones(len(times))
    for start in starts:
        depth = np.interp(times - start, [0, length / 2, length], [0, 1 - lowest, 0])
        openness = np.minimum(openness, 1 - depth)
    return OPEN_EYE * openness


def faces(aspect_ratio: np.ndarray) -> np.ndarray:
    landmarks = np.zeros((len(aspect_ratio), 478, 3), np.float32)
    for inner, outer, *lids in (RIGHT_EYE, LEFT_EYE):
        landmarks[:, inner, 0], landmarks[:, outer, 0] = 0, 40
        landmarks[:, lids[0::2], 1] = -20 * aspect_ratio[:, None]
        landmarks[:, lids[1::2], 1] = 20 * aspect_ratio[:, None]
    return landmarks


def seen(aspect_ratio: np.ndarray, name: str = "a", fps: float = 25) -> Seen:
    media = ClipMedia(Clip(name=name, video=Path("a.mp4")), Judges(Path()))
    tell(media, fps=fps, landmarks=faces(aspect_ratio))
    return Seen(media.clip, Blinks().observe(media))


def test_height_over_width():
    np.testing.assert_allclose(eye_aspect_ratio(faces(np.array([0.3, 0.1]))), [0.3, 0.1], rtol=1e-5)


def test_eight_blinks_in_half_a_minute_are_sixteen_a_minute():
    metric = Blinks()
    assert isinstance(metric, Metric)
    results = metric.summarise([seen(eyes([2 + 3.5 * k for k in range(8)], 30))])
    assert set(results) == {figure.name for figure in metric.figures}
    rate, complete = results["blink rate"], results["complete blinks"]
    assert isinstance(rate, Estimate)
    assert isinstance(complete, Estimate)
    assert rate.value == pytest.approx(16)
    assert complete.value == 1.0


@pytest.mark.parametrize("fps", [25, 30, 60])
def test_duration_is_the_time_below_the_threshold(fps):
    found, seconds = find_blinks(eyes([1.01, 3.02, 5.03], 7, fps, lowest=0.0, length=0.5), fps)
    assert seconds == pytest.approx(7)
    assert [blink.duration for blink in found] == pytest.approx([0.3] * 3, abs=0.02)
    assert [blink.start for blink in found] == pytest.approx([1.11, 3.12, 5.13], abs=0.02)


def test_half_a_blink_is_not_complete_and_a_squint_is_none():
    deep, half = find_blinks(eyes([1, 3], 6, lowest=0.1), 25)[0], eyes([1, 3], 6, lowest=0.5)
    assert [blink.complete for blink in deep] == [True, True]
    assert [blink.complete for blink in find_blinks(half, 25)[0]] == [False, False]
    assert find_blinks(eyes([1, 3], 6, lowest=0.7), 25)[0] == []


def test_a_trembling_lid_is_one_blink():
    ratio = eyes([2], 5, length=1.0)
    ratio[round(2.5 * 25) : round(2.6 * 25)] = OPEN_EYE * 0.65
    assert len(find_blinks(ratio, 25)[0]) == 1


def test_narrow_eyes_blink_too():
    assert len(find_blinks(0.4 * eyes([1, 3], 6), 25)[0]) == 2


def test_lost_frames_bridge_or_break():
    ratio = eyes([2], 5, length=0.3)
    ratio[[53, 54]] = np.nan
    assert len(find_blinks(ratio, 25)[0]) == 1
    ratio[48:60] = np.nan
    found, seconds = find_blinks(ratio, 25)
    assert found == []
    assert seconds == pytest.approx(5 - 12 / 25)


def test_a_blink_that_is_cut_off_does_not_count():
    assert find_blinks(eyes([-0.1, 4.9], 5), 25)[0] == []


def test_closed_eyes_are_no_blink():
    ratio = eyes([], 40)
    ratio[100:160] = 0.02
    item = seen(ratio)
    assert len(item.observation["duration"]) == 0
    media = ClipMedia(item.clip, Judges(Path()))
    tell(media, fps=25, landmarks=faces(ratio))
    Blinks().observe(media)
    assert media.notes == ["eyes closed for more than 1 s, 1 times"]


def test_eyes_that_never_open_are_refused():
    with pytest.raises(InputError, match="never open"):
        find_blinks(np.full(100, 0.02), 25)
    with pytest.raises(InputError, match="no eyes"):
        find_blinks(np.full(100, np.nan), 25)


def test_short_clips_are_added_up():
    clips = [seen(eyes([1.0] if k == 0 else [], 3), f"clip{k}") for k in range(20)]
    rate = Blinks().summarise(clips)["blink rate"]
    assert isinstance(rate, Estimate)
    assert rate.value == pytest.approx(1.0)
    assert rate.low == 0


def test_too_little_video_gives_no_rate():
    results = Blinks().summarise([seen(eyes([], 3))])
    assert isinstance(results["blink rate"], NotMeasured)
    assert isinstance(results["blink duration"], NotMeasured)


def test_no_blink_in_a_minute_is_a_rate_of_zero():
    rate = Blinks().summarise([seen(eyes([], 60))])["blink rate"]
    assert isinstance(rate, Estimate)
    assert rate.value == 0
