import numpy as np
import pytest

from facevox.evaluation.signals.face_alignment import (
    ARCFACE_TEMPLATE,
    align_face,
    fit_similarity,
    five_points,
    warp_picture,
)

EYES = (33, 133, 362, 263)


def face_with(points: np.ndarray) -> np.ndarray:
    """Landmarks whose five points are the given ones."""
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[[33, 133], :2] = points[0] + np.array([[-3, 1], [3, -1]])
    landmarks[[362, 263], :2] = points[1] + np.array([[-3, 1], [3, -1]])
    landmarks[[4, 61, 291], :2] = points[2:]
    return landmarks


def similarity(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


def test_five_points_are_eyes_nose_and_mouth():
    np.testing.assert_allclose(
        five_points(face_with(ARCFACE_TEMPLATE)), ARCFACE_TEMPLATE, atol=1e-5
    )


def test_the_template_fits_itself():
    found = fit_similarity(ARCFACE_TEMPLATE, ARCFACE_TEMPLATE)
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 1, 0]], atol=1e-9)


@pytest.mark.parametrize(
    ("angle", "scale", "shift"), [(0.4, 2.5, (9.0, -4.0)), (-2.9, 0.3, (0, 70))]
)
def test_a_known_similarity_is_found(angle, scale, shift):
    truth = similarity(angle, scale, shift)
    moved = ARCFACE_TEMPLATE @ truth[:, :2].T + truth[:, 2]
    np.testing.assert_allclose(fit_similarity(ARCFACE_TEMPLATE, moved), truth, atol=1e-8)


def test_a_mirrored_face_is_not_mirrored_back():
    turn = fit_similarity(ARCFACE_TEMPLATE * [-1, 1], ARCFACE_TEMPLATE)[:, :2]
    assert np.linalg.det(turn) > 0


def test_no_similarity_fits_better():
    generator = np.random.default_rng(0)
    source, target = ARCFACE_TEMPLATE, ARCFACE_TEMPLATE + generator.normal(0, 3, (5, 2))
    best = fit_similarity(source, target)

    def error(m):
        return ((source @ m[:, :2].T + m[:, 2] - target) ** 2).sum()

    for _ in range(50):
        angle, scale, x, y = generator.normal(0, 0.01, 4)
        other = similarity(angle, 1 + scale, (x, y))
        tried = np.column_stack([other[:, :2] @ best[:, :2], best[:, 2] + other[:, 2]])
        assert error(tried) >= error(best)


def smooth_picture(size: int, points: np.ndarray, spread: float) -> np.ndarray:
    y, x = np.mgrid[:size, :size] + 0.5
    spots = [np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * spread**2)) for px, py in points]
    return np.stack([255 * np.clip(sum(spots), 0, 1)] * 3, -1).astype(np.uint8)


def test_a_face_on_the_template_stays_as_it_is():
    points = ARCFACE_TEMPLATE + 0.5
    picture = smooth_picture(112, points, 4.0)
    np.testing.assert_allclose(align_face(picture, face_with(points)), picture, atol=1)


@pytest.mark.parametrize(("angle", "scale"), [(0.3, 3.0), (-0.5, 1.3), (0.0, 7.0)])
def test_turned_and_enlarged_faces_look_the_same(angle, scale):
    size = int(170 * scale)
    m = similarity(angle, scale, (0, 0))
    middle = (ARCFACE_TEMPLATE - 56) @ m[:, :2].T
    points = middle + size / 2
    expected = smooth_picture(112, ARCFACE_TEMPLATE + 0.5, 4.0)
    aligned = align_face(smooth_picture(size, points, 4.0 * scale), face_with(points))
    assert np.abs(aligned.astype(int) - expected).max() <= 8


def test_shrinking_averages_instead_of_picking():
    checker = (np.indices((400, 400)).sum(0) % 2 * 255).astype(np.uint8)
    small = warp_picture(np.stack([checker] * 3, -1), similarity(0, 0.1, (0, 0)), (40, 40))
    assert np.abs(small[2:-2, 2:-2].astype(int) - 128).max() <= 2


def test_a_real_face_lies_on_the_template(astronaut):
    from facevox.core.portrait.reader import read_portrait

    points = five_points(read_portrait(astronaut).landmarks)
    m = fit_similarity(points, ARCFACE_TEMPLATE)
    assert np.abs(points @ m[:, :2].T + m[:, 2] - ARCFACE_TEMPLATE).max() < 6
