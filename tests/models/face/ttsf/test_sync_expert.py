import pytest
import torch

from facevox.core.errors import ConfigError
from facevox.models.face.ttsf.sync_expert import (
    SyncExpert,
    SyncExpertConfig,
    matching_accuracy,
    matching_loss,
    paper,
    small,
    sync_loss,
    tiny,
)


@pytest.fixture
def expert():
    torch.manual_seed(0)
    return SyncExpert(tiny()).eval()


def clips(count=2, frames=9, side=32):
    generator = torch.Generator().manual_seed(1)
    pictures = torch.rand(count, 3, frames, side, side, generator=generator) * 2 - 1
    return pictures, torch.randn(count, 80, 4 * frames, generator=generator) - 6


@pytest.mark.parametrize("preset", [paper, small])
def test_presets_give_unit_embeddings_of_one_space(preset):
    network = SyncExpert(preset()).eval()
    with torch.no_grad():
        seen, heard = network(torch.zeros(1, 3, 5, 64, 64), torch.zeros(1, 1, 80, 20))
    assert seen.shape == heard.shape == (1, preset().embedding)
    assert torch.allclose(seen.norm(dim=1), torch.ones(1), atol=1e-5)


def test_a_clip_gives_what_its_windows_give(expert):
    pictures, mel = clips()
    seen, heard = expert.embed_frames(pictures), expert.embed_mel(mel)
    assert seen.shape[1] == heard.shape[1] == 5
    one, other = expert(pictures[:, :, 2:7], mel[:, None, :, 8:28])
    assert torch.allclose(one, seen[:, 2], atol=1e-6)
    assert torch.allclose(other, heard[:, 2], atol=1e-6)


def test_it_looks_at_its_region_only():
    network = SyncExpert(tiny().model_copy(update={"region": (0.5, 0.25, 1.0, 0.75)})).eval()
    pictures, _ = clips()
    changed = pictures.clone()
    changed[..., :16, :] += 1
    changed[..., :8] += 1
    changed[..., 24:] += 1
    assert torch.equal(network.embed_frames(pictures), network.embed_frames(changed))
    changed[..., 20, 12] += 1
    assert not torch.equal(network.embed_frames(pictures), network.embed_frames(changed))


def test_matching_knows_right_from_wrong():
    right = 20 * torch.eye(6)[None]
    assert matching_loss(right) < 1e-6
    assert matching_accuracy(right) == 1
    shifted = right.roll(1, 2)
    assert matching_accuracy(shifted) == 0
    assert matching_accuracy(shifted, slack=1) == pytest.approx(5 / 6)
    assert matching_loss(torch.zeros(1, 6, 6)) == pytest.approx(1.7918, abs=1e-3)


def test_its_learning_reaches_all_weights_but_the_bias_that_cancels(expert):
    expert.train()
    pictures, mel = clips()
    logits = expert.logits(expert.embed_frames(pictures), expert.embed_mel(mel))
    matching_loss(logits).backward()
    for name, parameter in expert.named_parameters():
        assert parameter.grad is not None, name
        if not name.endswith("bias"):
            assert parameter.grad.abs().sum() > 0, name
    assert expert.bias.grad.abs() < 1e-5


def test_the_frozen_expert_teaches_pictures(expert):
    pictures, mel = clips()
    pictures.requires_grad_()
    expert.requires_grad_(False)
    loss = sync_loss(expert, pictures, mel)
    assert 0 <= loss <= 2
    loss.backward()
    assert pictures.grad[..., 16:, :].abs().sum() > 0


def test_too_short_clips_and_wrong_sizes_are_refused(expert):
    pictures, mel = clips()
    with pytest.raises(ValueError, match="at least 5 pictures, got 4"):
        expert.embed_frames(pictures[:, :, :4])
    with pytest.raises(ValueError, match="at least 20 mel frames, got 19"):
        expert.embed_mel(mel[:, :, :19])
    with pytest.raises(ConfigError, match="region must be"):
        SyncExpertConfig(region=(0.5, 0.0, 0.4, 1.0))
    with pytest.raises(ConfigError, match="six widths"):
        SyncExpertConfig(sound=(4, 4))
