from pathlib import Path

import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.clip import Clip
from facevox.evaluation.metric import Estimate, Metric, NotMeasured, Seen
from facevox.evaluation.metrics.dcts import Dcts, combine, dcts

COMMON = 0.2
"""Part of the variance that all synthetic utterances share."""


def voices(strength, people=40, each=10, dim=192, seed=0):
    """Utterances of people whose own part of the variance is `strength`."""
    draw = np.random.default_rng(seed).standard_normal
    common = draw(dim) * COMMON**0.5
    return {
        f"p{m:02d}": common
        + draw(dim) * strength**0.5
        + draw((each, dim)) * (1 - COMMON - strength) ** 0.5
        for m in range(people)
    }


@pytest.mark.parametrize(
    ("rir", "rcr", "printed"),
    [(1.167, 3.392, 0.6449), (1.298, 3.554, 0.664), (1.328, 3.316, 0.662)],
)
def test_equation_nine_gives_the_numbers_printed_in_the_paper(rir, rcr, printed):
    assert combine(rir, rcr) == pytest.approx(printed, abs=6e-4)


@pytest.mark.parametrize("samples", [3, 8])
def test_voices_that_cannot_be_told_apart_give_a_half(samples):
    score = dcts(voices(0.0), samples, tuples=25)
    assert score.value == pytest.approx(0.5, abs=0.01)
    assert score.aggregate == pytest.approx(0.5, abs=0.01)
    assert score.rir == pytest.approx(1, abs=0.03)
    assert score.rcr == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("samples", "strength", "known"),
    # I between, RIR, RCR and DCTS of a simulation by another program
    [
        (3, 0.2, (0.284, 1.40, 1.33, 0.577)),
        (3, 0.4, (0.283, 2.15, 1.99, 0.674)),
        (3, 0.6, (0.283, 3.59, 3.96, 0.790)),
        (8, 0.2, (3.092, 1.02, 1.33, 0.538)),
        (8, 0.4, (3.092, 1.09, 2.01, 0.590)),
        (8, 0.6, (3.092, 1.30, 4.02, 0.673)),
        (8, 0.7, (3.093, 1.56, 8.04, 0.736)),
    ],
)
def test_known_values_of_synthetic_voices(samples, strength, known):
    score = dcts(voices(strength, people=30), samples, tuples=15)
    found = (score.inter_dependence, score.rir, score.rcr, score.value)
    # the common part is one vector here, the table's the mean over four of them
    assert found == pytest.approx(known, rel=0.04)


def test_it_rises_with_the_strength_of_identities():
    values = [dcts(voices(s, people=10, each=8), 8, tuples=8).value for s in (0, 0.2, 0.4, 0.6)]
    assert values == sorted(values)
    assert values[-1] - values[0] > 0.1


def test_utterances_more_different_within_than_between_fall_below_a_half():
    draw = np.random.default_rng(0).standard_normal
    sentences = draw((8, 192))
    # all people say the same eight things in nearly the same way
    same = {f"p{m}": sentences + 0.1 * draw(sentences.shape) for m in range(8)}
    assert dcts(same, 3, tuples=30).value < 0.48


@pytest.mark.parametrize("density", ["kde", "gmm"])
def test_order_scale_and_seed(density):
    def measure(embeddings):
        return dcts(embeddings, 3, density, tuples=3)

    known = voices(0.3, people=3, each=4, dim=64)
    score = measure(known)
    shuffled = {k: known[k][::-1] for k in reversed(known)}
    assert measure(shuffled).value == pytest.approx(score.value, abs=1e-9)
    scaled = {k: 7.0 * v for k, v in known.items()}
    assert measure(scaled).value == pytest.approx(score.value, abs=1e-6)
    assert measure(known).values.tolist() == score.values.tolist()
    single = {k: v.astype(np.float32) for k, v in known.items()}
    assert measure(single).value == pytest.approx(score.value, abs=1e-3)


def test_seed_changes_the_draws():
    known = voices(0.3, people=12, each=8, dim=64)
    values = [dcts(known, 3, seed=seed, tuples=5).value for seed in (0, 1)]
    assert values[0] != values[1]
    assert values[0] == pytest.approx(values[1], abs=0.02)


