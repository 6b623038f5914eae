import io
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import soundfile
from made_talking import TEXT, Talk, write_clip

from facevox.data.speech.clip import Dropped, Prepared, prepare_clip
from facevox.data.speech.engines import prepare_all
from facevox.data.speech.settings import PrepareSettings
from facevox.data.speech.utterance import Utterance
from facevox.data.talking import film
from facevox.models.face.mouth_basis import MouthBasis

SETTINGS = PrepareSettings(faces=True)


def utterance(path, **known):
    values = {"name": "one", "speaker": "s", "corpus": "c", "sound": path, "video": path}
    return Utterance(**{**values, "text": TEXT, **known})


def array(made, suffix):
    return np.load(io.BytesIO(made.members[f"{suffix}.npy"]), allow_pickle=False)


@pytest.fixture(scope="module")
def made(clip_file):
    return prepare_clip(utterance(clip_file), SETTINGS)


@pytest.fixture(scope="module")
def path_of(clip_file, made):
    """What the tracker says of the clip, so that spoilt twins need not be tracked again."""
    kept = []
    real = film.follow_face
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(film, "follow_face", lambda pictures: kept.append(real(pictures)) or kept[0])
        prepare_clip(utterance(clip_file), SETTINGS)
    return kept[0]


@pytest.fixture
def tracked(monkeypatch, path_of):
    """Say how the path of the face is changed; pictures are read all the same."""

    def change(how=lambda path: path):
        def follow(pictures):
            count = sum(1 for _ in pictures)
            path = how(path_of)
            return replace(path, landmarks=path.landmarks[:count], changes=path.changes[:count])

        monkeypatch.setattr(film, "follow_face", follow)

    return change


def test_sound_and_pictures_are_in_step(made):
    assert isinstance(made, Prepared)
    said = json.loads(made.members["json"])
    waveform, _ = soundfile.read(io.BytesIO(made.members["flac"]))
    pictures = len(array(made, "found"))
    assert len(waveform) == 160 * made.entry["frames"]
    assert made.entry["frames"] % 4 == 0
    assert 4 * (made.entry["first_picture"] + pictures) <= made.entry["frames"]
    assert array(made, "durations").sum() == made.entry["frames"]
    assert said["symbols"][0] == "pau"
    assert 15 <= array(made, "durations")[0] <= 18
    assert made.entry["pictures"] == pictures > 40


def test_the_tracks_fit_the_pictures(made):
    count = made.entry["pictures"]
    shapes = {
        "landmarks": (count, 478, 3), "found": (count,), "pose": (count, 3), "mouth": (count, 6),
        "lip_gap": (count,), "squares": (count, 4), "pictures": (count + 1,),
    }  # fmt: skip
    assert {part: array(made, part).shape for part in shapes} == shapes
    landmarks = array(made, "landmarks")
    assert landmarks.dtype == np.float16
    assert array(made, "found").all()
    iod = np.linalg.norm(landmarks[:, 473, :2] - landmarks[:, 468, :2].astype(float), axis=1)
    assert np.median(iod) == pytest.approx(256 / 4.6, rel=0.05)
    assert np.abs(landmarks[:, [468, 473], 0].mean() - 128) < 5
    assert np.abs(array(made, "pose")).max() < 30
    gap, mouth = array(made, "lip_gap"), array(made, "mouth")
    assert gap.max() > 0.08 > 0.02 > gap.min()
    assert np.corrcoef(gap, MouthBasis.load().gap(mouth))[0, 1] > 0.9
    assert np.abs(np.median(mouth[:4], axis=0)).max() < 0.6 < np.abs(mouth).max()
    assert made.entry["lag_sure"]
    assert abs(made.entry["lag"]) < 1


def test_the_pictures_show_what_was_filmed(made, talking):
    borders, content = array(made, "pictures"), made.members["pictures.jpgs"]
    start = json.loads(made.members["json"])["video_start"]
    x, y, size, angle = array(made, "squares")[10]
    coded = np.frombuffer(content[borders[10] : borders[11]], np.uint8)
    seen = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].astype(float)
    from facevox.core.portrait.face_crop import FaceCrop

    square = FaceCrop((float(x), float(y)), float(size), float(angle))
    cut = 255 * square.cut(talking.frames[max(start, 0) + 10], 256)
    assert np.abs(seen - cut).mean() < 4
    other = 255 * square.cut(talking.frames[max(start, 0) + 16], 256)
    mouth = (slice(150, 200), slice(95, 160))
    assert np.abs(seen - cut)[mouth].mean() < np.abs(seen - other)[mouth].mean()


def test_the_same_clip_gives_the_same_bytes(made, clip_file, tracked):
    tracked()
    again = prepare_clip(utterance(clip_file), SETTINGS)
    assert again.members == made.members
    assert again.entry == made.entry


def test_without_faces_only_stills_are_kept(clip_file):
    plain = prepare_clip(utterance(clip_file), PrepareSettings())
    assert "pictures.jpgs" not in plain.members
    assert plain.entry["faces"] == 2


@pytest.mark.parametrize("late", [5, -5])
def test_sound_that_is_shifted_by_five_frames_is_dropped(talking, tmp_path, late):
    if late > 0:
        path = write_clip(tmp_path / "a.mp4", talking, late=late)
    else:
        sound = np.concatenate([np.zeros(5 * 640, np.float32), talking.waveform])
        path = write_clip(tmp_path / "a.mp4", Talk(talking.frames, sound))
    found = prepare_clip(utterance(path), SETTINGS)
    assert isinstance(found, Dropped)
    assert found.reason == "out of sync"
    words = found.detail.split()
    assert float(words[3]) == pytest.approx(5, abs=0.6)
    assert words[5] == ("late" if late > 0 else "early")


