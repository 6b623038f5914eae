"""Do the lips say what the sound says?  Measured on finished videos.

`python -m facevox.evaluation.lips --task face_landmarker.task --faces FOLDER`
lets faces speak sentences, finds the landmarks of every frame of the mp4 and
compares them with the phone times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS
from facevox.core.speech import SILENCE, Phone

UPPER_INNER_LIP, LOWER_INNER_LIP = 13, 14
CLOSED_GAP = 0.03
"""Inner lips closer than this count as closed [IOD]; a wide open vowel has about .25."""

PAUSE_SECONDS, PAUSE_MARGIN = 0.3, 0.12
"""Pauses longer than the first are looked at, without the second at both ends [s]:
lips close after the sound has ended and open before it begins."""

MAX_LAG = 6  # frames

OPENNESS = {
    **dict.fromkeys(("p", "b", "m", SILENCE), 0.0),
    **dict.fromkeys(("f", "v"), 0.15),
    **dict.fromkeys(("w", "uw", "uh", "sh", "zh", "ch", "jh", "s", "z", "t", "d", "n"), 0.3),
    **dict.fromkeys(("th", "dh", "l", "r", "er", "y", "k", "g", "ng", "hh"), 0.4),
    **dict.fromkeys(("iy", "ih", "ax", "ow", "oy"), 0.55),
    **dict.fromkeys(("eh", "ey", "ah"), 0.75),
    **dict.fromkeys(("aa", "ae", "ao", "aw", "ay"), 1.0),
}
"""How wide the mouth is expected to open, by class of phone, 0 to 1 (ours, coarse)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LipScore:
    """How well lips fit phones in one video.

    Attributes:
        closures: Number of p, b, m.
        closed: How many of them show closed lips within the phone, give or take a frame.
        correlation: Of the measured lip gap with the expected openness.
        lag: Frames by which the lips are late (negative: early), from the best correlation.
        pauses: Number of pauses that were looked at.
        pause_motion: Largest range of the lip gap in a pause over its range in speech.
        gap_range: 5th to 95th percentile of the lip gap in speech [IOD].
    """

    closures: int
    closed: int
    correlation: float
    lag: float
    pauses: int
    pause_motion: float
    gap_range: float


def lip_gap(landmarks: Float[np.ndarray, "frames 478 3"]) -> Float[np.ndarray, " frames"]:
    """Return the distance of the inner lips at the middle [IOD]."""
    flat = landmarks[..., :2].astype(np.float64)
    iod = np.linalg.norm(flat[:, LEFT_IRIS] - flat[:, RIGHT_IRIS], axis=-1)
    return np.linalg.norm(flat[:, LOWER_INNER_LIP] - flat[:, UPPER_INNER_LIP], axis=-1) / iod


def expected_openness(
    phones: Sequence[Phone], num_frames: int, fps: float
) -> Float[np.ndarray, " frames"]:
    """Return `OPENNESS` of what is heard during each frame, averaged over the frame +- 40 ms."""
    step = 0.005
    ends = np.array([phone.end for phone in phones])
    values = np.array([OPENNESS[phone.name] for phone in phones])
    centers = (np.arange(num_frames) + 0.5) / fps
    offsets = np.arange(-0.5 / fps - 0.04, 0.5 / fps + 0.04 + step, step)
    index = np.searchsorted(ends, centers[:, None] + offsets, side="right")
    return values[np.minimum(index, len(values) - 1)].mean(1)


def score_lips(gap: Float[np.ndarray, " frames"], phones: Sequence[Phone], fps: float) -> LipScore:
    """Compare the measured lip gap [IOD] with the phones."""
    shown = np.arange(len(gap)) / fps  # a frame is shown from here to here + 1 / fps
    closures = [phone for phone in phones if phone.name in ("p", "b", "m")]
    closed = sum(
        bool((gap[(shown > p.start - 2 / fps) & (shown < p.end + 1 / fps)] <= CLOSED_GAP).any())
        for p in closures
    )
    expected = expected_openness(phones, len(gap), fps)
    speaking = expected > 0
    low, high = np.percentile(gap[speaking], (5, 95))
    pauses = _pauses(phones, shown, fps)
    motion = [np.ptp(gap[inside]) / max(high - low, 1e-6) for inside in pauses]
    return LipScore(
        closures=len(closures),
        closed=closed,
        correlation=float(np.corrcoef(gap, expected)[0, 1]),
        lag=best_lag(gap, expected),
        pauses=len(pauses),
        pause_motion=float(max(motion, default=0.0)),
        gap_range=float(high - low),
    )


