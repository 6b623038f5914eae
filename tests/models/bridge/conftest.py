from dataclasses import replace

import cv2
import numpy as np
import pytest

from facevox.core.errors import MissingPiece
from facevox.core.portrait.reader import read_portrait
from facevox.models.bridge.face_to_voice import FaceToVoice


@pytest.fixture(scope="session")
def bridge():
    return FaceToVoice.load()


@pytest.fixture(scope="session")
def portrait(astronaut):
    try:
        return read_portrait(astronaut)
    except MissingPiece as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def moved(portrait):
    """Return a function that scales and turns a portrait with its landmarks."""

    def move(scale=1.0, degrees=0.0):
        height, width = portrait.pixels.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
        size = (int(width * scale), int(height * scale))
        matrix[:, 2] += (np.array(size) - [width, height]) / 2
        landmarks = portrait.landmarks.copy()
        landmarks[:, :2] = landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        landmarks[:, 2] *= scale
        pixels = cv2.warpAffine(portrait.pixels, matrix, size, flags=cv2.INTER_AREA)
        return replace(portrait, pixels=pixels, landmarks=landmarks.astype(np.float32))

    return move
