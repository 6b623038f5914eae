import numpy as np
import pytest
import torch
from made_voice import vowels

from facevox.core.errors import CheckpointError, InputError
from facevox.core.waveform import read_waveform
from facevox.models.speech.speaker_encoder import HOP, WINDOW, SpeakerEncoder
from facevox.models.speech.speech_statistics import (
    NUM_STATISTICS,
    bands,
    speech_statistics,
    without_pauses,
)


@pytest.fixture(scope="module")
def encoder():
    return SpeakerEncoder.load()


def test_an_embedding_is_a_direction(encoder):
    made = encoder.embed(vowels(130, 3))
    assert made.shape == (192,)
    assert made.dtype == np.float32
    assert np.linalg.norm(made) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_array_equal(made, encoder.embed(vowels(130, 3)))


def test_neither_level_nor_pauses_matter(encoder):
    voice = vowels(130, 3)
    assert encoder.embed(voice) @ encoder.embed(0.1 * voice) > 0.999
    silence = np.zeros(16_000, np.float32)
    assert encoder.embed(voice) @ encoder.embed(np.concatenate([silence, voice, silence])) > 0.95


def test_a_long_clip_is_the_mean_of_its_windows(encoder):
    voice = vowels(130, 9)
    parts = [encoder.embed(voice[start : start + WINDOW]) for start in (0, HOP, 2 * HOP)]
    whole = encoder.embed(voice[: WINDOW + 2 * HOP])
    mean = np.mean(parts, 0)
    assert whole @ mean / np.linalg.norm(mean) > 0.98


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(32_000), vowels(130, 0.3)])
def test_too_little_is_refused(encoder, sound):
    with pytest.raises(InputError, match="cannot be told"):
        encoder.embed(sound.astype(np.float32))


def test_the_number_of_statistics_is_what_it_says():
    made = speech_statistics(bands(torch.from_numpy(vowels(130, 2))[None]))
    assert made.shape == (1, NUM_STATISTICS)
    assert np.isfinite(made).all()


def test_pauses_are_left_out():
    voice = vowels(130, 2)
    sound = np.concatenate([voice, np.zeros(32_000, np.float32), voice])
    assert len(without_pauses(sound)) == pytest.approx(len(sound) - 32_000, abs=4000)
    assert not len(without_pauses(np.zeros(9_000, np.float32)))


def test_weights_of_another_shape_are_refused(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "speaker_encoder.safetensors"
    save_file({"mean": np.zeros(3, np.float32)}, path)
    with pytest.raises(CheckpointError, match="missing projection"):
        SpeakerEncoder.load(path)


def test_two_recordings_of_one_speaker_are_nearer_than_two_speakers(encoder, shared):
    folder = shared / "data" / "speech" / "vctk"
    made = {
        path.parent.name + path.stem[-1]: encoder.embed(read_waveform(path, 16_000)[0])
        for speaker in ("p225", "p226", "p228")
        for path in sorted((folder / speaker).glob("*.ogg"))[:2]
    }
    names = sorted(made)
    cosine = np.array([[made[one] @ made[two] for two in names] for one in names])
    same = np.array([[one[:4] == two[:4] for two in names] for one in names])
    off = ~np.eye(len(names), dtype=bool)
    assert cosine[same & off].min() > cosine[~same].max()
