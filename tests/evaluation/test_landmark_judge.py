import numpy as np
import pytest

from facevox.core.errors import InputError, MissingPiece
from facevox.core.portrait.reader import read_portrait
from facevox.evaluation.landmark_judge import LandmarkJudge, read_frames
from facevox.evaluation.lips import lip_gap, score_lips


@pytest.fixture(scope="module")
def judge(shared):
    return LandmarkJudge(shared / "models" / "face_landmarker.task")


def test_a_missing_judge_is_named(tmp_path):
    with pytest.raises(MissingPiece, match=r"face_landmarker\.task"):
        LandmarkJudge(tmp_path / "absent.task")
    (tmp_path / "broken.task").write_bytes(b"not a bundle")
    with pytest.raises(MissingPiece, match="not a zip"):
        LandmarkJudge(tmp_path / "broken.task")


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"not a video")
    with pytest.raises(InputError, match="cannot be read as a video"):
        list(read_frames(tmp_path / "a.mp4"))


def test_the_judge_and_the_product_see_the_same_face(judge, astronaut):
    portrait = read_portrait(astronaut)
    distance = np.linalg.norm(judge.portrait(portrait) - portrait.landmarks, axis=1)
    assert np.median(distance) / portrait.iod < 0.05


@pytest.fixture(scope="module")
def judged(lite, judge, astronaut, tmp_path_factory):
    text = "My baby boy put a big blue map beside the lamp. Why? Papa had to pay for it."
    face = lite.generate(astronaut, text, seed=1)
    path = face.save(tmp_path_factory.mktemp("video") / "lips.mp4").path
    gap = lip_gap(judge.track(path))
    return score_lips(gap, face.alignment(), float(face.clock.fps)), len(gap), face


def test_lips_on_a_finished_video_keep_what_is_promised(judged):
    score, _, _ = judged
    assert score.closures >= 10
    assert score.closed >= 0.9 * score.closures
    assert score.correlation >= 0.6
    assert abs(score.lag) <= 1
    assert score.pauses >= 1
    assert score.pause_motion < 0.1


def test_every_frame_is_judged(judged):
    _, frames, face = judged
    assert frames == face.clock.num_frames(len(face.waveform()))
