"""Lip synchrony from landmarks and phone times: no network beside the tracker.

Formulas:
    closure rate: of all p, b, m the share with closed lips in some frame, give or take one;
    lag: shift of the phones, within 0.6 s, at which the fit is best, refined by a parabola;
    AUC: chance that a clip's lips fit its own sound better than another clip's.

Traps:
    A mouth that stays shut closes at every p: read the closure rate beside "lips shut in open
    vowels".  In the AUC, other sounds begin when the clip's own speech begins and are
    repeated or cut to its length, else pauses and lengths alone would tell them apart; clips
    of the same text are not compared.  A late mouth has a poor AUC, as it should, while LSE-C
    forgives any shift.  The correlation of the lip gap alone is low for real people (.7):
    they open their mouths before they speak, and mumble.

Reference:
    Ours.  The choice between own and other sound follows Chung and Zisserman, Out of time:
    automated lip sync in the wild, ACCV workshops 2016; the AUC of pairs is that of Hanley
    and McNeil, Radiology 143, 1982.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from facevox.core.errors import InputError
from facevox.core.speech import PHONES, SILENCE, Phone
from facevox.evaluation.bootstrap import FEWEST_GROUPS, interval_of_share
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import (
    Estimate,
    Figure,
    NotMeasured,
    Observation,
    Result,
    Seen,
    interval_over_people,
    mean_over_clips,
    people_of,
    share_of_clips,
)
from facevox.models.face.lip_fit import correlation, lip_lag, own_sound_wins
from facevox.models.face.lip_shape import (
    CLOSED_GAP,
    CLOSED_GAPS,
    checked_shape,
    closures,
    expected_lips,
    frame_times,
    shut_in_vowels,
    spoken_span,
)

LAG_RATE = 25
"""Lags are told in frames of this rate, whatever the video's own [Hz]."""

SHORTEST = 1.0
"""Less speech than this is not judged [s]."""

_NAMES = (SILENCE, *PHONES)
_NEAR = 1.5  # frames

_PHONES_HOW = "phone times are the maker's own or by forced alignment"
_LAG_HOW = (
    "Shift of the phones, up to +-15 frames of 25 fps, at which height and width of the mouth fit "
    f"them best; positive: lips late; {_PHONES_HOW}."
)
_FIGURES = (
    Figure(
        name="lip closure rate",
        unit="%",
        better="higher",
        protocol="Of all p, b, m: lips closed (gap <= 0.02 IOD for attention-mesh, 0.03 for "
        f"face-landmarker) within the phone, give or take a frame; {_PHONES_HOW}.",
        digits=1,
    ),
    Figure(
        name="lips shut in open vowels",
        unit="%",
        better="lower",
        protocol="Of all aa ae ah ao aw ay eh ey: lips closed in all frames of the vowel.",
        digits=1,
    ),
    Figure(
        name="lip correlation",
        unit="",
        better="higher",
        protocol="Lip gap against the openness expected of the phones (fixed table), Pearson, "
        f"mean over clips; {_PHONES_HOW}.",
    ),
    Figure(
        name="lip lag",
        unit="frames",
        better="neither",
        protocol=f"Median over clips. {_LAG_HOW}",
        digits=2,
    ),
    Figure(
        name="lip lag within 1 frame",
        unit="%",
        better="higher",
        protocol=f"Share of clips whose lag is below 1.5 frames, early or late; lips that do not "
        f"move are not. {_LAG_HOW}",
        digits=1,
    ),
    Figure(
        name="sync AUC",
        unit="",
        better="higher",
        protocol="Chance that height and width of the mouth fit the clip's own sound better than "
        "another clip's, which starts when its speech starts and is repeated or cut to its length.",
    ),
)


