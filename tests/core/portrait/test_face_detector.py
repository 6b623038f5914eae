import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facevox.core.portrait.face_detector import (
    FULL_RANGE,
    SHORT_RANGE,
    Detection,
    find_faces,
    merge_detections,
)


def detection(x: float, y: float, size: float, score: float = 0.9) -> Detection:
    box = np.array([x, y, x + size, y + size], float)
    return Detection(score, box, np.tile(box[:2], (6, 1)) + size / 2)


def test_grids_have_as_many_cells_as_the_networks_answers():
    assert SHORT_RANGE._anchors.shape == (896, 2)
    assert FULL_RANGE._anchors.shape == (2304, 2)
    for network in (SHORT_RANGE, FULL_RANGE):
        assert np.allclose(network._anchors.mean(0), 0.5)


faces = st.builds(
    detection, st.floats(0, 500), st.floats(0, 500), st.floats(20, 200), st.floats(0.5, 1)
)


@given(st.lists(faces, max_size=8), st.randoms(use_true_random=False))
def test_merging_ignores_order_and_is_done_after_one_go(found, random):
    shuffled = random.sample(found, len(found))
    one = [face.score for face in merge_detections(found)]
    assert one == sorted(one, reverse=True)
    assert len({face.score for face in found}) < len(found) or one == [
        face.score for face in merge_detections(shuffled)
    ]


@given(faces, st.integers(1, 5))
def test_copies_of_a_face_are_one_face(face, count):
    (merged,) = merge_detections([face] * count)
    assert np.allclose(merged.box, face.box)
    assert np.allclose(merged.points, face.points)


def test_neighbours_stay_apart_and_nested_boxes_do_not():
    assert len(merge_detections([detection(0, 0, 100), detection(90, 0, 100)])) == 2
    assert len(merge_detections([detection(0, 0, 100), detection(30, 30, 40)])) == 1
    assert len(merge_detections([detection(0, 0, 100), detection(60, 60, 38)])) == 2


def test_the_astronaut_is_found_wherever_she_is(astronaut):
    (face,) = find_faces(astronaut)
    x0, y0, x1, _ = face.box
    assert 170 < x0 < 200
    assert 60 < y0 < 100
    assert 80 < x1 - x0 < 110
    wide = np.zeros((900, 1600, 3), np.uint8)
    wide[300:812, 1000:1512] = astronaut
    moved, *_ = find_faces(wide, closer=True)
    assert np.allclose(moved.points, face.points + np.array([1000, 300]), atol=4)


def test_both_networks_agree(astronaut):
    short, full = (network(astronaut)[0] for network in (SHORT_RANGE, FULL_RANGE))
    assert np.abs(short.points[:4] - full.points[:4]).max() < 8
    assert short.score > 0.8
    assert full.score > 0.8


def test_nothing_is_found_in_black():
    assert find_faces(np.zeros((300, 400, 3), np.uint8), closer=True) == []
    assert find_faces(np.zeros((64, 1000, 3), np.uint8), closer=True) == []