def best_lag(late: Float[np.ndarray, " n"], early: Float[np.ndarray, " n"]) -> float:
    """Return by how many frames the first signal is late, to a fraction of a frame."""
    lags = np.arange(-MAX_LAG, MAX_LAG + 1)
    middle = slice(MAX_LAG, len(late) - MAX_LAG)
    score = [np.corrcoef(np.roll(late, -lag)[middle], early[middle])[0, 1] for lag in lags]
    best = int(np.argmax(score))
    if not 0 < best < len(lags) - 1:
        return float(lags[best])
    left, here, right = score[best - 1 : best + 2]
    return float(lags[best] + 0.5 * (left - right) / (left - 2 * here + right))


def _pauses(
    phones: Sequence[Phone], shown: Float[np.ndarray, " frames"], fps: float
) -> list[np.ndarray]:
    """Return masks of the frames inside each long pause."""
    masks = []
    merged: list[list[float]] = []
    for phone in phones:
        if phone.name != SILENCE:
            continue
        if merged and abs(merged[-1][1] - phone.start) < 1e-6:
            merged[-1][1] = phone.end
        else:
            merged.append([phone.start, phone.end])
    for start, end in merged:
        inside = (shown >= start + PAUSE_MARGIN) & (shown + 1 / fps <= end - PAUSE_MARGIN)
        if end - start > PAUSE_SECONDS and inside.any():
            masks.append(inside)
    return masks


def main() -> None:
    """Score many faces and sentences; see the module's docstring."""
    import argparse
    import json
    import tempfile

    from facevox.core.errors import FacevoxError
    from facevox.evaluation.judges.landmarks import load_face_landmarker
    from facevox.evaluation.media import read_frames
    from facevox.evaluation.texts import HARVARD_SENTENCES
    from facevox.systems.registry import load

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", type=Path, required=True)
    parser.add_argument("--faces", type=Path, nargs="+", required=True)
    parser.add_argument("--sentences", type=int, default=36)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--system", default="lite")
    options = parser.parse_args()
    judge, system = load_face_landmarker(options.task), load(options.system)
    per_face = -(-options.sentences // len(options.faces))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, photo in enumerate(options.faces):
            chosen = [
                HARVARD_SENTENCES[(number * per_face + k) % len(HARVARD_SENTENCES)]
                for k in range(per_face)
            ]
            try:
                face = system.generate(photo, " ".join(chosen), seed=number, size=options.size)
                path = face.save(Path(folder) / "lips.mp4").path
                gap = lip_gap(judge.track(read_frames(path)))
                score = score_lips(gap, face.alignment(), float(face.clock.fps))
            except FacevoxError as error:
                print(json.dumps({"face": photo.name, "failed": str(error)}))
                continue
            rows.append(score)
            print(
                json.dumps({"face": photo.name, **{k: getattr(score, k) for k in score.__slots__}})
            )
    print(json.dumps(summary(rows)))


def summary(rows: Sequence[LipScore]) -> dict[str, int | float]:
    """Return the figures over all videos."""
    return {
        "videos": len(rows),
        "closures": sum(row.closures for row in rows),
        "closure_rate": sum(row.closed for row in rows) / max(1, sum(row.closures for row in rows)),
        "correlation_median": float(np.median([row.correlation for row in rows])),
        "correlation_min": min(row.correlation for row in rows),
        "lag_median": float(np.median([row.lag for row in rows])),
        "lag_max": max((row.lag for row in rows), key=abs),
        "pauses": sum(row.pauses for row in rows),
        "pause_motion_median": float(np.median([row.pause_motion for row in rows])),
        "pause_motion_max": max(row.pause_motion for row in rows),
        "gap_range_median": float(np.median([row.gap_range for row in rows])),
    }


if __name__ == "__main__":
    main()
