import numpy as np
import pytest
import soundfile
import torch

from facevox.core.checkpoint import load_card, load_module
from facevox.core.errors import DataError
from facevox.models.speech.vocoders.harmonic import HarmonicVocoder, HarmonicVocoderConfig
from facevox.models.speech.vocoders.hifigan import HifiGan, tiny
from facevox.recipes.vocoder import VocoderTask
from facevox.training.run import plan_run, start_run

QUICK = ["run.validate_steps=4", "run.log_steps=2", "run.threads=1", "data.held_out=3"]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    time = np.arange(12_000) / 16_000
    for index in range(6):
        f0 = 110 + 20 * index
        voice = sum(0.1 / k * np.cos(2 * np.pi * f0 * k * time) for k in range(1, 9))
        (folder / f"speaker{index % 2}").mkdir(exist_ok=True)
        soundfile.write(folder / f"speaker{index % 2}" / f"{index}.wav", voice, 16_000)
    (folder / "broken.wav").write_bytes(b"no sound")
    return folder


def train(sounds, folder, *changes, preset="tiny"):
    overrides = [*QUICK, *changes]
    plan = plan_run(VocoderTask, data=sounds, folder=folder, preset=preset, overrides=overrides)
    return start_run(plan)


def test_spectra_then_discriminators_and_the_export_speaks(sounds, tmp_path):
    first = train(sounds, tmp_path / "1", "loss.adversarial=0", "loss.energy=0.5")
    second = train(sounds, tmp_path / "2", f"run.start_from={tmp_path / '1'}")
    assert first.step == second.step == 4
    assert set(second.results) == {"mel", "stft"}
    path = tmp_path / "2" / "export" / "vocoder.safetensors"
    card = load_card(path)
    assert card["kind"] == "harmonic-vocoder"
    assert card["data"].startswith("speaker0, speaker1: ")
    vocoder = HarmonicVocoder(HarmonicVocoderConfig.model_validate(card["config"])).eval()
    load_module(vocoder, path)
    with torch.no_grad():
        assert vocoder(torch.zeros(1, 80, 10) - 5, torch.zeros(1, 10)).shape == (1, 1600)


def test_hifigan_is_exported_folded(sounds, tmp_path):
    train(
        sounds,
        tmp_path / "1",
        "model.kind=hifigan",
        f"model.hifigan={tiny().model_dump_json()}",
        "loss.adversarial=0",
        "run.steps=1",
    )
    path = tmp_path / "1" / "export" / "vocoder.safetensors"
    vocoder = HifiGan(tiny())
    vocoder.remove_weight_norm()
    load_module(vocoder, path)
    assert load_card(path)["kind"] == "hifigan-vocoder"


def test_a_folder_without_sound_is_told(tmp_path):
    with pytest.raises(DataError, match="no sound that can be read"):
        train(tmp_path, tmp_path / "out")
