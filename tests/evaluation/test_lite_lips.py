import pytest
from made_media import tell

from facevox.data.grid import list_clips, sentence_of
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metrics.lip_sync import LipSync
from facevox.evaluation.metrics.silent_lips import SilentLips
from facevox.recipes.offline_sync import write_late_pictures


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


def test_pictures_that_are_late_are_found_from_the_sound_alone(spoken, tmp_path):
    pytest.importorskip("pocketsphinx")
    media = spoken[1]
    late = write_late_pictures(media.clip.video, 5, tmp_path / "late.mp4")
    heard = ClipMedia(Clip(name="late", video=late, text=media.clip.text), media.judges)
    tell(heard, landmarks=media.landmarks)
    assert float(LipSync().observe(heard)["lag"]) == pytest.approx(5, abs=0.6)


def test_a_recording_is_in_step(shared):
    pytest.importorskip("pocketsphinx")
    clip = list_clips(shared / "data" / "talking" / "grid_s1")[0]
    text = " ".join(sentence_of(clip.name))
    media = ClipMedia(Clip(name=clip.name, video=clip.video, text=text), Judges(shared))
    seen = LipSync().observe(media)
    assert abs(float(seen["lag"])) <= 1.5
    assert seen["correlation"] > 0.4
    assert seen["closed"][0] == seen["closed"][1] > 0
