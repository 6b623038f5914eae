import numpy as np

from facevox.models.face.warp.thin_plate import ThinPlate, evaluation_matrix


def test_values_at_the_centres_are_met_and_affine_fields_are_exact() -> None:
    rng = np.random.default_rng(0)
    centres = rng.uniform(-1, 1, (60, 2))
    values = np.column_stack([rng.normal(size=60), 2 * centres[:, 0] - centres[:, 1] + 0.3])
    spline = ThinPlate(centres, smoothing=0.0)
    weights = spline.weights(values)
    assert np.allclose(evaluation_matrix(centres, centres) @ weights, values, atol=5e-3)
    elsewhere = rng.uniform(-1.5, 1.5, (200, 2))
    affine = (evaluation_matrix(elsewhere, centres) @ weights)[:, 1]
    assert np.allclose(affine, 2 * elsewhere[:, 0] - elsewhere[:, 1] + 0.3, atol=5e-3)


def test_smoothing_gives_up_misfit_for_less_bending() -> None:
    rng = np.random.default_rng(1)
    centres, noise = rng.uniform(-1, 1, (80, 2)), rng.normal(size=(80, 1))
    exact, smooth = (
        evaluation_matrix(centres, centres) @ ThinPlate(centres, smoothing=s).weights(noise)
        for s in (0.0, 1.0)
    )
    assert np.abs(smooth).mean() < np.abs(exact).mean()
