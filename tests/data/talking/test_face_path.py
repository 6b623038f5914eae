import numpy as np
import pytest

from facevox.core.portrait.reader import read_portrait
from facevox.data.talking.face_path import (
    bridge,
    follow_face,
    held_share,
    outside_share,
    squares_around,
)


@pytest.fixture(scope="module")
def points(astronaut):
    return read_portrait(astronaut).landmarks


def moving(points, way):
    path = np.tile(points, (len(way), 1, 1))
    path[:, :, 0] += np.asarray(way, np.float32)[:, None]
    return path


def test_a_face_is_followed(astronaut):
    blank = np.zeros_like(astronaut)
    path = follow_face([astronaut, np.roll(astronaut, 3, 1), blank])
    assert path.found.tolist() == [True, True, False]
    step = path.landmarks[1, :, 0] - path.landmarks[0, :, 0]
    assert step.mean() == pytest.approx(3, abs=1)
    assert path.changes[0] == 0
    assert path.changes[2] > 50 > path.changes[1] > 0
    assert [(number, len(faces)) for number, faces in path.looks] == [(0, 1)]


def test_holes_are_bridged(points):
    whole = moving(points, np.arange(10.0))
    holes = whole.copy()
    holes[[0, 4, 5, 9]] = np.nan
    filled = bridge(holes)
    assert filled[1:9] == pytest.approx(whole[1:9], abs=1e-3)
    assert (filled[0] == whole[1]).all()
    assert (filled[9] == whole[8]).all()


def test_a_quiet_head_has_one_square(points):
    squares = squares_around(moving(points, 5 * np.sin(np.arange(50))))
    assert all(square is squares[0] for square in squares)
    assert held_share(squares, moving(points, np.zeros(50))) == 1


def test_a_walking_head_is_followed_slowly(points):
    way = np.linspace(0, 200, 100)
    squares = squares_around(moving(points, way))
    centers = np.array([square.center[0] for square in squares])
    assert np.abs(np.diff(centers)).max() < 2.2
    assert np.diff(centers).min() >= 0
    assert centers - centers[0] == pytest.approx(way, abs=2)
    assert len({square.size for square in squares}) == 1
    assert held_share(squares, moving(points, way)) == 1


def test_a_jumping_head_leaves_its_square(points):
    way = 400.0 * (np.arange(100) // 10 % 2)
    path = moving(points, way)
    assert held_share(squares_around(path), path) < 0.9


def test_what_lies_beyond_the_picture(points):
    squares = squares_around(moving(points, np.zeros(30)))
    assert outside_share(squares, 5000, 5000) == pytest.approx(0, abs=0.2)
    x, _ = squares[0].center
    assert outside_share(squares, 5000, int(x)) == pytest.approx(0.5, abs=0.1)


def test_the_square_carries_points_there_and_back(points):
    square = squares_around(points[None])[0]
    there = square.to_square(points, 256)
    assert square.to_photo(there, 256) == pytest.approx(points, abs=1e-2)
    eyes = there[[468, 473]]
    assert eyes[0, 1] == pytest.approx(eyes[1, 1], abs=0.1)
    assert np.linalg.norm(eyes[1] - eyes[0]) == pytest.approx(256 / 4.6, abs=3)
