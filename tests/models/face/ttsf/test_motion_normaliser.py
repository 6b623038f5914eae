"""The auto-encoder of motions and the statistics it keeps."""

import pytest
import torch

from facevox.core.checkpoint import load_module, save_checkpoint
from facevox.models.face.ttsf.motion_normaliser import MotionNormaliser
from facevox.models.face.ttsf.sampler_config import NormaliserConfig, tiny

DIM = tiny().motion_dim


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


Q = torch.linalg.qr(noise(16, DIM, seed=9))[0]


def normaliser(seed=0):
    torch.manual_seed(seed)
    return MotionNormaliser(DIM, tiny().normaliser).eval()


def whole(x):
    return torch.ones(x.shape[:2], dtype=torch.bool)


def test_shapes_and_span():
    network = normaliser()
    f_m = noise(2, 9, DIM) @ Q.T
    f_c, again = network(f_m, Q, whole(f_m))
    assert f_c.shape == (2, 9, 4)
    assert again.shape == f_m.shape
    torch.testing.assert_close(again @ Q @ Q.T, again, atol=1e-6, rtol=1e-5)


def test_the_error_over_f_m_is_that_over_alpha():
    alpha, again = noise(3, 7, DIM), noise(3, 7, DIM, seed=1)
    error = ((alpha - again) @ Q.T).square().mean()
    torch.testing.assert_close(error, (alpha - again).square().mean() * DIM / 16)


def test_a_padded_batch_gives_what_each_gives_alone():
    network = normaliser()
    short, long = noise(1, 5, DIM) @ Q.T, noise(1, 12, DIM, seed=1) @ Q.T
    batch = torch.full((2, 12, 16), 5.0)
    batch[0, :5], batch[1] = short[0], long[0]
    mask = torch.arange(12) < torch.tensor([[5], [12]])
    for part, alone in zip(network(batch, Q, mask), network(short, Q, mask[:1, :5]), strict=True):
        torch.testing.assert_close(part[:1, :5], alone, atol=1e-6, rtol=1e-5)
        assert (part[0, 5:] == 0).all()


def test_a_still_motion_stays_still_up_to_its_ends():
    network = normaliser()
    f_m = (noise(1, 1, DIM) @ Q.T).expand(1, 10, 16)
    f_c, again = network(f_m, Q, whole(f_m))
    torch.testing.assert_close(f_c, f_c[:, :1].expand_as(f_c))
    torch.testing.assert_close(again, again[:, :1].expand_as(again))


@pytest.mark.parametrize("batches", [1, 20])
def test_statistics_are_those_of_what_was_seen(batches):
    network = normaliser().train()
    values = 3.0 + 2.0 * noise(batches, 4, 400, 4)
    mask = torch.ones(4, 400, dtype=torch.bool)
    mask[:, 300:] = False
    for batch in values:
        network.follow(batch.masked_fill(~mask[..., None], 1e6), mask)
    seen = values[:, :, :300].reshape(-1, 4)
    torch.testing.assert_close(network.mean, seen.mean(0))
    torch.testing.assert_close(network.variance, seen.var(0), rtol=0.02, atol=0.0)
    white = network.standardised(seen[None])
    assert float(white.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(white.std()) == pytest.approx(1.0, abs=0.01)
    torch.testing.assert_close(network.restored(white)[0], seen, atol=1e-4, rtol=1e-4)


def test_statistics_forget_what_is_long_ago():
    network = MotionNormaliser(DIM, NormaliserConfig(width=4, compressed_dim=4, momentum=0.2))
    for level in [5.0] * 10 + [-1.0] * 40:
        network.follow(torch.full((1, 8, 4), level), torch.ones(1, 8, dtype=torch.bool))
    torch.testing.assert_close(network.mean, torch.full((4,), -1.0), atol=0.01, rtol=0.0)


def test_statistics_move_in_training_only():
    network = normaliser()
    f_m = noise(2, 9, DIM) @ Q.T
    network(f_m, Q, whole(f_m))
    assert (int(network.updates), network.mean.tolist()) == (0, [0.0] * 4)
    network.train()(f_m, Q, ~whole(f_m))  # nothing valid, nothing learnt
    assert int(network.updates) == 0
    network(f_m, Q, whole(f_m))
    assert int(network.updates) == 1
    assert network.mean.abs().sum() > 0


def test_half_precision_does_not_touch_motions():
    network = normaliser()
    f_m = noise(1, 9, DIM) @ Q.T
    with torch.autocast("cpu", torch.bfloat16):
        half = network(f_m, Q, whole(f_m))
    for part, full in zip(half, network(f_m, Q, whole(f_m)), strict=True):
        assert torch.equal(part, full)


def test_saved_with_its_statistics(tmp_path):
    first, second = normaliser(), normaliser(seed=1)
    f_m = noise(2, 9, DIM) @ Q.T
    first.train()(f_m, Q, whole(f_m))
    load_module(second, save_checkpoint(tmp_path / "n.safetensors", first.state_dict(), {}))
    assert int(second.updates) == 1
    for ours, theirs in zip(
        first.eval()(f_m, Q, whole(f_m)), second(f_m, Q, whole(f_m)), strict=True
    ):
        assert torch.equal(ours, theirs)
        assert torch.equal(first.standardised(ours[..., :4]), second.standardised(theirs[..., :4]))
