"""PSNR: error of the pixels against the recording, for reconstruction and dubbing."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8

from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips
from facevox.evaluation.metrics.frame_pairs import frame_pairs

CEILING = 100.0
"""What a frame without any error counts [dB]; one wrong value in a frame of 288 x 288 px gives
102 dB, so no other frame comes near."""

_NAME = "PSNR"


def psnr(frame: UInt8[np.ndarray, "h w 3"], real: UInt8[np.ndarray, "h w 3"]) -> float:
    """Return 20 log10(255 / RMSE) over all pixels and colours [dB]; infinite if all are equal."""
    error = float(np.square(frame.astype(np.float64) - real).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


class Psnr:
    """PSNR against the recording, mean over frames, then over clips."""

    name = "psnr"
    version = 1
    judges: tuple[str, ...] = ()
    uses_landmarks = False
    figures = (
        Figure(
            name=_NAME,
            unit="dB",
            better="higher",
            protocol="Whole frame against the recording's frame of the same number, RGB, peak 255, "
            "mean over frames, equal frames count 100 dB; only where both have the same timing.",
            digits=2,
        ),
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Return the PSNR of a clip.

        Raises:
            InputError: If there is no recording of the same timing.
        """
        values = [min(psnr(frame, real), CEILING) for frame, real in frame_pairs(media)]
        return {"psnr": np.array(np.mean(values))}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the mean over clips."""
        return {_NAME: mean_over_clips(seen, "psnr", seed=seed)}