def test_a_collapsed_voice_scores_high_and_shows_in_the_raw_distance():
    collapsed = {k: np.repeat(v[:1], 8, 0) for k, v in voices(0.3, people=8).items()}
    score = dcts(collapsed, 8, tuples=5)
    assert score.value > 0.7
    assert score.intra_distance == pytest.approx(0, abs=1e-9)
    assert score.inter_distance > 0.5
    assert np.isfinite(score.rcr)


def test_mixture_null_is_a_half_and_rises():
    null = dcts(voices(0.0, people=6, each=6, dim=96), 3, "gmm", tuples=8)
    assert null.aggregate == pytest.approx(0.5, abs=0.03)
    assert dcts(voices(0.4, people=6, each=6, dim=96), 3, "gmm", tuples=8).value > 0.6


def test_rectified_embeddings_are_fit_for_kernels_but_not_for_the_mixture():
    rectified = {k: np.maximum(v, 0) for k, v in voices(0.0, people=10, each=8).items()}
    assert dcts(rectified, 8, tuples=20).aggregate == pytest.approx(0.5, abs=0.01)
    with pytest.raises(InputError, match="values are equal"):
        dcts(rectified, 8, "gmm")


@pytest.mark.parametrize(
    ("embeddings", "samples", "message"),
    [
        (voices(0.1, people=4, each=8), 8, "at least 8 identities, got 4"),
        (voices(0.1, people=8, each=7), 8, "p00 has 7"),
        (voices(0.1, people=8, each=7), 1, "got K=1"),
        ({"a": np.ones((3, 4)), "b": np.ones((3, 4))}, 2, "same value everywhere"),
        ({"a": np.full((2, 4), np.nan), "b": np.ones((2, 4))}, 2, "not finite"),
    ],
)
def test_bad_input_is_one_sentence(embeddings, samples, message):
    with pytest.raises(InputError, match=message) as caught:
        dcts(embeddings, samples)
    assert "\n" not in str(caught.value)


def seen_of(embeddings):
    return [
        Seen(
            Clip(name=f"{name}-{i}", video=Path("clip.mp4"), identity=name),
            {"embedding": row},
        )
        for name, rows in embeddings.items()
        for i, row in enumerate(rows)
    ]


def test_metric_reports_every_figure_with_intervals_over_identities():
    metric = Dcts("campplus", 3)
    assert isinstance(metric, Metric)
    known = voices(0.4, people=6, each=4)
    results = metric.summarise(seen_of(known), seed=1)
    assert set(results) == {figure.name for figure in metric.figures}
    main = results["DCTS (CAM++, K=3)"]
    assert isinstance(main, Estimate)
    assert main.value == pytest.approx(dcts(known, 3, seed=1).value)
    assert main.low < main.value < main.high
    assert (main.count, main.of) == (6, "identities")


def test_metric_says_when_there_is_too_little():
    known = voices(0.4, people=6, each=4)
    results = Dcts("campplus", 8).summarise(seen_of(known))
    assert all(isinstance(result, NotMeasured) for result in results.values())
    assert "got 0" in results["DCTS (CAM++, K=8)"].reason


def test_metric_says_whom_it_left_out():
    known = voices(0.4, people=6, each=4)
    known["p00"] = known["p00"][:2]
    result = Dcts("campplus", 3).summarise(seen_of(known))["RIR (CAM++, K=3)"]
    assert result.count == 5
    assert result.note == "1 with fewer than 3 clips left out"


def test_the_metric_takes_either_density():
    seen = [
        Seen(Clip(name=f"{name}-{k}", video=Path("none"), identity=name), {"embedding": row})
        for name, rows in voices(0.4, people=5, each=3, dim=64).items()
        for k, row in enumerate(rows)
    ]
    for density in ("kde", "gmm"):
        metric = Dcts("campplus", 3, density)
        results = metric.summarise(seen)
        assert set(results) == {figure.name for figure in metric.figures}
        assert results[metric.figures[0].name].value > 0.5
    assert Dcts("campplus", 3, "gmm").name != Dcts("campplus", 3).name


def test_embeddings_of_several_lengths_are_refused():
    ragged = {str(k): np.ones((8, 4 + k)) for k in range(8)}
    with pytest.raises(InputError, match="all of one length"):
        dcts(ragged)