class LipSync:
    """Closures, correlation, lag and own-or-other of lips and phones."""

    name = "lip-sync"
    version = 1
    judges: tuple[str, ...] = ()
    uses_landmarks = True
    figures: tuple[Figure, ...] = _FIGURES

    def observe(self, media: ClipMedia) -> Observation:
        """Compare the lips of one clip with its phones.

        Raises:
            InputError: If hardly a face is seen, or less than a second is spoken or shown.
            DataError: If the text does not fit the sound.
        """
        phones, fps = media.phones, float(media.fps)
        shape = checked_shape(media.landmarks, fps)
        start, end = spoken_span(phones)
        if min(end - start, len(shape) / fps) < SHORTEST:
            raise InputError(f"lips are judged on {SHORTEST:g} s of speech or more")
        gap, closed_gap = shape[:, 0], CLOSED_GAPS.get(media.tracker, CLOSED_GAP)
        closed = closures(gap, phones, fps, closed_gap)
        shut = shut_in_vowels(gap, phones, fps, closed_gap)
        lag, fit = lip_lag(shape, phones, fps)
        return {
            "shape": shape.astype(np.float32),
            "fps": np.array(fps),
            "phone": np.array([_NAMES.index(phone.name) for phone in phones]),
            "start": np.array([phone.start for phone in phones]),
            "end": np.array([phone.end for phone in phones]),
            "closed": np.array([closed.sum(), len(closed)]),
            "shut": np.array([shut.sum(), len(shut)]),
            "correlation": np.array(_gap_correlation(shape, phones, fps)),
            "lag": np.array(lag * LAG_RATE),
            "fit": np.array(fit),
        }

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return rates, correlation, lag and AUC."""
        lag = np.array([float(item.observation["lag"]) for item in seen])
        near = (np.abs(lag) < _NEAR).astype(np.float64)  # never where the lips do not move
        return {
            "lip closure rate": _share(seen, "closed", "p, b, m", seed),
            "lips shut in open vowels": _share(seen, "shut", "open vowels", seed),
            "lip correlation": mean_over_clips(seen, "correlation", seed=seed),
            "lip lag": _median(seen, lag, seed),
            "lip lag within 1 frame": share_of_clips(seen, near, seed=seed),
            "sync AUC": _auc(seen, seed),
        }


def _gap_correlation(
    shape: Float[np.ndarray, "frames 3"], phones: Sequence[Phone], fps: float
) -> float:
    expected = expected_lips(phones, frame_times(len(shape), fps))
    return correlation(shape[:, 0], expected[:, 0])


def _share(seen: Sequence[Seen], key: str, of: str, seed: int) -> Result:
    counts = np.stack([item.observation[key] for item in seen]).astype(np.float64)
    if not counts[:, 1].sum():
        return NotMeasured(reason=f"the clips have no {of}")

    def share(chosen: np.ndarray) -> float:
        hits, total = counts[chosen].sum(0)
        return float(100 * hits / total) if total else float("nan")

    value = share(np.arange(len(seen)))
    low, high = interval_over_people(seen, share, seed=seed)
    if low is not None and value in (0.0, 100.0):  # drawing anew would always give the same
        ends = interval_of_share(np.full(len(seen), value / 100), people_of(seen), seed=seed)
        low, high = (None if end is None else 100 * end for end in ends)
    return Estimate(value=value, low=low, high=high, count=int(counts[:, 1].sum()), of=of)


def _median(seen: Sequence[Seen], lag: Float[np.ndarray, " clips"], seed: int) -> Result:
    good = np.isfinite(lag)
    if not good.any():
        return NotMeasured(reason="the lips do not move in any clip")
    kept = [item for item, moves in zip(seen, good, strict=True) if moves]
    low, high = interval_over_people(kept, lambda i: float(np.median(lag[good][i])), seed=seed)
    note = f"{len(seen) - len(kept)} of {len(seen)} do not move" if len(kept) < len(seen) else ""
    value = float(np.median(lag[good]))
    return Estimate(value=value, low=low, high=high, count=len(kept), note=note)


def _auc(seen: Sequence[Seen], seed: int) -> Result:
    if len(seen) < FEWEST_GROUPS:
        return NotMeasured(reason=f"needs {FEWEST_GROUPS} clips or more, got {len(seen)}")
    facts = [item.observation for item in seen]
    wins = own_sound_wins(
        [np.asarray(one["shape"], np.float64) for one in facts],
        [phones_of(one) for one in facts],
        [float(one["fps"]) for one in facts],
        seed=seed,
    )
    if np.isfinite(wins).any(1).sum() < FEWEST_GROUPS:
        return NotMeasured(reason="the clips say the same: there is no other sound to compare with")

    def auc(chosen: np.ndarray) -> float:
        part = wins[np.ix_(chosen, chosen)]
        made = np.isfinite(part)
        rows = made.any(1)
        per_clip = np.nansum(part, 1)[rows] / made.sum(1)[rows]
        return float(per_clip.mean()) if len(per_clip) else float("nan")

    low, high = interval_over_people(seen, auc, seed=seed)
    value = auc(np.arange(len(seen)))
    return Estimate(value=value, low=low, high=high, count=int(np.isfinite(wins).sum()), of="pairs")


def phones_of(observation: Observation) -> tuple[Phone, ...]:
    """Return the phones that `LipSync` kept."""
    rows = zip(observation["phone"], observation["start"], observation["end"], strict=True)
    return tuple(Phone(name=_NAMES[int(n)], start=float(s), end=float(e)) for n, s, e in rows)
