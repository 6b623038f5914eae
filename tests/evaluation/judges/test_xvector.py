import numpy as np
import pytest
import torch
from made_voice import vowels

from facevox.core.errors import CheckpointError, InputError
from facevox.evaluation.judges.speaker_encoder import SpeakerEncoder
from facevox.evaluation.judges.xvector import decibel_fbank, load_xvector, tiny

KNOWN = {
    110: (
        0.5,
        51,
        [-3.829, 0.679, 14.524, 7.233, 0.308, -8.149, -36.478, -41.211],
        [0.0252, -0.1637, -0.2677, 0.296, 0.2733, 0.0148],
    ),
    205: (
        1.0,
        101,
        [-12.319, -0.939, 10.267, 12.92, 3.762, -4.376, -36.348, -48.84],
        [0.0147, -0.1489, -0.2237, 0.301, 0.2659, 0.0393],
    ),
}
"""f0 [Hz]: seconds, frames, every third band of frame 20, start of the embedding.

Made with speechbrain 1.0.3 on `vowels`, the weights being those of `official`.
"""


def norm(name, size):
    return {
        f"{name}.weight": (size,),
        f"{name}.bias": (size,),
        f"{name}.running_mean": (size,),
        f"{name}.running_var": (size,),
        f"{name}.num_batches_tracked": (),
    }


LAYOUT = {
    "blocks.0.conv.weight": (512, 24, 5),
    "blocks.0.conv.bias": (512,),
    **norm("blocks.2.norm", 512),
    "blocks.3.conv.weight": (512, 512, 3),
    "blocks.3.conv.bias": (512,),
    **norm("blocks.5.norm", 512),
    "blocks.6.conv.weight": (512, 512, 3),
    "blocks.6.conv.bias": (512,),
    **norm("blocks.8.norm", 512),
    "blocks.9.conv.weight": (512, 512, 1),
    "blocks.9.conv.bias": (512,),
    **norm("blocks.11.norm", 512),
    "blocks.12.conv.weight": (1500, 512, 1),
    "blocks.12.conv.bias": (1500,),
    **norm("blocks.14.norm", 1500),
    "blocks.16.w.weight": (512, 3000),
    "blocks.16.w.bias": (512,),
}
"""What embedding_model.ckpt of speechbrain/spkrec-xvect-voxceleb holds."""


def official():
    generator = torch.Generator().manual_seed(0)
    state = {}
    for key, shape in LAYOUT.items():
        if not shape:
            state[key] = torch.tensor(0)
            continue
        values = 0.05 * torch.randn(shape, generator=generator)
        state[key] = values.abs() if len(shape) == 1 else values
    return state


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("xvector") / "embedding_model.ckpt"
    torch.save(official(), path)
    return load_xvector(path)


@pytest.mark.parametrize("f0", KNOWN)
def test_front_end_and_embedding_are_those_of_speechbrain(network, f0):
    seconds, frames, bands, start = KNOWN[f0]
    waveform = vowels(f0, seconds)
    fbank = decibel_fbank(torch.from_numpy(waveform)[None])
    assert fbank.shape == (1, frames, 24)
    assert fbank[0, 20, ::3].tolist() == pytest.approx(bands, abs=2e-3)
    found = network.embed(waveform)
    assert found.shape == (512,)
    assert found[:6].tolist() == pytest.approx(start, rel=2e-3, abs=2e-3)
    assert found.tolist() == network.embed(waveform).tolist()


def test_size_and_mode(network):
    assert sum(parameter.numel() for parameter in network.parameters()) == 4_211_604
    assert not network.training


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("blocks.16.w.bias"), "missing blocks.16.w.bias"),
        (lambda s: s.update(extra=torch.zeros(1)), "unknown extra"),
        (lambda s: s.update({"blocks.0.conv.bias": torch.zeros(3)}), r"conv.bias is \[3\]"),
    ],
)
def test_another_layout_is_refused(tmp_path, change, message):
    state = official()
    change(state)
    torch.save(state, tmp_path / "x.ckpt")
    with pytest.raises(CheckpointError, match=message):
        load_xvector(tmp_path / "x.ckpt")


def test_a_tiny_twin_is_a_judge_and_too_short_is_refused():
    torch.manual_seed(0)
    judge = tiny().eval()
    assert isinstance(judge, SpeakerEncoder)
    assert judge.embed(vowels(120, 0.2)).shape == (16,)
    with pytest.raises(InputError, match="too few"):
        judge.embed(np.full(500, 0.1, np.float32))
