from pathlib import Path

import numpy as np
import pytest

from facevox.data.voice_words import DescribedVoice
from facevox.recipes.voice_perception import fit, held_out, measure


@pytest.fixture(scope="module")
def described():
    """Embeddings in which the first two values tell femininity and age, among noise."""
    draw = np.random.default_rng(0)
    femininity = np.sign(draw.normal(size=120))
    age = draw.uniform(-1, 1, 120)
    embeddings = 0.3 * draw.normal(size=(120, 24))
    embeddings[:, 0] += femininity
    embeddings[:, 1] += age
    voices = [
        DescribedVoice(
            speaker=str(i),
            path=Path(f"{i}.ogg"),
            femininity=float(one),
            age=float(years),
            ages=(float(years), float(years), float("nan") if i % 9 else float(years)),
        )
        for i, (one, years) in enumerate(zip(femininity, age, strict=True))
    ]
    return voices, embeddings, np.column_stack([femininity, age])


def test_regressions_find_what_is_there(described):
    voices, embeddings, targets = described
    results = measure(voices, targets, held_out(embeddings, targets, seed=0))
    assert results["sex_accuracy"] > 0.97
    assert results["age_spearman"] > 0.7
    assert results["age_spearman_between_two_listeners"] == [1.0, 1.0, 1.0]
    assert results["speakers"] == 120


def test_held_out_answers_do_not_see_their_own_labels(described):
    _, embeddings, targets = described
    noise = np.random.default_rng(1).normal(size=targets.shape)
    answers = held_out(embeddings, noise, seed=0)
    assert abs(np.corrcoef(answers[:, 0], noise[:, 0])[0, 1]) < 0.3


def test_same_data_same_weights(described):
    _, embeddings, targets = described
    first, second = fit(embeddings, targets), fit(embeddings, targets)
    assert first[0].tolist() == second[0].tolist()
    assert first[0].shape == (2, 24)
    predicted = embeddings @ first[0].T + first[1]
    assert predicted.mean(0) == pytest.approx(targets.mean(0), abs=1e-9)
