import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from facevox.core.checkpoint import WEIGHTS
from facevox.core.errors import CheckpointError
from facevox.models.face.mouth_basis import MouthBasis, fit_similarity, register

FLIP = np.array([-1, 1, 1])


@pytest.fixture(scope="module")
def basis():
    return MouthBasis.load()


@pytest.fixture
def rotation():
    values, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    return values * np.sign(np.linalg.det(values))


def test_similarity_recovers_scale_rotation_and_shift(rotation):
    points = np.random.default_rng(0).normal(size=(20, 3))
    target = 2.5 * points @ rotation.T + [1.0, -2.0, 3.0]
    scale, turn, shift = fit_similarity(points, target)
    assert scale == pytest.approx(2.5)
    np.testing.assert_allclose(turn, rotation, atol=1e-9)
    np.testing.assert_allclose(shift, [1.0, -2.0, 3.0], atol=1e-9)


def test_neutral_is_in_canonical_units_and_closed(basis):
    np.testing.assert_allclose(basis.neutral[468], [-0.5, 0, 0], atol=1e-6)
    np.testing.assert_allclose(basis.neutral[473], [0.5, 0, 0], atol=1e-6)
    assert basis.neutral[152, 1] > basis.neutral[14, 1] > 1.0
    assert abs(basis.neutral[14, 1] - basis.neutral[13, 1]) < 0.005


def test_shapes_are_mirror_symmetric(basis):
    mirror = basis.mirror
    assert (mirror[mirror] == np.arange(478)).all()
    assert mirror[61] == 291
    assert mirror[13] == 13
    np.testing.assert_allclose(basis.displacement[:, mirror] * FLIP, basis.displacement, atol=1e-6)
    np.testing.assert_allclose(basis.neutral[mirror] * FLIP, basis.neutral, atol=1e-6)


def test_nothing_moves_above_the_nose_base(basis):
    upper = basis.neutral[:, 1] < 0.5
    assert upper.sum() > 150
    assert np.abs(basis.displacement[:, upper]).max() < 1e-9


def test_first_shape_opens_the_mouth(basis):
    assert basis.lip_gap_gain[0] > 0.08
    assert np.abs(basis.lip_gap_gain[1:]).max() < 0.05
    assert basis.displacement[0, 152, 1] > 0.04


def test_projection_inverts_shape_in_any_pose(basis, rotation):
    mouth = np.array([[1.2, -0.5, 0.3, 0.8, -1.0, 0.2], [0] * 6])
    faces = 47.0 * basis.shape(mouth) @ rotation.T + [100.0, 120.0, 5.0]
    np.testing.assert_allclose(basis.project(faces), mouth, atol=1e-3)
    np.testing.assert_allclose(basis.project(faces, rest=faces[1]), mouth, atol=1e-3)
    np.testing.assert_allclose(register(faces, basis.neutral)[1], basis.neutral, atol=1e-5)


def test_gap_is_linear_in_the_coefficients(basis):
    mouth = np.random.default_rng(1).normal(size=(5, 6))
    faces = basis.shape(mouth)
    gap = faces[:, 14, 1] - faces[:, 13, 1] - (basis.neutral[14, 1] - basis.neutral[13, 1])
    np.testing.assert_allclose(basis.gap(mouth), gap, atol=1e-6)


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no weights"):
        MouthBasis.load(tmp_path / "none.safetensors")
    tensors = load_file(WEIGHTS / "mouth_basis.safetensors")
    del tensors["weight"]
    save_file(tensors, tmp_path / "short.safetensors")
    with pytest.raises(CheckpointError, match="missing weight"):
        MouthBasis.load(tmp_path / "short.safetensors")
