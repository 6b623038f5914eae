"""How far two systems lie apart over the clips that both made.

Two intervals that overlap do not say that two systems are alike: texts and faces that are hard
for one are hard for the other.  The difference clip by clip takes that out.

Reference:
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 8.
"""

from dataclasses import dataclass

import numpy as np

from facevox.evaluation.bootstrap import FEWEST_GROUPS, interval_of_mean
from facevox.evaluation.metric import Figure, NotMeasured
from facevox.evaluation.report.report import SystemScores

FEWEST_DRAWN = 6
"""With fewer clips or persons even one and the same sign everywhere is no evidence at the
5 % level: 2 / 2**5 = 0.06."""

BETTER, WORSE, UNCLEAR, TOO_FEW = "better", "worse", "no clear difference", "too few clips"
_DECIMALS = 9  # what differs below is rounding


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far a system lies from the baseline over the clips that both made.

    Attributes:
        figure: Name of the figure.
        system: Column whose value minus the baseline's is given.
        value: Mean of the paired differences.
        low: Lower end of its 95 % interval; None with one common clip.
        high: Upper end.
        count: Common clips.
        people: Persons in them; 0 if unknown.
        verdict: `better`, `worse`, `higher`, `lower`, `no clear difference` or `too few clips`.
    """

    figure: str
    system: str
    value: float
    low: float | None
    high: float | None
    count: int
    people: int
    verdict: str


def paired_difference(
    figure: Figure, base: SystemScores, other: SystemScores, *, column: str, seed: int = 0
) -> Difference | None:
    """Return a system's value minus the baseline's over common clips.

    Args:
        figure: What was measured.
        base: The baseline.
        other: The system.
        column: What to call it.
        seed: Of the bootstrap; persons are drawn where at least `FEWEST_GROUPS` are known,
            else clips.

    Returns:
        None if either number was not measured clip by clip, or no clip is common.
    """
    if any(isinstance(scores.result(figure.name), NotMeasured) for scores in (base, other)):
        return None
    before, after = (scores.per_clip.get(figure.name, {}) for scores in (base, other))
    common = [clip for clip in before if clip in after]
    if not common:
        return None
    values = np.array([after[clip] - before[clip] for clip in common]).round(_DECIMALS)
    known = {**other.identities, **base.identities}
    people = np.array([known.get(clip) or f"clip {clip}" for clip in common])
    low, high = interval_of_mean(values, people, seed=seed)
    persons = len(set(people))
    drawn = persons if persons >= FEWEST_GROUPS else len(common)
    return Difference(
        figure=figure.name,
        system=column,
        value=float(values.mean()),
        low=low,
        high=high,
        count=len(common),
        people=persons if all(clip in known for clip in common) else 0,
        verdict=verdict(figure, low, high) if drawn >= FEWEST_DRAWN else TOO_FEW,
    )


def verdict(figure: Figure, low: float | None, high: float | None) -> str:
    """Return in plain words what an interval of differences says."""
    if low is None or high is None or low <= 0 <= high:
        return UNCLEAR
    if figure.better == "neither":
        return "higher" if low > 0 else "lower"
    return BETTER if (low > 0) == (figure.better == "higher") else WORSE
