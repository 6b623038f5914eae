"""Rates, reach, ends and padding of the audio mapper."""

import pytest
import torch
from torch.nn import functional

from facevox.core.checkpoint import load_module, save_checkpoint
from facevox.core.clock import Clock
from facevox.core.errors import ConfigError
from facevox.models.face.ttsf.audio_mapper import (
    AudioMapper,
    AudioMapperConfig,
    frame_energy,
    paper,
    small,
    tiny,
    video_lengths,
    video_mask,
)


def mapper(seed=0, **changes):
    torch.manual_seed(seed)
    return AudioMapper(tiny().model_copy(update=changes)).eval()


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def whole(x):
    return torch.ones(x.shape[:2], dtype=torch.bool)


def silenced(network):
    """Branches that pass their input on, so that only the rates remain."""
    for parameter in network.branches.parameters():
        parameter.data.zero_()
    return network


def test_the_published_sizes():
    assert paper().in_channels == small().in_channels == 273
    assert paper().margin == 60
    assert [paper().margin_of(kernel) for kernel in (3, 7, 11)] == [12, 36, 60]
    assert (paper().width, paper().out_dim, small().width, small().out_dim) == (512, 512, 128, 512)


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_an_impulse_shows_in_its_own_video_frame_only(offset):
    network = silenced(mapper())
    x = torch.zeros(1, 80, 11)
    still = network(x, whole(x))
    x[0, 40 + offset] = 1.0
    change = (network(x, whole(x)) - still).abs().sum(-1)[0]
    assert (change[:10] == 0).all()
    assert (change[11:] == 0).all()
    assert (change[10] > 0) == (offset in (1, 2))


def test_area_takes_all_four_mel_frames():
    network = silenced(mapper(rate="area"))
    x = torch.zeros(1, 80, 11)
    still = network(x, whole(x))
    changes = []
    for offset in range(4):
        moved = x.clone()
        moved[0, 40 + offset] = 1.0
        changes.append((network(moved, whole(x)) - still)[0, 10])
    assert changes[0].abs().sum() > 0
    for change in changes[1:]:
        torch.testing.assert_close(change, changes[0])


def test_four_mel_frames_later_is_one_video_frame_later():
    network = mapper()
    x = torch.zeros(1, 400, 11)
    x[:, 180:220] = noise(1, 40, 11)
    y, later = network(x, whole(x)), network(x.roll(4, 1), whole(x))
    torch.testing.assert_close(later[:, 1:], y[:, :-1], atol=1e-6, rtol=1e-5)


def test_a_video_frame_sees_sixty_mel_frames_and_no_more():
    network = mapper()
    x = noise(1, 400, 11).requires_grad_()
    network(x, whole(x))[0, 50].sum().backward()
    seen = x.grad.abs().sum(-1)[0].nonzero().flatten()
    assert (int(seen.min()), int(seen.max())) == (201 - 60, 202 + 60)


def test_against_convolutions_cut_behind_the_branches():
    network = mapper()
    x = noise(1, 48, 11)
    padded = network.project(functional.pad(x.transpose(1, 2), (60, 60), mode="replicate"))
    ends = []
    for branch in network.branches:
        end = branch(padded)
        spare = (end.shape[-1] - 48) // 2
        ends.append(end[..., spare : spare + 48])
    slow = functional.interpolate(torch.stack(ends).mean(0), 12, mode="linear")
    expected = network.out(functional.leaky_relu(slow, 0.1)).transpose(1, 2)
    torch.testing.assert_close(network(x, whole(x)), expected, atol=1e-6, rtol=1e-5)


def test_lengths_follow_the_clock():
    lengths = torch.arange(1, 300)
    clock = Clock()
    expected = [clock.num_frames(int(length) * clock.hop_length) for length in lengths]
    assert video_lengths(lengths).tolist() == expected


