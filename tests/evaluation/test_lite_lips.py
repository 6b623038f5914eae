import pytest

from facevox.evaluation.judges.landmarks import load_face_landmarker
from facevox.evaluation.lips import lip_gap, score_lips
from facevox.evaluation.media import read_frames


@pytest.fixture(scope="module")
def judge(shared):
    return load_face_landmarker(shared / "models" / "face_landmarker.task")


@pytest.fixture(scope="module")
def judged(lite, judge, astronaut, tmp_path_factory):
    text = "My baby boy put a big blue map beside the lamp. Why? Papa had to pay for it."
    face = lite.generate(astronaut, text, seed=1)
    path = face.save(tmp_path_factory.mktemp("video") / "lips.mp4").path
    gap = lip_gap(judge.track(read_frames(path)))
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
