import base64
import json

import numpy as np
import pytest

from facevox.core.errors import ConfigError, InputError, MediaError
from facevox.core.voice import Voice, VoiceControls


def test_a_saved_voice_is_the_same_voice(tmp_path):
    voice = Voice(f0_mean=143.25, vocal_tract=1.07, origin="face", seed=7).with_controls(pitch=-2.0)
    voice.save(tmp_path / "voice.json")
    assert Voice.load(tmp_path / "voice.json") == voice


def test_sliders_add_up_in_a_copy():
    voice = Voice()
    changed = voice.with_controls(pitch=-2.0).with_controls(rate=0.9)
    assert changed.controls == VoiceControls(pitch=-2.0, rate=0.9)
    assert voice.controls == VoiceControls()


def test_unknown_or_impossible_slider():
    with pytest.raises(ConfigError, match="Unknown voice control 'ptich'"):
        Voice().with_controls(ptich=1.0)
    with pytest.raises(ConfigError, match="rate must be between"):
        Voice().with_controls(rate=0.0)
    with pytest.raises(ConfigError, match="pitch must be between"):
        Voice().with_controls(pitch=float("nan"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not a facevox voice file"),
        ("[1, 2]", "is not a facevox voice file"),
        ('{"kind": "other"}', "is not a facevox voice file"),
        ('{"kind": "facevox-voice", "format": 99}', "voice format 99"),
        ('{"kind": "facevox-voice", "format": 1, "colour": 3}', "unknown field 'colour'"),
        ('{"kind": "facevox-voice", "format": 1, "f0_mean": "high"}', "f0_mean must be a number"),
        ('{"kind": "facevox-voice", "format": 1, "f0_mean": 5}', "f0_mean must be between"),
        ('{"kind": "facevox-voice", "format": 1, "base": 5}', "base must be a word"),
        ('{"kind": "facevox-voice", "format": 1, "controls": {"x": 1}}', "unusable controls"),
        (
            '{"kind": "facevox-voice", "format": 1, "controls": {"rate": 9.0}}',
            "rate must be between",
        ),
        ('{"kind": "facevox-voice", "format": 1, "controls": 3}', "unusable controls"),
    ],
)
def test_wrong_voice_files_are_explained(tmp_path, content, message):
    path = tmp_path / "voice.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        Voice.load(path)


def test_binary_and_missing_voice_files(tmp_path):
    (tmp_path / "voice.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not a facevox voice file"):
        Voice.load(tmp_path / "voice.json")
    with pytest.raises(InputError, match="There is no voice file"):
        Voice.load(tmp_path / "absent.json")


def test_saving_into_a_missing_folder(tmp_path):
    with pytest.raises(MediaError, match="does not exist"):
        Voice().save(tmp_path / "absent" / "voice.json")


def test_the_file_is_plain_json(tmp_path):
    Voice().save(tmp_path / "voice.json")
    assert json.loads((tmp_path / "voice.json").read_text())["engine"] == "flite"


def neural_voice(seed=0):
    vector = np.random.default_rng(seed).standard_normal(192).astype(np.float32)
    voice = Voice(engine="matcha", base="", f0_mean=120.0, vocal_tract=1.0)
    return voice.with_embedding(vector / np.linalg.norm(vector))


def test_a_saved_neural_voice_is_the_same_voice(tmp_path):
    voice = neural_voice().with_controls(pitch=1.0)
    again = Voice.load(voice.save(tmp_path / "voice.json"))
    assert again == voice
    assert hash(again) == hash(voice)
    np.testing.assert_array_equal(again.embedding(), voice.embedding())
    assert np.linalg.norm(voice.embedding()) == pytest.approx(1.0, abs=1e-6)
    assert (tmp_path / "voice.json").stat().st_size < 1200


def test_files_without_an_embedding_stay_as_they_were(tmp_path):
    values = json.loads(Voice().save(tmp_path / "voice.json").read_text())
    assert values["format"] == 1
    assert "speaker_embedding" not in values
    assert neural_voice().to_dict()["format"] == 2


def test_a_voice_without_embedding_says_so():
    with pytest.raises(InputError, match="has no speaker embedding"):
        Voice().embedding()


def test_a_voice_without_base_is_described():
    assert neural_voice().describe().startswith("matcha, 120 Hz")


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (3, "must be 192 half-precision numbers"),
        ("not base64!", "must be 192 half-precision numbers"),
        (base64.b64encode(np.ones(4, "<f2").tobytes()).decode(), "in base64, got 4"),
        (base64.b64encode(np.ones(192, "<f2").tobytes()).decode(), "length 1, got 13.9"),
        (base64.b64encode(np.full(192, np.nan, "<f2").tobytes()).decode(), "length 1, got nan"),
    ],
)
def test_wrong_embeddings_are_explained(packed, message):
    values = {**neural_voice().to_dict(), "speaker_embedding": packed}
    with pytest.raises(InputError, match=message):
        Voice.from_dict(values)
