import numpy as np
import pytest
import torch
from made_spoken import made_utterance

from facevox.core.errors import DataError
from facevox.data.spoken_mouths import FILMED
from facevox.data.spoken_sampler import SpokenSampler, collate_spoken
from facevox.models.face.ttsf.audio_mapper import tiny
from facevox.recipes.ttsf_lips import LipNetwork, lip_losses

SPOKEN = [
    made_utterance(f"{kind}-{k}", kind, frames, seed=10 * number + k)
    for number, kind in enumerate(("matcha", "flite", FILMED))
    for k, frames in enumerate((6, 20, 31))
]


def network():
    torch.manual_seed(0)
    return LipNetwork(tiny().model_copy(update={"out_dim": 9}))


def test_batches_mix_kinds_as_told():
    sampler = SpokenSampler(
        SPOKEN, frames=8, shares={"matcha": 0.5, "flite": 0.25, FILMED: 0.25, "espeak": 1.0}
    )
    batch = sampler.draw(8, np.random.default_rng(0))
    kinds = {one.features.tobytes(): one.kind for one in SPOKEN}
    rows = [
        kinds[features[mask].half().numpy().tobytes()]
        for features, mask in zip(batch["features"], batch["mask"], strict=True)
    ]
    assert rows == ["flite"] * 2 + [FILMED] * 2 + ["matcha"] * 4


def test_the_same_seed_gives_the_same_batch():
    sampler = SpokenSampler(SPOKEN, frames=8, shares={"matcha": 1.0}, noise=0.1, loudness=0.3)
    first, again, other = (sampler.draw(4, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["mouth"], other["mouth"])


def test_noise_stays_in_the_batch():
    before = SPOKEN[0].features.copy()
    sampler = SpokenSampler(SPOKEN[:1], frames=8, shares={"matcha": 1.0}, noise=0.1, loudness=9.0)
    batch = sampler.draw(8, np.random.default_rng(0))
    assert np.array_equal(SPOKEN[0].features, before)
    energy = batch["features"][..., -1].mean(1)
    assert 0 < (energy.abs() > 1).sum() < 8


def test_windows_are_cuts_and_short_utterances_are_padded():
    batch = collate_spoken([SPOKEN[1], SPOKEN[0]], [5, 0], 8)
    assert torch.equal(batch["mouth"][0], torch.from_numpy(SPOKEN[1].mouth[5:13]))
    assert batch["known"].sum(1).tolist() == [8, 6]
    assert not batch["mouth"][1, 6:].any()


def test_company_changes_nothing():
    lips = network()
    alone = collate_spoken([SPOKEN[1]], [3], 8)
    beside = collate_spoken([SPOKEN[1], SPOKEN[2]], [3, 0], 8)
    names = ("features", "mask", "start")
    said, with_others = (lips(*(one[name] for name in names), 8)[0] for one in (alone, beside))
    assert torch.allclose(said, with_others, atol=1e-6)
    assert torch.allclose(said, lips.mouth_of(SPOKEN[1])[3:11], atol=1e-6)


def test_losses_see_known_frames_alone():
    batch = collate_spoken(SPOKEN[:3], [0, 0, 0], 8)
    said = torch.randn(3, 8, 9, generator=torch.Generator().manual_seed(0))
    before = lip_losses(said, batch["mouth"], batch["known"], 2.0)
    hidden = ~batch["known"]
    assert hidden.any()
    said[hidden], batch["mouth"][hidden] = 7.0, -3.0
    after = lip_losses(said, batch["mouth"], batch["known"], 2.0)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_kinds_that_nobody_asked_for_are_refused():
    with pytest.raises(DataError, match=r"'flite', 'grid', 'matcha'.*data\.shares"):
        SpokenSampler(SPOKEN, frames=8, shares={"espeak": 1.0})
