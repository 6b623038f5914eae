"""LPIPS: how different frames look from the recording's, for reconstruction and dubbing.

Reference:
    Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric,
    CVPR 2018.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
from jaxtyping import Float64, UInt8

from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips
from facevox.evaluation.metrics.frame_pairs import frame_pairs

JUDGES = ("alexnet", "lpips-heads")
BATCH = 8
"""Pairs of frames that the judge sees at once."""

_NAME = "LPIPS"


def lpips(
    frames: UInt8[np.ndarray, "n h w 3"],
    real: UInt8[np.ndarray, "n h w 3"],
    backbone: object,
    heads: object,
) -> Float64[np.ndarray, " n"]:
    """Return how different frames look, one number a pair; 0 if they are equal.

    Args:
        frames: RGB.
        real: What they are compared with.
        backbone: Judge `alexnet`.
        heads: Judge `lpips-heads`.

    Raises:
        InputError: If the frames are smaller than 64 px.
    """
    import torch

    from facevox.evaluation.judges.lpips import AlexNet, LpipsHeads, lpips_distance

    assert isinstance(backbone, AlexNet)
    assert isinstance(heads, LpipsHeads)
    first, second = (
        torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        for pixels in (frames, real)
    )
    return lpips_distance(backbone, heads, first, second).double().numpy()


class Lpips:
    """LPIPS against the recording, mean over frames, then over clips."""

    name = "lpips"
    version = 1
    judges = JUDGES
    uses_landmarks = False
    figures = (
        Figure(
            name=_NAME,
            unit="",
            better="lower",
            protocol="LPIPS v0.1 on AlexNet; whole frame at the recording's size, [-1, 1], against "
            "the recording's frame of the same number, mean over frames; only where both have "
            "the same timing.",
        ),
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Return the LPIPS of a clip.

        Raises:
            InputError: If there is no recording of the same timing, or frames are too small.
            MissingPiece: If a judge is not here.
        """
        backbone, heads = (media.judges.load(name) for name in JUDGES)
        pairs, rows = frame_pairs(media), []
        while batch := list(islice(pairs, BATCH)):
            frames, real = (np.stack(side) for side in zip(*batch, strict=True))
            rows.append(lpips(frames, real, backbone, heads))
        return {"lpips": np.array(np.concatenate(rows).mean())}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the mean over clips."""
        return {_NAME: mean_over_clips(seen, "lpips", seed=seed)}
