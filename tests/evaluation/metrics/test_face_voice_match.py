from pathlib import Path

import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Seen
from facevox.evaluation.metrics.face_voice_match import (
    SameFaceOtherPhoto,
    match,
    match_within,
    photo_pairs,
)

NAMES = ["a", "b", "c", "d"]


def test_perfect_and_worst_scores():
    perfect = match(np.eye(4), NAMES, NAMES)
    assert (perfect.accuracy, perfect.auc, perfect.chance) == (1, 1, 0.25)
    worst = match(-np.eye(4), NAMES, NAMES)
    assert (worst.accuracy, worst.auc) == (0, 0)


@pytest.mark.parametrize("choices", [2, 3, 4])
def test_equal_scores_are_at_chance(choices):
    found = match(np.ones((4, 4)), NAMES, NAMES, choices=choices)
    assert found.accuracy == pytest.approx(1 / choices)
    assert found.auc == 0.5


def test_fewer_choices_are_the_mean_over_all_draws():
    from itertools import combinations

    scores = np.random.default_rng(0).normal(size=(6, 6)) + 0.7 * np.eye(6)
    names = list("abcdef")
    wins = [
        scores[i, i] > scores[i, list(others)].max()
        for i in range(6)
        for others in combinations([j for j in range(6) if j != i], 2)
    ]
    found = match(scores, names, names, choices=3)
    assert found.accuracy == pytest.approx(np.mean(wins))
    assert match(scores, names, names, choices=2).accuracy == pytest.approx(found.auc)


def test_order_of_entries_does_not_matter():
    scores = np.random.default_rng(1).normal(size=(4, 4)) + np.eye(4)
    turned = match(scores[:, ::-1], NAMES, NAMES[::-1])
    assert turned == match(scores, NAMES, NAMES)


def test_auc_of_known_distributions():
    # own scores one standard deviation above others: AUC = Phi(1 / sqrt(2)) = 0.760
    names = [f"p{i}" for i in range(300)]
    scores = np.random.default_rng(2).normal(size=(300, 300)) + np.eye(300)
    found = match(scores, names, names)
    assert found.auc == pytest.approx(0.760, abs=0.03)
    low, high = found.auc_interval
    assert low < 0.760 < high


@pytest.mark.parametrize(
    ("scores", "queries", "entries", "options", "message"),
    [
        (np.eye(3), NAMES, NAMES, {}, "do not fit"),
        (np.eye(2), ["a", "b"], ["a", "a"], {}, "more than one entry"),
        (np.eye(2), ["a", "z"], ["a", "b"], {}, "z is asked for"),
        (np.ones((1, 1)), ["a"], ["a"], {}, "at least 2"),
        (np.full((2, 2), np.nan), ["a", "b"], ["a", "b"], {}, "not finite"),
        (np.eye(2), ["a", "b"], ["a", "b"], {"choices": 3}, "from 2 to 2"),
    ],
)
def test_bad_input_is_one_sentence(scores, queries, entries, options, message):
    with pytest.raises(InputError, match=message):
        match(scores, queries, entries, **options)


def test_within_groups_only_rivals_of_the_group_count():
    scores = np.array([[2.0, 3, 1, 1], [3, 2, 1, 1], [9, 9, 2, 1], [9, 9, 1, 2]])
    groups = {"a": "f", "b": "f", "c": "m", "d": "m"}
    shares, people = match_within(scores, NAMES, NAMES, groups)
    assert shares.tolist() == [0, 0, 1, 1]
    assert people == NAMES
    shares, people = match_within(scores, NAMES, NAMES, {"a": "f", "c": "m", "d": "m"})
    assert people == ["c", "d"]


def seen(name, photo, text, embedding, sex="female"):
    clip = Clip(
        name=f"{name}-{photo}-{text}",
        video=Path("x.mp4"),
        identity=name,
        photo=photo,
        text=text,
        sex=sex,
    )
    return Seen(clip, {"embedding": np.asarray(embedding, np.float32)})


def people(noise, count=8):
    draw = np.random.default_rng(0).normal
    voices = draw(size=(count, 32))
    return [
        seen(f"p{i}", photo, text, voices[i] + noise * draw(size=32), ("female", "male")[i % 2])
        for i in range(count)
        for photo in ("neutral", "smiling")
        for text in ("one", "two")
    ]


def test_metric_finds_people_and_chance():
    metric = SameFaceOtherPhoto("resemblyzer")
    assert isinstance(metric, Metric)
    clear, lost = metric.summarise(people(0.2)), metric.summarise(people(50.0))
    assert set(clear) == {figure.name for figure in metric.figures}
    name = "same face, other photo: 1-of-N (Resemblyzer)"
    assert isinstance(clear[name], Estimate)
    assert clear[name].value == 1
    assert (clear[name].count, clear[name].note) == (8, "N=8, chance 0.125")
    assert lost[name].value < 0.5
    for kind in ("AUC", "AUC within sex"):
        assert clear[f"same face, other photo: {kind} (Resemblyzer)"].value == 1
        assert lost[f"same face, other photo: {kind} (Resemblyzer)"].value < 0.75


def test_one_voice_per_sex_is_at_chance_within_a_sex():
    same = [
        seen(f"p{i}", photo, photo, np.eye(2)[i % 2], ("female", "male")[i % 2])
        for i in range(8)
        for photo in "ab"
    ]
    results = SameFaceOtherPhoto("campplus").summarise(same)
    assert results["same face, other photo: AUC within sex (CAM++)"].value == 0.5
    # four of seven others have the other sex, three are equal: (4 + 1.5) / 7
    assert results["same face, other photo: AUC (CAM++)"].value == pytest.approx(5.5 / 7)


def test_metric_says_when_there_is_too_little():
    few = SameFaceOtherPhoto().summarise(people(0.1, count=3))
    assert all(isinstance(result, NotMeasured) for result in few.values())
    single = [item for item in people(0.1) if item.clip.photo == "neutral"]
    assert "got 0" in next(iter(SameFaceOtherPhoto().summarise(single).values())).reason


def test_texts_are_kept_apart_where_possible():
    items = [
        seen("p", "a", "one", [1, 0, 0, 0]),
        seen("p", "a", "two", [0, 1, 0, 0]),
        seen("p", "b", "one", [0, 0, 1, 0]),
        seen("p", "b", "two", [0, 0, 0, 1]),
    ]
    first, second = photo_pairs(items)["p"]
    assert (first.tolist(), second.tolist()) == ([1, 0, 0, 0], [0, 0, 0, 1])
    only = [item for item in items if item.clip.text == "one"]
    first, second = photo_pairs(only)["p"]
    assert (first.tolist(), second.tolist()) == ([1, 0, 0, 0], [0, 0, 1, 0])


def test_clip_without_photo_name_is_refused(tmp_path):
    media = ClipMedia(Clip(name="x", video=Path("x.mp4"), identity="p"), Judges(tmp_path))
    with pytest.raises(InputError, match="photo of the clip"):
        SameFaceOtherPhoto().observe(media)
