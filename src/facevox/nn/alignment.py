"""Which token each frame belongs to: from durations, or found by monotonic alignment search.

Reference:
    Kim et al., Glow-TTS: a generative flow for text-to-speech via monotonic alignment
    search, NeurIPS 2020.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frame_tokens(
    durations: Int[Tensor, "batch tokens"], num_frames: int
) -> Int[Tensor, "batch frames"]:
    """Return the index of each frame's token; frames after the end get the last one.

    Args:
        durations: Frames of each token.
        num_frames: Frames of the padded batch.
    """
    ends = durations.cumsum(1)
    frames = torch.arange(num_frames, device=durations.device).expand(len(durations), -1)
    found = torch.searchsorted(ends, frames.contiguous(), right=True)
    return found.clamp(max=durations.shape[1] - 1)


def expand(
    x: Float[Tensor, "batch tokens channels"], tokens: Int[Tensor, "batch frames"]
) -> Float[Tensor, "batch frames channels"]:
    """Repeat each token's row for its frames."""
    return x.gather(1, tokens.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


def gaussian_log_likelihood(
    frames: Float[Tensor, "batch frames channels"], means: Float[Tensor, "batch tokens channels"]
) -> Float[Tensor, "batch tokens frames"]:
    """Return log N(frame; mean of token, 1) for every pair."""
    cross = means @ frames.transpose(1, 2)
    squares = means.square().sum(-1)[:, :, None] + frames.square().sum(-1)[:, None, :]
    return cross - 0.5 * squares - 0.5 * frames.shape[-1] * math.log(2 * math.pi)


@torch.no_grad()
def monotonic_durations(
    scores: Float[Tensor, "batch tokens frames"],
    token_lengths: Int[Tensor, " batch"],
    frame_lengths: Int[Tensor, " batch"],
) -> Int[Tensor, "batch tokens"]:
    """Return the durations whose monotonic path has the highest sum of scores.

    Every token gets at least one frame, and all frames are used. The search walks over
    tokens, never over frames: if token i starts at frame k, its best path up to frame j is
    S_i(j) + (Q_{i-1}(k - 1) - S_i(k - 1)), where S_i is the running sum of its scores, so
    that the best start for every j at once is a running maximum over k.

    Args:
        scores: Value of each frame for each token.
        token_lengths: Valid tokens.
        frame_lengths: Valid frames.

    Raises:
        ValueError: If a sequence has fewer frames than tokens, or no token.
    """
    if bool((frame_lengths < token_lengths).any()) or bool((token_lengths < 1).any()):
        raise ValueError("An alignment needs at least one token and as many frames as tokens.")
    starts = _best_starts(scores.double())
    end = frame_lengths.clone()
    durations = torch.zeros(scores.shape[:2], dtype=torch.long, device=scores.device)
    for token in range(scores.shape[1] - 1, -1, -1):
        inside = token < token_lengths
        start = starts[token].gather(1, (end - 1).clamp(min=0)[:, None])[:, 0]
        durations[:, token] = torch.where(inside, end - start, 0)
        end = torch.where(inside, start, end)
    return durations


def _best_starts(scores: Tensor) -> list[Tensor]:
    """Return for each token the best first frame, given its last frame: (batch, frames)."""
    batch, tokens, frames = scores.shape
    best = scores.new_full((batch, frames), -torch.inf)
    starts = []
    for token in range(tokens):
        running = scores[:, token].cumsum(1)
        before = torch.nn.functional.pad(running, (1, -1))
        entry = torch.nn.functional.pad(best, (1, -1), value=0.0 if token == 0 else -torch.inf)
        value, start = (entry - before).cummax(1)
        best = running + value
        starts.append(start)
    return starts
