"""Does the voice sound like the sex and the age that the face has?

A small judge, learned from listeners' words, tells how feminine and how old a voice is
likely to sound; the data set tells sex and age of the person on the photo.

Traps:
    The judge never heard synthetic voices, and one of seven women and men of other corpora
    (a British woman speaking at 175 Hz) sounds slightly masculine to it.  Only the order of
    its ages means anything, and all its speakers were adults.  Agreement among women and
    among men is reported apart: a system with one man's voice agrees with half of everybody.
    Agreement with a data set is not the aim for every user: the voice can be overridden.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from facevox.evaluation.bootstrap import interval_of, interval_of_share
from facevox.evaluation.judges.speaker_encoder import embedding_of
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Figure, NotMeasured, Observation, Result, Seen

FEWEST_PEOPLE = 8
"""With fewer people a correlation says nothing."""

_ENCODER, _JUDGE = "resemblyzer", "voice-perception"
_HEARD = (
    "Voice judged by a regression on Resemblyzer embeddings learned from listeners' words "
    "(246 speakers, sex 99.6 % right in cross-validation)"
)


def sex_agrees(femininity: float, sex: str) -> bool | None:
    """Return whether a voice is heard as of this sex; None if the sex is not known.

    Args:
        femininity: Negative sounds masculine, positive feminine.
        sex: `female`, `male` or anything else.
    """
    if sex not in ("female", "male"):
        return None
    return (femininity > 0) == (sex == "female")


def rank_correlation(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """Return Spearman's rank correlation; NaN if either is constant.

    Reference:
        Spearman, The proof and measurement of association between two things, 1904.
    """
    from scipy.stats import rankdata

    left, right = (rankdata(values) - (len(values) + 1) / 2 for values in (x, y))
    scale = np.sqrt((left @ left) * (right @ right))
    return float(left @ right / scale) if scale > 0 else float("nan")


class PerceivedAgreement:
    """Share of voices of the right sex, and rank correlation of ages."""

    name = "perceived-agreement"
    version = 1
    judges: tuple[str, ...] = (_ENCODER, _JUDGE)
    uses_landmarks = False
    figures: tuple[Figure, ...] = (
        Figure(
            name="voice sex agrees",
            unit="",
            better="higher",
            protocol=f"{_HEARD}; share of clips heard as of the sex that the data set gives.",
        ),
        Figure(
            name="voice sex agrees: women",
            unit="",
            better="higher",
            protocol="The same, photos of women only.",
        ),
        Figure(
            name="voice sex agrees: men",
            unit="",
            better="higher",
            protocol="The same, photos of men only.",
        ),
        Figure(
            name="voice age correlation",
            unit="",
            better="higher",
            protocol=f"{_HEARD}; Spearman correlation over people of the mean age heard with "
            "the age that the data set gives (cross-validated 0.59 with listeners' words).",
            digits=2,
        ),
    )

    def observe(self, media: ClipMedia) -> Observation:
        """Listen to one clip."""
        heard = media.judges.load(_JUDGE)(embedding_of(media, _ENCODER))
        return {"femininity": np.array(heard.femininity), "age": np.array(heard.age)}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return agreement and correlation; intervals are over people."""
        names = [figure.name for figure in self.figures]
        women = [item for item in seen if item.clip.sex == "female"]
        men = [item for item in seen if item.clip.sex == "male"]
        unknown = "" if women or men else "the data set gives no sex for these clips"
        shares = [
            _share(part, unknown or f"no clip shows {who}", seed)
            for part, who in ((women + men, "anybody"), (women, "a woman"), (men, "a man"))
        ]
        return dict(zip(names, (*shares, _correlation(seen, seed)), strict=True))


def _share(seen: Sequence[Seen], reason: str, seed: int) -> Result:
    if not seen:
        return NotMeasured(reason=reason)
    agrees = np.array(
        [float(sex_agrees(float(s.observation["femininity"]), s.clip.sex) or 0) for s in seen]
    )
    people = np.array([item.clip.identity or item.clip.name for item in seen])
    low, high = interval_of_share(agrees, people, seed=seed)
    count = len(set(people.tolist()))
    note = f"{count} {'person' if count == 1 else 'people'}"
    return Estimate(value=float(agrees.mean()), low=low, high=high, count=len(seen), note=note)


def _correlation(seen: Sequence[Seen], seed: int) -> Result:
    heard: dict[str, list[float]] = {}
    known: dict[str, float] = {}
    for item in seen:
        if item.clip.age is not None and item.clip.identity:
            heard.setdefault(item.clip.identity, []).append(float(item.observation["age"]))
            known[item.clip.identity] = float(item.clip.age)
    if len(known) < FEWEST_PEOPLE:
        reason = f"needs {FEWEST_PEOPLE} people of known age, got {len(known)}"
        return NotMeasured(reason=reason)
    names = sorted(known)
    x = np.array([np.mean(heard[name]) for name in names])
    y = np.array([known[name] for name in names])
    value = rank_correlation(x, y)
    if not np.isfinite(value):
        return NotMeasured(reason="all people, or all voices, are of one age")
    low, high = interval_of(
        lambda chosen: rank_correlation(x[list(chosen)], y[list(chosen)]), len(names), seed=seed
    )
    note = f"ages {y.min():g} to {y.max():g}"
    return Estimate(value=value, low=low, high=high, count=len(names), of="people", note=note)
