import io
import json

import numpy as np
import pytest
import soundfile
import torch
from made_speech import babble

from facevox.core.errors import DataError
from facevox.data.shards import FORMAT, MANIFEST, Shards, write_index, write_shard
from facevox.data.talking.film import to_npy
from facevox.data.talking.picture_sequence import encode_pictures
from facevox.data.talking_samples import (
    SOURCE_DISTANCE,
    TalkingClip,
    cut_window,
    draw_window,
    talking,
)
from facevox.models.speech.mel import MelSpectrogram

FIRST, PICTURES, MEL = 3, 60, 256
DURATIONS = np.array([30, 50, 76, 40, 60])


def made_members(pictures=PICTURES, *, text=True, lost=()):
    """A sample whose picture k has grey level 4 k, and whose tracks say k."""
    levels = [np.full((32, 32, 3), 4 * number, np.uint8) for number in range(pictures)]
    content, borders = encode_pictures(levels, 90)
    sound = babble(seconds=3.0)[: MEL * 160]
    flac = io.BytesIO()
    soundfile.write(flac, sound, 16_000, format="FLAC", subtype="PCM_16")
    count = np.arange(pictures, dtype=np.float32)
    found = np.ones(pictures, bool)
    found[list(lost)] = False
    said = {"speaker": "me", "frames": MEL, "first_picture": FIRST}
    members = {
        "flac": flac.getvalue(), "pictures.jpgs": content, "pictures.npy": to_npy(borders),
        "landmarks.npy": to_npy(np.tile(count[:, None, None], (1, 478, 3)).astype(np.float16)),
        "found.npy": to_npy(found), "pose.npy": to_npy(np.tile(count[:, None], 3)),
        "mouth.npy": to_npy(np.tile(count[:, None], 6)), "lip_gap.npy": to_npy(count),
    }  # fmt: skip
    if text:
        said |= {"symbols": ["pau", "m", "ay1", "b", "."], "tags": [0, 1, 2, 2, 0]}
        members["durations.npy"] = to_npy(DURATIONS.astype(np.int32))
    return members | {"json": json.dumps(said).encode()}


@pytest.fixture
def clip():
    return TalkingClip(made_members(), "one")


def test_pictures_tracks_and_sound_are_in_step(clip):
    window = cut_window(clip, 10, 5, source=50)
    assert window.first == FIRST + 10
    assert [round(pixels.mean() / 4) for pixels in window.pictures] == [10, 11, 12, 13, 14]
    for track in (window.landmarks[:, 0, 0], window.head_pose[:, 1], window.lip_gap):
        assert track.tolist() == [10, 11, 12, 13, 14]
    assert window.mouth[2].tolist() == [12] * 6
    assert window.landmarks.dtype == np.float32
    assert (round(window.source.mean() / 4), window.source_landmarks[0, 0]) == (50, 50)
    assert window.source_number == FIRST + 50
    whole = MelSpectrogram()(torch.from_numpy(clip.waveform)[None])[0].numpy()
    assert (window.mel == whole[:, 4 * 13 : 4 * 18]).all()


def test_symbols_are_those_that_are_heard(clip):
    # pictures 13 to 37 of the timeline: mel frames 52 to 151
    window = cut_window(clip, 10, 25, source=0)
    assert window.symbols == ("m", "ay1")
    assert window.tags == (1, 2)
    assert window.durations.tolist() == [28, 72]
    assert window.durations.sum() == window.mel.shape[1] == 100
    assert window.first_token == 1
    whole = cut_window(clip, 0, PICTURES, source=0)
    assert whole.durations.tolist() == [18, 50, 76, 40, 56]


def test_without_text_there_are_no_symbols():
    clip = TalkingClip(made_members(text=False), "one")
    window = cut_window(clip, 0, 10, source=0)
    assert (window.symbols, window.tags, len(window.durations)) == ((), (), 0)
    assert window.mel.shape == (80, 40)


def test_a_window_depends_on_the_generator_alone(clip):
    drawn = [draw_window(clip, 8, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert drawn[0].first == drawn[1].first
    assert drawn[0].source_number == drawn[1].source_number
    assert (drawn[0].pictures == drawn[1].pictures).all()
    assert drawn[0].first != drawn[2].first or drawn[0].source_number != drawn[2].source_number


def test_the_source_lies_a_second_away(clip):
    generator = np.random.default_rng(0)
    firsts = set()
    for _ in range(40):
        window = draw_window(clip, 5, generator)
        firsts.add(window.first)
        start, source = window.first, window.source_number
        assert source <= start - SOURCE_DISTANCE or source >= start + 4 + SOURCE_DISTANCE
    assert len(firsts) > 15


def test_in_a_short_clip_the_source_is_as_far_as_may_be():
    clip = TalkingClip(made_members(12), "one")
    for seed in range(5):
        window = draw_window(clip, 6, np.random.default_rng(seed))
        start = window.first - FIRST
        distance = max(start, 12 - 6 - start)
        source = window.source_number - FIRST
        assert max(start - source, source - start - 5) == distance


def test_pictures_without_a_face_are_avoided():
    clip = TalkingClip(made_members(lost=(20, 21, 22)), "one")
    generator = np.random.default_rng(0)
    for _ in range(30):
        window = draw_window(clip, 10, generator)
        assert window.found.all()
        assert window.source_number - FIRST not in (20, 21, 22)
    assert draw_window(clip, 60, generator).found.sum() == 57


def test_only_what_is_needed_is_decoded(monkeypatch, clip):
    from facevox.data import talking_samples

    asked = []
    real = talking_samples.decode_picture
    monkeypatch.setattr(
        talking_samples, "decode_picture", lambda *values: asked.append(values[2]) or real(*values)
    )
    draw_window(clip, 4, np.random.default_rng(0))
    assert len(asked) == 5


def test_what_does_not_fit_is_told(clip):
    with pytest.raises(DataError, match="one has 60 pictures, asked for 61"):
        draw_window(clip, 61, np.random.default_rng(0))
    with pytest.raises(DataError, match="no picture 60"):
        cut_window(clip, 58, 4, source=0)
    speech = {key: value for key, value in made_members().items() if key != "pictures.npy"}
    with pytest.raises(DataError, match=r"holds no talking face.*--faces"):
        TalkingClip(speech, "one")
    with pytest.raises(DataError, match="do not fit: 62 pictures from number 3 on, 256 mel"):
        TalkingClip(made_members(62), "one")
    broken = TalkingClip(made_members() | {"flac": b"fLaC"}, "one")
    with pytest.raises(DataError, match="sound of one cannot be read"):
        _ = broken.waveform


def test_samples_that_are_long_enough(tmp_path):
    lengths = (60, 0, 20)
    samples = [(f"c{k}", {"json": b"{}"}, {"pictures": n}) for k, n in enumerate(lengths)]
    shard = write_shard(tmp_path / "train-000000.tar", iter(samples), 1e9)
    write_index(tmp_path, shard)
    splits = {"train": {"shards": [shard.name], "samples": 3}}
    (tmp_path / MANIFEST).write_text(json.dumps({"format": FORMAT, "splits": splits}))
    shards = Shards(tmp_path, "train")
    assert talking(shards, 5) == [0, 2]
    assert talking(shards, 30) == [0]
    with pytest.raises(DataError, match=r"no talking face of 70 pictures.*--faces"):
        talking(shards, 70)
