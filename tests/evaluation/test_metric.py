"""Means over clips: of what, of whom, and what was left out."""

from pathlib import Path

import numpy as np
import pytest

from facevox.evaluation.clip import Clip
from facevox.evaluation.metric import (
    Estimate,
    NotMeasured,
    Seen,
    interval_over_people,
    mean_over_clips,
    share_of_clips,
)


def seen(*values: float, people: tuple[str, ...] | None = None) -> list[Seen]:
    people = people or ("",) * len(values)
    return [
        Seen(
            Clip(name=f"clip {index}", video=Path("absent.mp4"), identity=who),
            {"score": np.array(value)},
        )
        for index, (value, who) in enumerate(zip(values, people, strict=True))
    ]


def test_a_mean_with_its_interval():
    result = mean_over_clips(seen(1.0, 2.0, 3.0, 4.0, 5.0, 6.0), "score")
    assert isinstance(result, Estimate)
    assert result.value == 3.5
    assert result.low < 3.5 < result.high
    assert (result.count, result.of, result.note) == (6, "clips", "")


def test_clips_without_a_value_are_left_out_and_counted():
    result = mean_over_clips(seen(1.0, float("nan"), 3.0, float("inf")), "score", note="on lips")
    assert (result.value, result.count) == (2.0, 2)
    assert result.note == "on lips; 2 of 4 had no value"


def test_no_value_at_all_is_not_measured():
    result = mean_over_clips(seen(float("nan"), float("nan")), "score")
    assert result == NotMeasured(reason="no clip gave a value of score")


def test_one_clip_has_no_interval():
    result = mean_over_clips(seen(2.0), "score")
    assert (result.value, result.low, result.high, result.count) == (2.0, None, None, 1)


def test_clips_of_one_person_are_not_independent():
    generator = np.random.default_rng(0)
    offsets = np.repeat(generator.normal(size=8), 10)
    values = (offsets + 0.1 * generator.normal(size=80)).tolist()
    names = tuple(str(number) for number in np.repeat(np.arange(8), 10))
    known = mean_over_clips(seen(*values, people=names), "score")
    unknown = mean_over_clips(seen(*values), "score")
    assert known.value == unknown.value
    assert known.high - known.low > 2.5 * (unknown.high - unknown.low)


@pytest.mark.parametrize(
    ("people", "of"),
    [
        (("a",) * 6, "clips of 1 person"),
        (("a", "b", "c") * 2, "clips of 3 people"),
        (("a", "b", "c", "d", "e", "a"), "clips"),
        (("",) * 6, "clips"),
    ],
)
def test_few_people_are_said(people, of):
    assert mean_over_clips(seen(*range(6), people=people), "score").of == of


def test_few_clips_of_as_many_people_are_just_clips():
    assert mean_over_clips(seen(1.0, 2.0, people=("a", "b")), "score").of == "clips"


def test_the_seed_draws_the_interval():
    clips = seen(*np.random.default_rng(0).normal(size=12).tolist())
    first, again, other = (mean_over_clips(clips, "score", seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.low != other.low


def test_a_share_of_all_clips_is_not_certain():
    result = share_of_clips(seen(*[0.0] * 8), np.ones(8))
    assert (result.value, result.high, result.count) == (100.0, 100.0, 8)
    assert 60 < result.low < 80
    assert share_of_clips(seen(0.0), np.ones(1)).low is None
    same = share_of_clips(seen(0.0, 0.0, people=("a", "a")), np.array([0.0, 1.0]))
    assert (same.value, same.of) == (50.0, "clips of 1 person")


def test_intervals_draw_people_with_all_their_clips():
    values = np.repeat(np.arange(8.0), 10)
    names = tuple(str(int(value)) for value in values)
    clips = seen(*values.tolist(), people=names)
    low, high = interval_over_people(clips, lambda i: float(values[i].mean()))
    alone = interval_over_people(seen(*values.tolist()), lambda i: float(values[i].mean()))
    assert high - low > 2 * (alone[1] - alone[0])
    few = seen(*values.tolist(), people=("a",) * 80)
    assert interval_over_people(few, lambda i: float(values[i].mean())) == pytest.approx(
        alone, abs=0.1
    )
