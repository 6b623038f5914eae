import json
from pathlib import Path

import numpy as np
import pytest
import torch
from made_voice import vowels

from facevox.core.errors import CheckpointError, InputError
from facevox.evaluation.judges.resemblyzer import (
    Resemblyzer,
    load_resemblyzer,
    part_starts,
    power_mel,
    raise_level,
    tiny,
    trim_silence,
)
from facevox.evaluation.judges.speaker_encoder import SpeakerEncoder
from facevox.evaluation.judges.store import Judges

REFERENCE = json.loads(Path(__file__).with_name("resemblyzer_reference.json").read_text())
SIGNALS = {int(f0): known for f0, known in REFERENCE["signals"].items()}

LAYOUT = {
    **{
        f"lstm.{part}_l{layer}": shape
        for layer, inputs in enumerate((40, 256, 256))
        for part, shape in {
            "weight_ih": (1024, inputs),
            "weight_hh": (1024, 256),
            "bias_ih": (1024,),
            "bias_hh": (1024,),
        }.items()
    },
    "linear.weight": (256, 256),
    "linear.bias": (256,),
    "similarity_weight": (1,),
    "similarity_bias": (1,),
}
"""What pretrained.pt of Resemblyzer 0.1.4 holds."""


def official():
    generator = torch.Generator().manual_seed(0)
    return {key: 0.1 * torch.randn(shape, generator=generator) for key, shape in LAYOUT.items()}


@pytest.mark.parametrize("f0", SIGNALS)
def test_mel_is_that_of_librosa(f0):
    mel = power_mel(vowels(f0, SIGNALS[f0]["seconds"]))
    assert mel[20, :8].tolist() == pytest.approx(SIGNALS[f0]["mel"], abs=2e-6)


@pytest.mark.parametrize("f0", SIGNALS)
def test_embedding_is_that_of_the_original(f0):
    judges = Judges()
    if problem := judges.problem("resemblyzer"):
        pytest.skip(problem)
    found = judges.load("resemblyzer").embed_speech(vowels(f0, SIGNALS[f0]["seconds"]))
    known = np.array(SIGNALS[f0]["embedding"])
    assert found @ known / np.linalg.norm(known) > 0.9999


def test_official_layout_loads_from_the_official_wrapping(tmp_path):
    path = tmp_path / "pretrained.pt"
    state = official()
    torch.save({"step": 1, "model_state": state, "optimizer_state": {}}, path)
    network = load_resemblyzer(path)
    assert torch.equal(network.state_dict()["lstm.weight_hh_l2"], state["lstm.weight_hh_l2"])
    assert not network.training
    assert sum(p.numel() for p in network.parameters()) == 1_423_618
    found = network.embed(vowels(120, 2.0))
    assert found.shape == (256,)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert (found >= 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("linear.bias"), "missing linear.bias"),
        (lambda s: s.update(extra=torch.zeros(1)), "unknown extra"),
        (lambda s: s.update({"linear.bias": torch.zeros(3)}), r"linear.bias is \[3\]"),
    ],
)
def test_another_layout_is_refused(tmp_path, change, message):
    state = official()
    change(state)
    torch.save(state, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=message):
        load_resemblyzer(tmp_path / "x.pt")


def test_same_voice_same_bytes_and_level_does_not_matter():
    torch.manual_seed(0)
    network = tiny()
    assert isinstance(network, SpeakerEncoder)
    assert isinstance(Resemblyzer(hidden=4, dim=4), SpeakerEncoder)
    waveform = vowels(130, 2.5)
    first = network.embed(waveform)
    assert first.shape == (12,)
    assert first.tolist() == network.embed(waveform).tolist()
    # both are below the level to which quiet sound is raised
    quiet = waveform * np.float32(0.01)
    assert network.embed(quiet) == pytest.approx(network.embed(quiet / 3), abs=1e-5)


def test_silence_is_cut_away_and_short_pauses_stay():
    voiced = vowels(130, 1.5)
    pause = np.zeros(16_000, np.float32)
    padded = np.concatenate([pause, voiced, pause, voiced, pause])
    trimmed = trim_silence(padded)
    assert 3.0 <= len(trimmed) / 16_000 < 3.9
    gap = np.zeros(1600, np.float32)
    kept = trim_silence(np.concatenate([voiced, gap, voiced]))
    assert (kept == 0).sum() > 1500


def test_level_is_raised_but_not_lowered():
    waveform = vowels(130, 1.0)
    assert np.array_equal(raise_level(waveform), waveform)
    raised = raise_level(waveform * np.float32(1e-3))
    assert 20 * np.log10(np.sqrt(np.mean(raised**2))) == pytest.approx(-30, abs=0.01)


@pytest.mark.parametrize(
    ("seconds", "starts"),
    # lengths on both sides of a whole part and of three quarters of a second part
    [(0.5, [0]), (1.6, [0]), (1.9, [0]), (2.4, [0, 77]), (4.0, [0, 77, 154, 231])],
)
def test_parts_cover_the_utterance(seconds, starts):
    assert part_starts(int(seconds * 16_000)) == starts


def test_silence_and_a_blink_of_sound_are_refused():
    with pytest.raises(InputError, match="silence"):
        tiny().embed(np.zeros(16_000, np.float32))
    with pytest.raises(InputError, match="too few"):
        tiny().embed(np.full(100, 0.1, np.float32))
