import io
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import soundfile
from made_speech import babble, write_sound, write_talking

from facevox.core.waveform import SPEECH_LEVEL, active_level
from facevox.data.speech.clip import Dropped, Prepared, prepare_clip
from facevox.data.speech.recognition import Heard, recognise
from facevox.data.speech.settings import PrepareSettings
from facevox.data.speech.utterance import Utterance

SETTINGS = PrepareSettings()


def utterance(path, **known):
    values = {"name": path.stem, "speaker": "s", "corpus": "c", "sound": path, **known}
    return Utterance(**values)


def array(made, suffix):
    return np.load(io.BytesIO(made.members[suffix]), allow_pickle=False)


def described(made):
    return json.loads(made.members["json"])


@pytest.fixture(scope="module")
def told(spoken, tmp_path_factory):
    """The spoken sentence as a quiet stereo file at 48 kHz with much silence around."""
    text, _, speech = spoken
    folder = tmp_path_factory.mktemp("told")
    quiet = 1e-5 * np.random.default_rng(0).standard_normal(48_000)
    padded = np.concatenate([quiet, 0.1 * np.repeat(speech.waveform, 3), quiet])
    path = write_sound(folder / "one.wav", np.stack([padded, padded], 1), 48_000)
    return utterance(path, text=text)


def test_a_transcribed_clip(told):
    made = prepare_clip(told, SETTINGS)
    assert isinstance(made, Prepared)
    waveform, rate = soundfile.read(io.BytesIO(made.members["flac"]), dtype="float32")
    said, durations, f0 = described(made), array(made, "durations.npy"), array(made, "f0.npy")
    assert rate == 16_000
    assert len(waveform) == 160 * made.entry["frames"] == 160 * durations.sum() == 160 * len(f0)
    assert len(said["symbols"]) == len(said["tags"]) == len(durations) == made.entry["tokens"]
    assert (said["symbols"][0], durations[0]) == ("pau", 15)
    assert (said["symbols"][-1], durations[-1]) == (".", 15)
    assert "," in said["symbols"]
    assert abs(active_level(waveform, rate) - SPEECH_LEVEL) < 0.3
    assert said["words"][:2] == ["when", "the"]
    assert 70 < said["median_f0"] < 150
    assert made.kept_without_text is None


def test_the_same_clip_gives_the_same_bytes(told):
    assert prepare_clip(told, SETTINGS).members == prepare_clip(told, SETTINGS).members


def test_a_text_that_does_not_fit_leaves_the_sound(told):
    wrong = replace(told, text="Four hours of steady work faced us, and glue the sheet to it.")
    made = prepare_clip(wrong, SETTINGS)
    assert made.kept_without_text[0] == "text does not fit"
    assert made.entry["tokens"] == 0
    assert "durations.npy" not in made.members
    dropped = prepare_clip(wrong, PrepareSettings(need_text=True))
    assert (dropped.name, dropped.reason) == ("one", "text does not fit")


def test_only_the_part_that_is_meant(told):
    part = prepare_clip(replace(told, text=None, span=(1.0, 2.0)), SETTINGS)
    assert 50 < part.entry["frames"] <= 130


def test_sound_without_text_is_cut_by_its_level(tmp_path):
    path = write_sound(tmp_path / "a.flac", edge=1.0)
    made = prepare_clip(utterance(path), SETTINGS)
    assert abs(made.entry["frames"] - 150 - 30) <= 6
    assert described(made)["text"] is None
    german = prepare_clip(utterance(path, text="Guten Tag.", language="de"), SETTINGS)
    assert german.kept_without_text[0] == "text cannot be read"
    assert german.entry["language"] == "de"


@pytest.mark.parametrize(
    ("waveform", "reason"),
    [
        (babble(0.25, edge=0.05), "too short"),
        (babble(0.5, edge=1.0), "too short"),
        (np.tile(babble(3.0), 10), "too long"),
        (np.zeros(32_000), "silent"),
        (0.1 * np.random.default_rng(0).standard_normal(32_000), "noisy"),
        (np.clip(40 * babble(), -1, 1), "clipped"),
    ],
)
def test_what_cannot_be_learnt_from_is_dropped(tmp_path, waveform, reason):
    made = prepare_clip(utterance(write_sound(tmp_path / "a.wav", waveform)), SETTINGS)
    assert isinstance(made, Dropped)
    assert made.reason == reason


@pytest.mark.parametrize("name", ["a.wav", "a.mp4"])
def test_files_that_are_none_are_dropped(tmp_path, name):
    made = prepare_clip(utterance(tmp_path / name), SETTINGS)
    assert made.reason == "unreadable"
    (tmp_path / name).write_bytes(b"no sound" * 100)
    assert prepare_clip(utterance(tmp_path / name), SETTINGS).reason == "unreadable"


def test_a_clip_with_a_face_carries_pictures(tmp_path):
    path = write_talking(tmp_path / "a.mp4", frames=30)
    settings = PrepareSettings(face_frames=3, face_size=64)
    made = prepare_clip(utterance(path, video=path), settings)
    numbers = described(made)["face_frames"]
    assert numbers == sorted(set(numbers))
    assert made.entry["faces"] == len(numbers) == 3
    for place, number in enumerate(numbers):
        coded = np.frombuffer(made.members[f"face{place}.jpg"], np.uint8)
        assert abs(cv2.imdecode(coded, cv2.IMREAD_COLOR).mean() - 8 * number) < 6
    assert prepare_clip(utterance(path, video=path), settings).members == made.members
    without = prepare_clip(utterance(path, video=path), PrepareSettings(face_frames=0))
    assert without.members["flac"] == made.members["flac"]
    assert not [suffix for suffix in without.members if suffix.startswith("face")]


def test_recognised_words_count_if_they_are_sure(told, monkeypatch):
    from facevox.data.speech import clip

    heard = Heard(text=told.text, confidence=0.8)
    monkeypatch.setattr(clip, "recognise", lambda waveform: heard)
    silent = replace(told, text=None)
    sure = prepare_clip(silent, PrepareSettings(transcribe=0.7))
    assert sure.entry["tokens"] > 10
    assert described(sure)["text"] == told.text
    unsure = prepare_clip(silent, PrepareSettings(transcribe=0.9))
    assert unsure.kept_without_text == ("not sure what is said", "confidence 0.80")
    assert unsure.entry["tokens"] == 0


def test_clear_words_are_recognised(spoken):
    _, _, speech = spoken
    heard = recognise(speech.waveform[:28_000])
    assert {"when", "the", "strikes"} <= set(heard.text.split())
    assert 0 < heard.confidence <= 1


def test_a_speaker_encoder_adds_its_embedding(told, monkeypatch):
    from facevox.data.speech import clip

    class Encoder:
        def embed(self, waveform):
            return np.full(192, len(waveform), np.float32)

    monkeypatch.setattr(clip, "_encoder", lambda path: Encoder())
    made = prepare_clip(told, PrepareSettings(speaker_encoder="some.safetensors"))
    assert array(made, "speaker.npy").shape == (192,)
