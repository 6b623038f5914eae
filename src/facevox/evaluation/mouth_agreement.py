"""How well mouth motion made from phones agrees with the mouth that was filmed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from facevox.core.speech import Phone
from facevox.models.face.lip_fit import correlation
from facevox.models.face.lip_shape import CLOSED_GAP

LAGS = range(-3, 4)
"""Shifts that are tried [frames]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthPair:
    """One clip: the made mouth and the filmed one.

    Attributes:
        made: Coefficients, then the lip gap [IOD], of every frame.
        filmed: The same, measured.
        found: Frames in which the face was found.
        phones: Phones with times [s].
        fps: Video frames per second.
    """

    made: Float[np.ndarray, "frames 7"]
    filmed: Float[np.ndarray, "frames 7"]
    found: Bool[np.ndarray, " frames"]
    phones: tuple[Phone, ...]
    fps: float


def agreement(pairs: Sequence[MouthPair]) -> dict[str, float | list[float] | int]:
    """Return correlation, amplitude ratio, lag [frames], gap error [IOD] and closure rate."""
    made = np.concatenate([pair.made[pair.found] for pair in pairs])
    filmed = np.concatenate([pair.filmed[pair.found] for pair in pairs])
    correlations = [correlation(made[:, c], filmed[:, c]) for c in range(made.shape[1])]
    ratios = made.std(0) / filmed.std(0)
    return {
        "gap_correlation": round(correlations[-1], 3),
        "coefficient_correlations": [round(value, 3) for value in correlations[:-1]],
        "gap_amplitude_ratio": round(float(ratios[-1]), 3),
        "coefficient_amplitude_ratios": [round(float(value), 2) for value in ratios[:-1]],
        "gap_error_rms": round(float(np.sqrt(((made - filmed)[:, -1] ** 2).mean())), 4),
        "lag_frames": best_lag(pairs),
        "closures_made": round(closure_rate(pairs, made=True), 3),
        "closures_filmed": round(closure_rate(pairs, made=False), 3),
        "frames": len(made),
    }


def best_lag(pairs: Sequence[MouthPair]) -> int:
    """Return by how many frames the made lip gap is late; negative if it is early."""
    reach = max(LAGS)

    def score(lag: int) -> float:
        made = [pair.made[reach + lag : len(pair.made) - reach + lag, -1] for pair in pairs]
        filmed = [pair.filmed[reach : len(pair.filmed) - reach, -1] for pair in pairs]
        return correlation(np.concatenate(made), np.concatenate(filmed))

    return max(LAGS, key=score)


def closure_rate(pairs: Sequence[MouthPair], *, made: bool) -> float:
    """Return in how many of /p b m/ some frame of the phone shows closed lips, 0 to 1."""
    closed = total = 0
    for pair in pairs:
        gap = (pair.made if made else pair.filmed)[:, -1]
        for phone in pair.phones:
            if phone.name in ("p", "b", "m"):
                first = int(np.floor(phone.start * pair.fps))
                last = int(np.ceil(phone.end * pair.fps))
                closed += bool((gap[first : last + 1] <= CLOSED_GAP).any())
                total += 1
    return closed / max(total, 1)