def test_a_sound_track_that_begins_late_stays_in_step(talking, tmp_path):
    # the first three pictures are silent, and the file leaves that silence out
    sound = talking.waveform[3 * 640 :]
    path = write_clip(tmp_path / "a.mp4", Talk(talking.frames, sound), sound_late=0.12)
    found = prepare_clip(utterance(path), SETTINGS)
    assert abs(found.entry["lag"]) < 1


def test_pictures_may_begin_after_the_silence_before_the_speech(talking, made, tmp_path, tracked):
    first = max(0, json.loads(made.members["json"])["video_start"]) + 4
    path = write_clip(
        tmp_path / "a.mp4", Talk(talking.frames[first:], talking.waveform[first * 640 :])
    )
    tracked(lambda path: replace(path, landmarks=path.landmarks[4:], changes=path.changes[4:]))
    found = prepare_clip(utterance(path), SETTINGS)
    assert isinstance(found, Prepared)
    assert 0 < found.entry["first_picture"] <= 5
    assert abs(found.entry["lag"]) < 1.5
    assert found.entry["frames"] >= 4 * (found.entry["first_picture"] + found.entry["pictures"])


@pytest.mark.parametrize(
    ("reason", "settings"),
    [
        ("face too small", {"least_iod": 90.0}),
        ("side face", {"most_yaw": 0.1}),
        ("too dark", {"light": (230.0, 255.0)}),
        ("too bright", {"light": (0.0, 10.0)}),
    ],
)
def test_what_the_settings_refuse(clip_file, tracked, reason, settings):
    tracked()
    found = prepare_clip(utterance(clip_file), PrepareSettings(faces=True, **settings))
    assert (found.name, found.reason) == ("one", reason)


def lost(path):
    landmarks = path.landmarks.copy()
    landmarks[5:25] = np.nan
    return replace(path, landmarks=landmarks)


def jumping(path):
    landmarks = path.landmarks.copy()
    landmarks[20:, :, 0] += 60
    return replace(path, landmarks=landmarks)


def walking(path):
    landmarks = path.landmarks.copy()
    landmarks[:, :, 0] += 400 * (np.arange(len(landmarks)) // 12 % 2)[:, None]
    return replace(path, landmarks=landmarks, changes=path.changes)


def cut(path):
    return replace(path, changes=np.where(np.arange(len(path.changes)) == 9, 60, path.changes))


def nobody(path):
    return replace(path, landmarks=np.full_like(path.landmarks, np.nan))


def crowd(path):
    looks = [(number, [*faces, faces[0].moved(x=150)]) for number, faces in path.looks]
    return replace(path, looks=looks)


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        ("face lost", lost),
        ("no face", nobody),
        ("several faces", crowd),
        ("jump", jumping),
        ("cut", cut),
    ],
)
def test_what_the_path_of_the_face_refuses(clip_file, tracked, reason, how):
    tracked(how)
    assert prepare_clip(utterance(clip_file), SETTINGS).reason == reason


def test_a_restless_face(clip_file, tracked, monkeypatch):
    tracked(walking)
    monkeypatch.setattr(film, "check_cuts", lambda *values: None)
    assert prepare_clip(utterance(clip_file), SETTINGS).reason == "restless"


def test_a_face_at_the_border(talking, tmp_path, tracked):
    tight = Talk(talking.frames[:, 30:190, 60:200], talking.waveform)

    def moved(path):
        landmarks = path.landmarks - np.array([60, 30, 0], np.float32)
        return replace(path, landmarks=landmarks)

    tracked(moved)
    path = write_clip(tmp_path / "a.mp4", tight)
    settings = PrepareSettings(faces=True, most_outside=0.1)
    assert prepare_clip(utterance(path), settings).reason == "cut off"


def test_a_still_picture_with_sound_is_frozen(talking, tmp_path, tracked):
    still = Talk(np.repeat(talking.frames[:1], len(talking.frames), 0), talking.waveform)
    tracked()
    path = write_clip(tmp_path / "a.mp4", still)
    assert prepare_clip(utterance(path), SETTINGS).reason == "frozen"


def test_a_video_that_ends_before_its_sound(talking, tmp_path, tracked):
    tracked()
    path = write_clip(tmp_path / "a.mp4", Talk(talking.frames[:30], talking.waveform))
    found = prepare_clip(utterance(path), SETTINGS)
    assert found.reason == "no pictures"


def test_sound_without_video_is_dropped(clip_file):
    found = prepare_clip(utterance(clip_file, video=None), SETTINGS)
    assert found.reason == "no video"


def test_a_part_begins_with_a_picture(clip_file, tracked):
    tracked()
    whole = prepare_clip(utterance(clip_file), SETTINGS)
    part = prepare_clip(utterance(clip_file, span=(0.05, 2.99)), SETTINGS)
    start = json.loads(whole.members["json"])["video_start"]
    assert abs(json.loads(part.members["json"])["video_start"] - start) <= 1
    assert isinstance(part, Prepared)
    assert abs(part.entry["lag"]) < 1.5


def test_another_process_gives_the_same(made, clip_file):
    (other,) = prepare_all([utterance(clip_file)], SETTINGS, engine="process", jobs=2)
    assert other.members == made.members
