import numpy as np
import pytest

from facevox.core.portrait.face_detector import Detection
from facevox.core.portrait.reader import read_portrait
from facevox.data.speech.settings import PrepareSettings
from facevox.data.talking.checks import (
    UnusableFace,
    check_cuts,
    check_found,
    check_frozen,
    check_light,
    check_place,
    check_rivals,
)

SETTINGS = PrepareSettings()


@pytest.fixture(scope="module")
def landmarks(astronaut):
    """The NASA portrait, standing still for 50 pictures."""
    return np.tile(read_portrait(astronaut).landmarks, (50, 1, 1))


def refused(check, *values):
    with pytest.raises(UnusableFace) as caught:
        check(*values)
    return caught.value.args


def face(x, y, size):
    box = np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2])
    return Detection(0.9, box, np.zeros((6, 2)))


def test_faces_that_are_missing():
    found = np.ones(20, bool)
    check_found(found, SETTINGS)
    found[:2] = False
    check_found(found, SETTINGS)
    found[2] = False
    assert refused(check_found, found, SETTINGS) == ("face lost", "seen in 85% of the pictures")
    assert refused(check_found, found & False, SETTINGS)[0] == "no face"
    assert refused(check_found, found[:0], SETTINGS)[0] == "no face"


def test_rivals_are_as_large_as_the_face(landmarks):
    x, y = landmarks[0, :, :2].mean(0)
    own, small, large = face(x + 3, y, 100), face(400, y, 60), face(400, y, 80)
    check_rivals([(0, [own]), (25, [own, small])], landmarks)
    check_rivals([(0, [own, large]), (1, [own]), (25, [own])], landmarks)
    reason, detail = refused(check_rivals, [(0, [own, large]), (25, [large, own])], landmarks)
    assert (reason, detail) == ("several faces", "2 faces are about equally large")
    check_rivals([(0, [])], landmarks)


def test_small_and_turned_faces(landmarks):
    iod = check_place(landmarks, SETTINGS)
    assert 35 < iod < 50
    small = refused(check_place, 0.4 * landmarks, SETTINGS)
    assert small[0] == "face too small"
    centred = landmarks - landmarks.mean(1, keepdims=True)
    angle = np.radians(65)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    aside = 3 * (centred @ turn.T).astype(np.float32)
    assert refused(check_place, aside, SETTINGS)[0] == "side face"
    few = np.concatenate([3 * centred] * 10 + [aside])
    check_place(few.astype(np.float32), SETTINGS)


def test_cuts_and_jumps(landmarks):
    calm = np.r_[0, np.full(49, 3.0)]
    check_cuts(landmarks, calm, 40.0)
    changes = calm.copy()
    changes[30] = 40.0
    assert refused(check_cuts, landmarks, changes, 40.0) == (
        "cut",
        "the whole picture changes at 1.20 s",
    )
    jumped = landmarks.copy()
    jumped[20:, :, 0] += 30
    assert refused(check_cuts, jumped, calm, 40.0) == ("jump", "the face moves too far at 0.80 s")
    slow = landmarks + np.arange(50, dtype=np.float32)[:, None, None] * 8
    check_cuts(slow, calm, 40.0)
    grown = landmarks.copy()
    grown[20:] *= 1.05
    middle = landmarks.mean(1, keepdims=True)
    grown[20:] = middle[20:] + 1.4 * (landmarks[20:] - middle[20:])
    assert refused(check_cuts, grown, calm, 40.0)[1].startswith("the face grows")
    lost = landmarks.copy()
    lost[10:40] = np.nan
    check_cuts(lost, calm, 40.0)


def test_light():
    check_light(np.full(9, 120.0), SETTINGS)
    assert refused(check_light, np.full(9, 20.0), SETTINGS)[0] == "too dark"
    assert refused(check_light, np.full(9, 250.0), SETTINGS)[0] == "too bright"


def test_pictures_that_stand_still():
    moving = np.full(75, 1.0)
    check_frozen(moving)
    frozen = moving.copy()
    frozen[20:45] = 0.0
    assert refused(check_frozen, frozen) == ("frozen", "nothing moves for 1.0 s")
    half = moving.copy()
    half[::2] = 0.0
    check_frozen(half)
    most = np.where(np.arange(75) % 3, 0.0, 1.0)
    assert refused(check_frozen, most)[0] == "frozen"
    check_frozen(np.zeros(1))
