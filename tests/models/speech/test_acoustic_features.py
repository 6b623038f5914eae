"""What drives a face from speech: exact frames, one symbol at a time, any engine's sound."""

import numpy as np
import pytest
import torch
from made_engine import made_embedding

from facevox.core.errors import CheckpointError, InputError
from facevox.core.speech import Phone, Speech
from facevox.models.speech.acoustic_features import AcousticReader, timed_symbols
from facevox.models.speech.matcha.config import tiny
from facevox.models.speech.matcha.matcha import MatchaTTS, MatchaVoice
from facevox.models.speech.matcha.symbols import INITIAL_TAG, INTERNAL_TAG, PAUSE_TAG, symbol_id

PHONES = (
    Phone(name="pau", start=0.0, end=0.1),
    Phone(name="b", start=0.1, end=0.16, word=0),
    Phone(name="ow", start=0.16, end=0.3, stress=1, word=0),
    Phone(name="t", start=0.3, end=0.302, word=0),
    Phone(name="ax", start=0.302, end=0.4, word=1),
    Phone(name="pau", start=0.4, end=0.5),
)


def speech(sample_rate=16_000, level=0.1):
    samples = int(0.5 * sample_rate)
    noise = np.random.default_rng(0).standard_normal(samples) * level
    return Speech(
        waveform=noise.astype(np.float32),
        sample_rate=sample_rate,
        phones=PHONES,
        f0=np.zeros(50, np.float32),
    )


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    config = tiny().model_copy(update={"n_mels": 80, "speaker_dim": 192})
    voice = MatchaVoice(
        speaker_embedding=torch.tensor([made_embedding(1)]), log2_f0_mean=torch.tensor([7.0])
    )
    return AcousticReader(MatchaTTS(config), voice)


def test_symbols_tile_the_frames_and_too_short_phones_are_left_out():
    ids, tags, durations = timed_symbols(PHONES, 50)
    assert sum(durations) == 50
    assert ids == [symbol_id(name) for name in ("pau", "b", "ow1", "ax0", ".")]
    assert tags == [PAUSE_TAG, INITIAL_TAG, INTERNAL_TAG, INITIAL_TAG, PAUSE_TAG]
    assert durations == [10, 6, 14, 10, 10]


def test_no_phones_and_unknown_phones_are_refused():
    with pytest.raises(InputError, match="without phones"):
        timed_symbols((), 10)
    with pytest.raises(InputError, match="no phone"):
        timed_symbols((Phone(name="qq", start=0.0, end=0.1),), 10)


def test_a_symbol_has_one_embedding_for_as_long_as_it_lasts(reader):
    features = reader(speech())
    assert features.joined().shape == (50, features.embedding.shape[1] + 80 + 1)
    assert (features.embedding[10:16] == features.embedding[10]).all()
    assert not torch.equal(features.embedding[15], features.embedding[16])


def test_energy_follows_the_sound_at_any_rate(reader):
    loud, quiet = reader(speech(level=0.2)).energy, reader(speech(level=0.002)).energy
    assert (loud > quiet + 0.5).all()
    assert reader(speech(44_100)).energy.shape == (50, 1)


def test_the_same_speech_gives_the_same_features(reader):
    assert torch.equal(reader(speech()).joined(), reader(speech()).joined())


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(CheckpointError):
        AcousticReader.load(tmp_path)
