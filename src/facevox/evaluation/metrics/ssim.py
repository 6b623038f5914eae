"""SSIM: likeness of structure to the recording, for reconstruction and dubbing.

Reference:
    Wang, Bovik, Sheikh and Simoncelli, Image Quality Assessment: From Error Visibility to
    Structural Similarity, IEEE Transactions on Image Processing 2004.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8

from facevox.core.errors import InputError
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips
from facevox.evaluation.metrics.frame_pairs import frame_pairs
from facevox.evaluation.signals.structure import structural_similarity

_NAME = "SSIM"
_WINDOW = 11  # px, of the Gaussian with a spread of 1.5


def ssim(frame: UInt8[np.ndarray, "h w 3"], real: UInt8[np.ndarray, "h w 3"]) -> float:
    """Return the structural similarity of two frames, 1 if they are equal.

    As in the paper: Gaussian window of 11 px with a spread of 1.5, K1 0.01, K2 0.03, population
    covariance, peak 255, points whose window lies within the frame; on each of R, G, B, then
    averaged (the paper took grey).  That is scikit-image's number, worked out faster.

    Raises:
        InputError: If the frames are smaller than the window.
    """
    if min(frame.shape[:2]) < _WINDOW:
        raise InputError(f"SSIM needs frames of at least {_WINDOW} px.")
    rim = _WINDOW // 2
    points = structural_similarity(frame.astype(np.float64), real.astype(np.float64), _WINDOW)
    return float(points[rim:-rim, rim:-rim].mean())


class Ssim:
    """SSIM against the recording, mean over frames, then over clips."""

    name = "ssim"
    version = 2
    judges: tuple[str, ...] = ()
    uses_landmarks = False
    figures = (
        Figure(
            name=_NAME,
            unit="",
            better="higher",
            protocol="Whole frame against the recording's frame of the same number; "
            "Gaussian window 11 px / 1.5 as Wang et al. and scikit-image, mean of R, G, B, mean "
            "over frames; only where both have the same timing.",
        ),
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Return the SSIM of a clip.

        Raises:
            InputError: If there is no recording of the same timing.
        """
        values = [ssim(frame, real) for frame, real in frame_pairs(media)]
        return {"ssim": np.array(np.mean(values))}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the mean over clips."""
        return {_NAME: mean_over_clips(seen, "ssim", seed=seed)}
