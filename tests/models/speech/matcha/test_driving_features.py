import pytest
import torch

from facevox.models.speech.matcha.batch import MatchaBatch
from facevox.models.speech.matcha.config import tiny
from facevox.models.speech.matcha.driving_features import driving_features
from facevox.models.speech.matcha.matcha import MatchaTTS


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return MatchaTTS(tiny())


@pytest.fixture
def batch(model):
    durations = torch.tensor([[3, 4, 5], [6, 2, 0]])
    return MatchaBatch(
        ids=torch.tensor([[3, 5, 7], [4, 6, 0]]),
        id_lengths=torch.tensor([3, 2]),
        tags=torch.ones(2, 3, dtype=torch.long),
        durations=durations,
        mel=torch.randn(2, model.config.n_mels, 12),
        mel_lengths=torch.tensor([12, 8]),
        f0=torch.full((2, 12), 120.0),
        speaker_embedding=torch.nn.functional.normalize(
            torch.randn(2, model.config.speaker_dim), dim=1
        ),
        log2_f0_mean=torch.full((2,), 7.0),
    )


def test_made_energy_takes_the_place_of_the_recorded_one_and_of_nothing_else(model, batch):
    model.train()
    torch.manual_seed(1)
    recorded = driving_features(model, batch)
    torch.manual_seed(1)
    made = driving_features(model, batch, made=[1])
    assert model.training
    assert torch.equal(made.energy[0], recorded.energy[0])
    assert not torch.allclose(made.energy[1, :8], recorded.energy[1, :8])
    assert not made.energy[1, 8:].any()
    assert torch.equal(made.mask, recorded.mask)
    assert not made.energy.is_inference()


def test_the_same_seed_makes_the_same_energy(model, batch):
    model.eval()
    first, again, other = (
        driving_features(model, batch, made=[0, 1], seed=seed).energy for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
