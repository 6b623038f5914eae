"""The mesh against points that people placed by hand (London and Canada sets)."""

import json

import numpy as np
import pytest

from facevox.core.portrait.reader import read_portrait

# hand-placed point and landmark that mean the same place
PUPILS = ((0, 468), (1, 473))
EYE_CORNERS = ((18, 33), (22, 133), (23, 362), (27, 263))
MOUTH_CORNERS = ((87, 61), (93, 291))
UPPER_LIP = ((89, 37), (90, 0), (91, 267))


@pytest.fixture(scope="module")
def pairs(shared):
    photos = [
        *sorted((shared / "data/faces/london/neutral").glob("*.jpg"))[::8],
        *sorted((shared / "data/faces/canada").glob("*.jpg"))[::8],
    ]
    if not photos:
        pytest.skip("the hand-marked portraits are not here")
    measured = []
    for photo in photos:
        hand = np.array(json.loads(photo.with_suffix(".json").read_text()))
        portrait = read_portrait(photo)
        measured.append((hand / portrait.iod, portrait.landmarks[:, :2] / portrait.iod))
    return measured


@pytest.mark.parametrize(
    ("points", "limit"),
    [(PUPILS, 0.03), (EYE_CORNERS, 0.03), (MOUTH_CORNERS, 0.035), (UPPER_LIP, 0.03)],
)
def test_points_lie_where_people_put_them(pairs, points, limit):
    errors = [
        np.linalg.norm(hand[one] - mesh[other]) for hand, mesh in pairs for one, other in points
    ]
    assert np.mean(errors) < limit


def test_the_lips_are_as_far_apart_as_people_say(pairs):
    errors = [(mesh[14, 1] - mesh[13, 1]) - (hand[101, 1] - hand[96, 1]) for hand, mesh in pairs]
    assert np.mean(np.abs(errors)) < 0.02
