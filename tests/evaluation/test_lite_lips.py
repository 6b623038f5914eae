import pytest

from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.lips import sentences_for
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metrics.lip_sync import LipSync
from facevox.evaluation.metrics.silent_lips import SilentLips


@pytest.fixture(scope="module")
def spoken(lite, astronaut, tmp_path_factory):
    text = "My baby boy put a big blue map beside the lamp. Why? Papa had to pay for it."
    face = lite.generate(astronaut, text, seed=1)
    path = face.save(tmp_path_factory.mktemp("video") / "lips.mp4").path
    clip = Clip(name="lips", video=path, text=text, phones=tuple(face.alignment()))
    return face, ClipMedia(clip, Judges(path.parent))


def test_lips_on_a_finished_video_keep_what_is_promised(spoken):
    seen = LipSync().observe(spoken[1])
    closed, closures = seen["closed"]
    assert closures >= 10
    assert closed >= 0.9 * closures
    assert seen["correlation"] >= 0.6
    assert abs(float(seen["lag"])) <= 1


def test_lips_rest_in_pauses(spoken):
    seen = SilentLips().observe(spoken[1])
    assert seen["range"] < 10
    assert seen["ratio"] < 10


def test_every_frame_is_judged(spoken):
    face, media = spoken
    assert len(media.landmarks) == face.clock.num_frames(len(face.waveform()))


def test_each_face_speaks_its_own_sentences():
    assert sentences_for(0, 3) != sentences_for(1, 3)
    assert sentences_for(0, 3).count(".") == 3
