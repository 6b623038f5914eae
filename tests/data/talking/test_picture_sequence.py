import numpy as np
import pytest

from facevox.core.errors import DataError
from facevox.data.talking.picture_sequence import decode_picture, encode_pictures


@pytest.fixture(scope="module")
def pictures():
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    red = np.stack([np.tile(ramp, (64, 1)), np.zeros((64, 64), np.uint8)], -1)
    return [np.concatenate([red, np.full((64, 64, 1), 50 * k, np.uint8)], -1) for k in range(4)]


def test_any_picture_comes_back(pictures):
    content, borders = encode_pictures(pictures, 95)
    assert len(borders) == 5
    assert borders[-1] == len(content)
    for number in (3, 0, 2):
        seen = decode_picture(content, borders, number).astype(float)
        assert np.abs(seen - pictures[number]).mean() < 4


def test_quality_costs_space(pictures):
    assert len(encode_pictures(pictures, 95)[0]) > len(encode_pictures(pictures, 50)[0])


def test_what_is_not_there_or_damaged_is_told(pictures):
    content, borders = encode_pictures(pictures, 90)
    for number in (4, -1):
        with pytest.raises(DataError, match=f"no picture {number}; the clip has 4"):
            decode_picture(content, borders, number)
    with pytest.raises(DataError, match="picture 1 of a clip is damaged"):
        decode_picture(content[: borders[1]], borders, 1)
    with pytest.raises(DataError, match="damaged"):
        decode_picture(b"?" * len(content), borders, 2)
