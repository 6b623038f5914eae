import numpy as np
import pytest

from facevox.recipes.voice_space import Speakers, best_factors, build, fit, measure


@pytest.fixture(scope="module")
def known():
    """Speakers of five hidden directions, of which pitch knows one."""
    generator = np.random.default_rng(0)
    sex = np.repeat([-1.0, 1.0], 60)
    hidden = generator.standard_normal((120, 5))
    mixing = generator.standard_normal((5, 192)) / 15
    shift = generator.standard_normal(192) / 15
    embeddings = (
        hidden @ mixing + sex[:, None] * shift + 0.01 * generator.standard_normal((120, 192))
    )
    return Speakers(
        names=[str(one) for one in range(120)],
        embeddings=embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True),
        pitch=5.0 + 0.3 * sex + 0.1 * hidden[:, 0],
        femininity=sex,
        age=generator.uniform(-0.5, 1.0, 120),
    )


def test_as_many_factors_are_found_as_there_are(known):
    best, tried = best_factors(known, 0)
    assert best == 8
    assert tried[8] > tried[64]


def test_the_first_noise_is_the_pitch(known):
    made = fit(known, np.arange(120), 8)
    tone = made["factors"][0]
    rest = known.embeddings - known.embeddings.mean(0)
    within = known.pitch - 0.3 * known.femininity
    assert np.corrcoef(rest @ tone, within)[0, 1] > 0.5
    assert float(made["sigma"]) == pytest.approx(within.std(), rel=0.1)


def test_draws_keep_their_distance_and_their_sex(known):
    tensors, space = build(known, fit(known, np.arange(120), 8))
    assert measure(known, space, 20)["draw_to_nearest_speaker"][-1] <= 0.47
    low, high = (space.embedding(sex, 0.0, np.zeros(space.num_noises)) for sex in (-1.0, 1.0))
    men = known.embeddings[known.femininity < 0].mean(0)
    assert low @ men > high @ men
    assert tensors["speakers"].shape == (120, len(tensors["basis"]))
