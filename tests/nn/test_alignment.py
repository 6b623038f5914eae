"""Alignment search against brute force, and tokens of frames."""

from itertools import combinations, pairwise

import pytest
import torch

from facevox.nn.alignment import (
    expand,
    frame_tokens,
    gaussian_log_likelihood,
    monotonic_durations,
)


def brute_force(scores):
    """Try every way to cut the frames into one stretch a token."""
    tokens, frames = scores.shape
    best, found = -float("inf"), None
    for cuts in combinations(range(1, frames), tokens - 1):
        edges = [0, *cuts, frames]
        value = sum(
            scores[token, edges[token] : edges[token + 1]].sum().item() for token in range(tokens)
        )
        if value > best:
            best, found = value, [b - a for a, b in pairwise(edges)]
    return found


@pytest.mark.parametrize("seed", range(6))
def test_search_equals_brute_force_in_a_padded_batch(seed):
    source = torch.Generator().manual_seed(seed)
    token_lengths = torch.tensor([1, 2, 4, 5, 3])
    frame_lengths = torch.tensor([4, 9, 9, 5, 7])
    scores = torch.randn(5, 5, 9, generator=source)
    found = monotonic_durations(scores, token_lengths, frame_lengths)
    for row, (tokens, frames) in enumerate(zip(token_lengths, frame_lengths, strict=True)):
        assert found[row, :tokens].tolist() == brute_force(scores[row, :tokens, :frames])
        assert not found[row, tokens:].any()


def test_durations_sum_to_the_frames_and_are_at_least_one():
    scores = torch.randn(3, 20, 60, generator=torch.Generator().manual_seed(0)) * 100 - 500
    tokens, frames = torch.tensor([20, 7, 1]), torch.tensor([20, 60, 33])
    found = monotonic_durations(scores, tokens, frames)
    assert found.sum(1).tolist() == frames.tolist()
    assert [int((row > 0).sum()) for row in found] == tokens.tolist()


def test_search_finds_the_means_that_made_the_frames():
    source = torch.Generator().manual_seed(1)
    means = torch.randn(1, 6, 8, generator=source) * 3
    durations = torch.tensor([[3, 1, 7, 2, 9, 4]])
    frames = expand(means, frame_tokens(durations, 26))
    frames = frames + 0.3 * torch.randn(frames.shape, generator=source)
    scores = gaussian_log_likelihood(frames, means)
    assert torch.equal(
        monotonic_durations(scores, torch.tensor([6]), torch.tensor([26])), durations
    )


def test_log_likelihood_is_that_of_a_normal_distribution():
    source = torch.Generator().manual_seed(2)
    frames, means = torch.randn(2, 5, 3, generator=source), torch.randn(2, 4, 3, generator=source)
    wanted = torch.distributions.Normal(means[:, :, None], 1.0).log_prob(frames[:, None]).sum(-1)
    torch.testing.assert_close(gaussian_log_likelihood(frames, means), wanted)


@pytest.mark.parametrize(("tokens", "frames"), [(3, 2), (0, 4)])
def test_an_impossible_alignment_is_refused(tokens, frames):
    with pytest.raises(ValueError, match="at least one token"):
        monotonic_durations(torch.zeros(1, 3, 4), torch.tensor([tokens]), torch.tensor([frames]))


def test_frames_know_their_tokens():
    tokens = frame_tokens(torch.tensor([[2, 1, 3], [1, 1, 0]]), 6)
    assert tokens.tolist() == [[0, 0, 1, 2, 2, 2], [0, 1, 2, 2, 2, 2]]
