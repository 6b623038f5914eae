import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facevox.core.portrait import attention_mesh as network
from facevox.core.portrait.attention_mesh import LEFT_EYE, LIPS, RIGHT_EYE
from facevox.core.portrait.face_mesh import VIEWS, crop_around, fit_mesh
from facevox.core.portrait.tflite_graph import cut_graph


def test_the_refined_points_are_distinct():
    lists = [*LIPS, *RIGHT_EYE, *LEFT_EYE]
    assert (len(LIPS), len(RIGHT_EYE), len(LEFT_EYE)) == (80, 71, 71)
    assert len(set(lists)) == len(lists)
    assert 0 <= min(lists) <= max(lists) < 468


@given(st.floats(-0.7, 0.7), st.floats(10, 30), st.floats(15, 33))
def test_a_patch_covers_its_region_with_a_quarter_to_spare(angle, size, middle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mesh = np.random.default_rng(0).uniform(-0.5, 0.5, (468, 3)) * size
    mesh[61, :2], mesh[291, :2] = (-0.5 * size, 0), (0.5 * size, 0)
    mesh[:, :2] = mesh[:, :2] @ turn.T + middle
    matrix = network._region_matrix(mesh, network._REGIONS[0])
    places = (mesh[list(LIPS), :2] - matrix[:2, 3]) @ np.linalg.inv(matrix[:2, :2]).T
    low, high = 16 * (0.5 - 1 / 3), 16 * (0.5 + 1 / 3)
    assert np.allclose(places.min(0), low, atol=0.01)
    assert np.allclose(places.max(0), high, atol=0.01)


def test_sampling_reads_linear_maps_exactly_and_zero_outside():
    rows, columns = np.mgrid[0:48, 0:48].astype(np.float32)
    features = np.stack([rows, columns, rows * 0 + 1], axis=-1)
    matrix = np.eye(4, dtype=np.float32)
    matrix[:2, :2] = [[1.3, -0.4], [0.4, 1.3]]
    matrix[:2, 3] = (20, 5)
    patch = network._sample(features, matrix)
    y, x = np.mgrid[0:16, 0:16] + 0.5
    assert np.allclose(patch[..., 1], 1.3 * x - 0.4 * y + 19.5, atol=1e-4)
    assert np.allclose(patch[..., 0], 0.4 * x + 1.3 * y + 4.5, atol=1e-4)
    matrix[:2, 3] = (400, 400)
    assert not network._sample(features, matrix).any()


def test_a_graph_is_cut_only_where_it_has_operators():
    content = network._TRUNK.path.read_bytes()
    with pytest.raises(ValueError, match="712 operators"):
        cut_graph(content, range(700, 800), [0], [186])


def test_the_mesh_has_eyes_above_the_mouth_and_irises_between_the_lids(astronaut, portrait):
    points = portrait.landmarks
    assert points[33, 0] < points[468, 0] < points[133, 0]
    assert points[362, 0] < points[473, 0] < points[263, 0]
    for lid_above, iris, lid_below in ((159, 468, 145), (386, 473, 374)):
        assert points[lid_above, 1] < points[iris, 1] < points[lid_below, 1]
    assert points[13, 1] <= points[14, 1]
    assert points[[168, 4, 13, 17, 152], 1].tolist() == sorted(points[[168, 4, 13, 17, 152], 1])
    assert points[4, 2] == points[:, 2].min()  # the tip of the nose is nearest


def test_the_same_photo_gives_the_same_bytes(astronaut, portrait):
    crop = crop_around(portrait.landmarks)
    one, two = fit_mesh(astronaut, crop), fit_mesh(astronaut, crop)
    assert one.landmarks.tobytes() == two.landmarks.tobytes()
    assert one.confidence == two.confidence


def test_the_mesh_hardly_depends_on_the_crop(astronaut, portrait):
    crop = crop_around(portrait.landmarks)
    for scale, shift, angle in ((1.2, 0, 0.0), (0.85, 5, 0.0), (1, -6, 0.15), (1, 0, -0.2)):
        moved = type(crop)((crop.center[0] + shift, crop.center[1]), crop.size * scale, angle)
        error = (fit_mesh(astronaut, moved).landmarks - portrait.landmarks)[:, :2]
        assert np.linalg.norm(error, axis=1).mean() < 0.015 * portrait.iod
    assert len(VIEWS) == 3


def test_a_mirrored_photo_gives_a_mirrored_face(astronaut, portrait):
    from facevox.core.portrait.reader import read_portrait

    mirrored = read_portrait(np.ascontiguousarray(astronaut[:, ::-1]))
    width = astronaut.shape[1]
    for one, other in ((61, 291), (33, 263), (468, 473), (13, 13), (4, 4)):
        expected = np.array([width - portrait.landmarks[one, 0], portrait.landmarks[one, 1]])
        assert np.linalg.norm(mirrored.landmarks[other, :2] - expected) < 0.06 * portrait.iod
