"""Pieces of long motions: continuous, without looking back or ahead, in constant memory."""

import pytest
import torch

from facevox.models.face.ttsf.motion_stream import MotionStream


def stream(draw, overlap=4, batch=1, seeds=(5,)):
    return MotionStream(draw, torch.zeros(batch, 2), list(seeds), 3, 10, overlap)


def levels(*values):
    """A draw whose pieces stand still at levels of their own."""
    left = iter(values)
    return lambda first, lips, mask, noise: torch.full_like(lips, next(left))


def test_a_seam_is_spread_over_the_overlap():
    motion = stream(levels(0.0, 10.0)).extend(torch.zeros(1, 20, 2))[0, :, 0]
    assert motion[:10].tolist() == [0.0] * 10
    torch.testing.assert_close(motion[10:15], torch.tensor([2.0, 4.0, 6.0, 8.0, 10.0]))
    assert motion[14:].tolist() == [10.0] * 6


def test_pieces_shorter_than_the_overlap_stay_continuous():
    growing = stream(levels(0.0, 5.0, 10.0, 0.0))
    parts = [growing.extend(torch.zeros(1, 2, 2)) for _ in range(4)]
    steps = torch.cat(parts, 1)[0, :, 0].diff().abs()
    assert steps.max() <= 2.0


def test_a_piece_sees_the_frames_before_it_and_what_was_drawn_there():
    seen = []

    def draw(first, lips, mask, noise):
        seen.append((first, lips, mask, noise))
        return lips + 1.0

    lips = torch.arange(25.0)[None, :, None].expand(1, 25, 2)
    motion = stream(draw).extend(lips)
    assert [entry[1].shape[1] for entry in seen] == [10, 14, 9]
    assert torch.equal(seen[0][0], torch.zeros(1, 2))
    for piece, start in ((1, 6), (2, 16)):
        first, heard, mask, noise = seen[piece]
        assert torch.equal(heard, lips[:, start : start + heard.shape[1]])
        assert torch.equal(first, motion[:, start])
        assert torch.equal(noise[:, :4], seen[piece - 1][3][:, -4:])
        assert bool(mask.all())
    assert not torch.equal(seen[0][3][:, :4], seen[1][3][:, 4:8])


def test_memory_is_that_of_the_overlap():
    growing = stream(lambda first, lips, mask, noise: lips)
    for _ in range(30):
        growing.extend(torch.zeros(1, 17, 2))
    kept = [value for value in vars(growing).values() if isinstance(value, torch.Tensor)]
    assert max(value.shape[1] for value in kept) == 4


def test_what_cannot_be_streamed():
    growing = stream(lambda first, lips, mask, noise: lips, batch=2, seeds=(1, 2))
    mask = torch.arange(3) < torch.tensor([[3], [2]])
    assert growing.extend(torch.zeros(2, 0, 2)).shape == (2, 0, 2)
    growing.extend(torch.zeros(2, 3, 2), mask)
    with pytest.raises(ValueError, match="padding"):
        growing.extend(torch.zeros(2, 3, 2))
    with pytest.raises(ValueError, match="seed"):
        stream(lambda first, lips, mask, noise: lips, batch=2)
