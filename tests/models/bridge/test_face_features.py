from dataclasses import replace

import numpy as np
import pytest

from facevox.models.bridge.face_features import iris_size
from facevox.models.bridge.face_texture import SIDE


@pytest.fixture(scope="module")
def features(bridge):
    return bridge._perception.features


def similarity(first, second):
    a, b = (np.concatenate(list(one.values())) for one in (first, second))
    return float(np.corrcoef(a, b)[0, 1])


def test_the_flat_face_is_black_outside_and_not_inside(features, portrait):
    flat = features.texture.unwrap(portrait.pixels, portrait.landmarks)
    assert flat.shape == (SIDE, SIDE, 3)
    assert not flat[~features.texture.mask].any()
    assert flat[features.texture.inside > 0].mean() > 60


def test_only_the_face_is_seen(features, portrait):
    x0, y0, x1, y1 = (int(v) for v in portrait.face_box)
    changed = np.full_like(portrait.pixels, 0)
    inside = slice(y0 - 4, y1 + 4), slice(x0 - 4, x1 + 4)
    changed[inside] = portrait.pixels[inside]
    before, after = features(portrait), features(replace(portrait, pixels=changed))
    assert similarity(before, after) > 0.999


def test_scale_tilt_and_light_change_little(features, portrait, moved):
    before = features(portrait)
    darker = (portrait.pixels.astype(np.float32) * 0.7).astype(np.uint8)
    assert similarity(before, features(moved(scale=0.7))) > 0.95
    assert similarity(before, features(moved(degrees=15))) > 0.97
    assert similarity(before, features(replace(portrait, pixels=darker))) > 0.97


def test_left_and_right_are_alike(features, portrait):
    width = portrait.pixels.shape[1]
    landmarks = portrait.landmarks.copy()
    landmarks[:, 0] = width - 1 - landmarks[:, 0]
    mirrored = replace(
        portrait,
        pixels=np.ascontiguousarray(portrait.pixels[:, ::-1]),
        landmarks=landmarks[features.mirror],
    )
    assert similarity(features(portrait), features(mirrored)) > 0.99


def test_the_shape_of_the_mean_face_is_nothing(features, portrait):
    mean = (features.shape * 100 + 300).astype(np.float32)
    blocks = features(replace(portrait, landmarks=mean))
    np.testing.assert_allclose(blocks["upper_shape"], 0, atol=1e-4)
    np.testing.assert_allclose(blocks["lower_shape"], 0, atol=1e-4)


def test_a_face_at_the_very_edge_of_the_photo(features, portrait):
    landmarks = portrait.landmarks - np.float32([portrait.face_box[0] + 40, 0, 0])
    blocks = features(replace(portrait, landmarks=landmarks))
    assert all(np.isfinite(block).all() for block in blocks.values())


def test_iris_size_is_relative(portrait, moved):
    assert 0.14 < iris_size(portrait.landmarks) < 0.26
    assert iris_size(moved(scale=2.0).landmarks) == pytest.approx(iris_size(portrait.landmarks))
