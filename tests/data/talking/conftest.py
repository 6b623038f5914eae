from dataclasses import replace

import numpy as np
import pytest
from made_talking import talk, write_clip

from facevox.data.talking import film
from facevox.data.talking.face_path import follow_face
from facevox.data.talking.pictures import read_pictures


@pytest.fixture(scope="session")
def talking(lite, astronaut):
    """The NASA portrait speaking a sentence."""
    pytest.importorskip("pocketsphinx")
    return talk(lite, astronaut)


@pytest.fixture(scope="session")
def clip_file(talking, tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "one.mp4", talking)


@pytest.fixture(scope="session")
def tracked_once(clip_file):
    """All pictures of the clip and the way of its face."""
    pictures = list(read_pictures(clip_file, 0, 1000))
    return pictures, follow_face(pictures)


@pytest.fixture
def quick(monkeypatch, tracked_once):
    """Let parts of the clip be tracked at once: what was seen is known."""
    pictures, path = tracked_once

    def follow(part):
        part = list(part)
        first = next(k for k, pixels in enumerate(pictures) if np.array_equal(pixels, part[0]))
        rows = slice(first, first + len(part))
        landmarks, changes = path.landmarks[rows], path.changes[rows]
        return replace(path, landmarks=landmarks, changes=changes, looks=path.looks[:1])

    monkeypatch.setattr(film, "follow_face", follow)
