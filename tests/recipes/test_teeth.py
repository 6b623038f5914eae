import numpy as np
import pytest

from facevox.recipes.teeth import DISTANCES, Pair, fit


def test_fit_finds_the_power_law_that_made_the_pairs():
    generator = np.random.default_rng(0)
    falloff = np.linspace(1.0, 0.4, len(DISTANCES))
    pairs = []
    for _ in range(20):
        sclera, cheek = (float(value) for value in generator.uniform(0.05, 0.5, 2))
        teeth = 1.3 * sclera**0.9 * cheek**0.1
        pairs.append(Pair(sclera=sclera, cheek=cheek, teeth=teeth, falloff=falloff))
    found = fit(pairs)
    assert found["gain"] == pytest.approx(1.3, abs=2e-3)
    assert found["sclera_power"] == pytest.approx(0.9, abs=2e-3)
    assert found["residual_log"] == 0.0
    assert found["falloff"] == [round(float(value), 2) for value in falloff]
