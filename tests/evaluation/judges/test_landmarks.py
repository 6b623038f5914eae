import numpy as np
import pytest

from facevox.core.errors import CheckpointError, MissingPiece
from facevox.core.portrait.reader import read_portrait
from facevox.evaluation.judges.landmarks import (
    CropTracker,
    LandmarkTracker,
    load_attention_mesh,
    load_face_landmarker,
)


@pytest.fixture(scope="module")
def mesh():
    return load_attention_mesh()


@pytest.fixture(params=["attention-mesh", "face-landmarker"])
def tracker(request, shared, mesh):
    if request.param == "attention-mesh":
        return mesh
    return load_face_landmarker(shared / "models" / "face_landmarker.task")


def moved(pixels, x, y=0):
    return np.roll(pixels, (y, x), axis=(0, 1))


def test_a_tracker_keeps_the_protocol(mesh):
    assert isinstance(mesh, LandmarkTracker)


def test_a_missing_bundle_is_named(tmp_path):
    with pytest.raises(MissingPiece, match=r"absent\.task"):
        load_face_landmarker(tmp_path / "absent.task")


def test_what_is_no_bundle_is_refused(tmp_path):
    (tmp_path / "broken.task").write_bytes(b"not a bundle")
    with pytest.raises(CheckpointError, match=r"face_landmarker\.task"):
        load_face_landmarker(tmp_path / "broken.task")


def test_tracker_and_product_see_the_same_face(tracker, astronaut):
    portrait = read_portrait(astronaut)
    (points,) = tracker.track([portrait.pixels])
    distance = np.linalg.norm(points - portrait.landmarks, axis=1)
    assert np.median(distance) / portrait.iod < 0.05


def test_the_mesh_follows_a_moving_face(mesh, astronaut):
    steps = [0, 4, 9, 15]
    track = mesh.track(moved(astronaut, step) for step in steps)
    shift = (track[:, :, 0] - track[0, :, 0]).mean(1)
    assert shift == pytest.approx(steps, abs=1.0)


def test_frames_without_a_face_are_nan_and_the_face_is_found_again(tracker, astronaut):
    blank = np.zeros_like(astronaut)
    frames = [blank, astronaut, blank, blank, moved(astronaut, 60)]
    track = tracker.track(frames)
    assert track.dtype == np.float32
    assert np.isfinite(track[:, :, 0]).all(1).tolist() == [False, True, False, False, True]
    assert not np.isfinite(track[0]).any()


def test_a_jump_is_followed(mesh, astronaut):
    there = mesh.track([moved(astronaut, 150)])[0]
    jumped = mesh.track([astronaut, moved(astronaut, 150)])[1]
    assert np.abs(jumped - there).mean() < 2.0


def test_no_frame_no_row(mesh):
    assert mesh.track([]).shape == (0, 478, 3)


def test_same_frames_same_bytes(mesh, astronaut):
    frames = [astronaut, moved(astronaut, 3)]
    assert mesh.track(frames).tobytes() == mesh.track(frames).tobytes()


def test_of_two_faces_the_one_followed_is_found_again(mesh, astronaut):
    small = np.ascontiguousarray(astronaut[::2, ::2])
    pair = np.zeros((512, 768, 3), np.uint8)
    pair[:, :512], pair[128:384, 512:] = astronaut, small
    right_only = pair.copy()
    right_only[:, :512] = 0
    track = mesh.track([right_only, np.zeros_like(pair), pair])
    assert (track[2, :, 0].mean() > 512) == (track[0, :, 0].mean() > 512)


def test_a_sure_network_never_loses_the_face(astronaut):
    def everything(square):
        return np.full((478, 3), 40.0, np.float32) + np.arange(478)[:, None] / 10, 1.0

    tracker = CropTracker(look=everything, side=96, min_confidence=0.5, passes=2, views=(0.9, 1.1))
    assert np.isfinite(tracker.track([astronaut, astronaut])).all()


def test_patience_ends_the_closer_looks(monkeypatch):
    from facevox.core.portrait import face_tracker

    asked = []
    monkeypatch.setattr(
        face_tracker, "find_faces", lambda pixels, closer=False: asked.append(closer) or []
    )
    blank = np.zeros((64, 64, 3), np.uint8)
    tracker = CropTracker(look=lambda face: None, side=96, min_confidence=0.0, patience=2)
    assert np.isnan(tracker.track([blank] * 4)).all()
    assert asked == [False, True, False, True, False, False]