@pytest.mark.parametrize("lengths", [(3, 90), (41, 42), (130, 39)])
@pytest.mark.parametrize("rate", ["linear", "area"])
def test_a_padded_batch_gives_what_each_gives_alone(lengths, rate):
    network = mapper(rate=rate)
    rows = [noise(1, length, 11, seed=length) for length in lengths]
    batch = torch.full((2, max(lengths), 11), 9.0)
    mask = torch.zeros(2, max(lengths), dtype=torch.bool)
    for index, row in enumerate(rows):
        batch[index, : row.shape[1]], mask[index, : row.shape[1]] = row[0], True
    together, valid = network(batch, mask), video_mask(mask)
    assert together.shape[:2] == valid.shape
    assert (together[~valid] == 0).all()
    for index, row in enumerate(rows):
        alone = network(row, whole(row))
        torch.testing.assert_close(together[index][valid[index]], alone[0], atol=1e-6, rtol=1e-5)


def test_a_window_is_a_cut_from_the_whole():
    network = mapper()
    x = noise(2, 203, 11)
    mask = torch.arange(203) < torch.tensor([[203], [150]])
    complete = network(x, mask)
    window = network(x, mask, torch.tensor([3, 30]), 12)
    torch.testing.assert_close(window[0], complete[0, 3:15], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(window[1], complete[1, 30:42], atol=1e-6, rtol=1e-5)
    assert (window[1, 8:] == 0).all()


def test_stretching_moves_time_at_the_ends_and_needs_length():
    network = mapper(boundary="stretch")
    x = torch.zeros(1, 400, 11)
    still = network(x, whole(x))
    x[:, 100] = 3.0
    moved = (network(x, whole(x)) - still).abs().sum(-1)[0]
    assert moved.shape == (100,)
    # the branch of 11 frames sees mel frame 100 as if it were 57
    assert moved[:20].max() > 0
    with pytest.raises(ValueError, match="120"):
        network(x[:, :120], whole(x[:, :120]))


def test_stretching_gives_a_row_the_same_in_a_batch():
    network = mapper(boundary="stretch")
    x = noise(2, 160, 11)
    mask = torch.arange(160) < torch.tensor([[130], [160]])
    together = network(x, mask)
    alone = network(x[:1, :130], mask[:1, :130])
    torch.testing.assert_close(together[:1, : alone.shape[1]], alone, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("switches", "channels"),
    [({}, 11), ({"energy": False}, 10), ({"energy": False, "text": False}, 6)],
)
def test_ablations_take_channels_away(switches, channels):
    network = mapper(**switches)
    embedding, text, energy = noise(1, 8, 6), noise(1, 8, 4), noise(1, 8, 1)
    joined = network.join(embedding, text, energy)
    assert joined.shape[-1] == network.config.in_channels == channels
    assert torch.equal(joined, torch.cat([embedding, text, energy], -1)[..., :channels])
    assert network(joined, whole(joined)).shape == (1, 2, 16)


@pytest.mark.parametrize("changes", [{"text": False}, {"kernels": (3, 4)}])
def test_impossible_settings_are_refused(changes):
    with pytest.raises(ConfigError):
        AudioMapper(AudioMapperConfig(width=4, **changes))


def test_energy_is_the_mean_of_the_bands():
    mel = noise(2, 5, 80)
    torch.testing.assert_close(frame_energy(mel)[..., 0], mel.sum(-1) / 80)


def test_gradients_reach_every_parameter():
    network = mapper().train()
    x = noise(2, 40, 11)
    network(x, whole(x)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_zero_init_starts_without_lips():
    x = noise(1, 8, 11)
    assert (mapper(zero_init=True)(x, whole(x)) == 0).all()


def test_saved_and_loaded_it_is_the_same(tmp_path):
    first, second = mapper(), mapper(seed=1)
    load_module(second, save_checkpoint(tmp_path / "m.safetensors", first.state_dict(), {}))
    x = noise(1, 30, 11)
    assert torch.equal(first(x, whole(x)), second(x, whole(x)))
