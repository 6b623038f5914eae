import numpy as np
import pytest

from facevox.core.checkpoint import load_card, save_checkpoint
from facevox.core.errors import CheckpointError
from facevox.core.waveform import read_waveform
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.judges.voice_perception import (
    DIM,
    FOLDER,
    NAME,
    load_voice_perception,
)


def test_the_judge_comes_with_the_package_and_says_how_good_it_is(tmp_path):
    judge = Judges(tmp_path).load("voice-perception")
    embedding = np.full(DIM, DIM**-0.5, np.float32)
    assert judge(embedding) == judge(embedding)
    results = load_card(FOLDER / f"{NAME}.safetensors")["results"]["ten_folds_by_speaker"]
    assert results["sex_accuracy"] > 0.97
    assert results["age_spearman"] > max(results["age_spearman_between_two_listeners"])


def test_other_weights_are_refused(tmp_path):
    tensors = {"slopes": np.zeros((2, 3), np.float32), "biases": np.zeros(2, np.float32)}
    save_checkpoint(tmp_path / f"{NAME}.safetensors", tensors, {})
    with pytest.raises(CheckpointError, match=r"slopes is \[2, 3\], expected \[2, 256\]"):
        load_voice_perception(tmp_path)


@pytest.mark.parametrize(("folder", "feminine"), [("ljspeech", True), ("reader", False)])
def test_voices_of_other_corpora(shared, folder, feminine):
    judges = Judges()
    if problem := judges.problem("resemblyzer"):
        pytest.skip(problem)
    path = min((shared / "data" / "speech" / folder).glob("*.ogg"))
    embedding = judges.load("resemblyzer").embed(read_waveform(path, 16_000)[0])
    assert (load_voice_perception()(embedding).femininity > 0) == feminine
