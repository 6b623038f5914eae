import numpy as np
import pytest
import torch

from facevox.core.errors import CheckpointError
from facevox.evaluation.judges.campplus import CampplusJudge, load_campplus
from facevox.evaluation.judges.speaker_encoder import SpeakerEncoder
from facevox.models.speech.campplus import Campplus, paper, tiny


@pytest.fixture(scope="module", params=[192, 512])
def state(request):
    torch.manual_seed(0)
    return Campplus(paper(request.param)).state_dict()


def test_a_published_checkpoint_loads_whatever_its_size(state, tmp_path):
    torch.save(state, tmp_path / "campplus.bin")
    judge = load_campplus(tmp_path / "campplus.bin")
    assert isinstance(judge, SpeakerEncoder)
    waveform = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    first = judge.embed(waveform)
    assert first.shape == (len(state["xvector.dense.linear.weight"]),)
    assert first.dtype == np.float32
    assert first.tolist() == judge.embed(waveform).tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("head.conv1.weight"), "missing head.conv1.weight"),
        (lambda s: s.update(extra=torch.zeros(1)), "unknown extra"),
        (
            lambda s: s.update({"xvector.dense.linear.weight": torch.zeros(7, 1024, 1)}),
            r"xvector.dense.linear.weight is \[7, 1024, 1\], expected \[192, 1024, 1\]",
        ),
        (lambda s: s.pop("xvector.dense.linear.weight"), "missing xvector.dense.linear.weight"),
    ],
)
def test_another_layout_is_refused(tmp_path, change, message):
    state = Campplus(paper()).state_dict()
    change(state)
    torch.save(state, tmp_path / "x.bin")
    with pytest.raises(CheckpointError, match=message):
        load_campplus(tmp_path / "x.bin")


def test_a_tiny_twin_is_a_judge():
    judge = CampplusJudge(Campplus(tiny()).eval())
    assert judge.embed(np.full(8000, 0.1, np.float32)).shape == (16,)
