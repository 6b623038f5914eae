import json
from dataclasses import replace

import numpy as np
import pytest

from facevox.core.errors import CheckpointError, InputError
from facevox.core.waveform import resample
from facevox.evaluation.judges.recognisers import (
    Recogniser,
    cut_at_pauses,
    load_pocketsphinx,
    load_whisper,
    spoken_words,
)
from facevox.evaluation.judges.registry import JUDGES, WHISPER_FILES
from facevox.evaluation.judges.store import Judges


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The cat SAT.", "the cat sat"),
        ("Dr. Li paid $3.50!", "doctor li paid three dollars and fifty cents"),
        ("It's 'good', o'clock-ish", "it's good o'clock ish"),
        ("mr. jones", "mister jones"),
        ("...", ""),
        ("u. s.", "u s"),
    ],
)
def test_texts_become_words(text, words):
    assert spoken_words(text) == words
    assert spoken_words(words) == words


def test_pieces_join_to_the_whole_and_are_short_enough():
    sound = np.random.default_rng(0).standard_normal(16_000 * 9).astype(np.float32)
    sound[16_000 * 3 : 16_000 * 3 + 4000] = 0
    pieces = list(cut_at_pauses(sound, longest=4.0))
    assert np.array_equal(np.concatenate(pieces), sound)
    assert all(len(piece) <= 64_000 for piece in pieces)
    assert 48_000 <= len(pieces[0]) <= 52_000  # cut in the silence


def test_short_sound_is_not_cut():
    sound = np.ones(100, np.float32)
    assert [len(piece) for piece in cut_at_pauses(sound)] == [100]


@pytest.fixture(scope="module")
def listener():
    pytest.importorskip("pocketsphinx")
    return load_pocketsphinx()


@pytest.fixture(scope="module")
def recordings(shared):
    from facevox.evaluation.media import read_sound

    videos = sorted((shared / "data/talking/grid_s1").glob("*.mp4"))[:3]
    return [resample(*read_sound(video), 16_000)[:40_000] for video in videos]


class TestPocketsphinx:
    def test_it_is_a_recogniser(self, listener):
        assert isinstance(listener, Recogniser)
        assert listener.normalise("3 cats.") == "three cats"

    def test_what_was_heard_before_changes_nothing(self, listener, recordings):
        forward = [listener.transcribe(sound) for sound in recordings]
        backward = [listener.transcribe(sound) for sound in recordings[::-1]][::-1]
        assert forward == backward
        assert all(forward)

    def test_gain_changes_nothing(self, listener, recordings):
        quiet = (recordings[0] * np.float32(0.03125)).astype(np.float32)
        assert listener.transcribe(quiet) == listener.transcribe(recordings[0])

    def test_too_short_sound_is_heard_as_nothing(self, listener):
        assert listener.transcribe(np.full(10, 0.1, np.float32)) == ""


def tiny_whisper_folder(folder):
    transformers = pytest.importorskip("transformers")
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    letters = [chr(i) for i in range(97, 123)]
    specials = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>",
                "<|translate|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>",
                "<|notimestamps|>"]  # fmt: skip
    vocab = {token: i for i, token in enumerate([*letters, "\u0120"])}
    (folder / "vocab.json").write_text(json.dumps(vocab))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "normalizer.json").write_text(json.dumps({"colour": "color"}))
    tokenizer = transformers.WhisperTokenizer(
        vocab=vocab, merges=[], normalizer_file=str(folder / "normalizer.json")
    )
    tokenizer.add_special_tokens({"additional_special_tokens": specials})
    tokenizer.save_pretrained(folder)
    identity = tokenizer.convert_tokens_to_ids
    config = transformers.WhisperConfig(
        vocab_size=len(tokenizer), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, max_target_positions=24, pad_token_id=identity("<|endoftext|>"),
        bos_token_id=identity("<|endoftext|>"), eos_token_id=identity("<|endoftext|>"),
        decoder_start_token_id=identity("<|startoftranscript|>"), begin_suppress_tokens=None,
    )  # fmt: skip
    config.save_pretrained(folder)
    generation = transformers.GenerationConfig(
        bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id,
        pad_token_id=config.pad_token_id, decoder_start_token_id=config.decoder_start_token_id,
        is_multilingual=True, lang_to_id={"<|en|>": identity("<|en|>")},
        task_to_id={"transcribe": identity("<|transcribe|>"),
                    "translate": identity("<|translate|>")},
        no_timestamps_token_id=identity("<|notimestamps|>"), max_length=24,
        return_timestamps=False,
    )  # fmt: skip
    generation.save_pretrained(folder)
    transformers.WhisperFeatureExtractor().save_pretrained(folder)
    torch.manual_seed(0)
    model = transformers.WhisperForConditionalGeneration(config)
    state = {k: v.contiguous() for k, v in model.state_dict().items() if k != "proj_out.weight"}
    save_file(state, folder / "model.safetensors")
    for name in WHISPER_FILES:
        assert (folder / name).is_file(), name
    return folder / "model.safetensors", state


class TestWhisper:
    def test_a_tiny_twin_comes_through_its_files(self, tmp_path):
        path, _ = tiny_whisper_folder(tmp_path / "whisper-tiny-twin")
        judge = load_whisper(path)
        assert isinstance(judge, Recogniser)
        assert judge.name == "whisper-tiny-twin"
        assert judge.normalise("Mr. Colour's two dogs") == "mister color is 2 dogs"
        sound = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1
        assert judge.transcribe(sound) == judge.transcribe(sound)

    def test_weights_that_do_not_fit_are_refused(self, tmp_path):
        from safetensors.torch import save_file

        path, state = tiny_whisper_folder(tmp_path / "w")
        name = "model.encoder.conv1.weight"
        save_file({k: v for k, v in state.items() if k != name}, path)
        with pytest.raises(CheckpointError, match=f"missing {name}"):
            load_whisper(path)

    def test_an_absent_file_is_named(self, tmp_path):
        path, _ = tiny_whisper_folder(tmp_path / "w")
        (path.parent / "normalizer.json").unlink()
        with pytest.raises(CheckpointError, match=r"lacks normalizer\.json"):
            load_whisper(path)

    def test_its_folder_is_added(self, tmp_path, monkeypatch):
        anyone = replace(JUDGES["whisper-large-v2"], sha256="")
        monkeypatch.setitem(JUDGES, anyone.name, anyone)
        path, _ = tiny_whisper_folder(tmp_path / "fetched")
        store = Judges(tmp_path / "judges")
        assert "judges add whisper-large-v2" in store.problem("whisper-large-v2")
        kept = store.add("whisper-large-v2", path.parent)
        assert kept == store.folder / "whisper-large-v2" / "model.safetensors"
        assert store.problem("whisper-large-v2") == ""
        assert store.load("whisper-large-v2").name == "whisper-large-v2"
        assert store.add("whisper-large-v2", kept.parent) == kept

    def test_a_folder_that_lacks_a_file_is_refused(self, tmp_path):
        path, _ = tiny_whisper_folder(tmp_path / "fetched")
        (path.parent / "merges.txt").unlink()
        with pytest.raises(InputError, match=r"no file .*merges\.txt"):
            Judges(tmp_path / "judges").add("whisper-large-v2", path.parent)
