import numpy as np
import pytest

from facevox.evaluation.metrics.ssim import ssim
from facevox.evaluation.signals.structure import structural_similarity


@pytest.mark.parametrize("size", [(11, 40), (64, 64), (97, 51)])
def test_the_mean_is_that_of_scikit_image(size):
    metrics = pytest.importorskip("skimage.metrics")
    generator = np.random.default_rng(0)
    frame = generator.integers(0, 256, (*size, 3)).astype(np.uint8)
    noise = generator.integers(-40, 41, frame.shape)
    real = np.clip(frame + noise, 0, 255).astype(np.uint8)
    known = metrics.structural_similarity(
        frame, real, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    assert ssim(frame, real) == pytest.approx(known, abs=1e-9)


def test_equal_pictures_have_one_everywhere():
    grey = np.random.default_rng(1).uniform(0, 255, (30, 20)).astype(np.float32)
    np.testing.assert_allclose(structural_similarity(grey, grey), 1, atol=1e-4)
