"""Does one face get one voice, whichever photo of it is used?

Every person has two photos.  The voice made from photo B is compared with the voices made
from photo A of everybody: is that of the same person the nearest (1-of-N accuracy), and how
often is it nearer than that of another person (AUC)?  The same functions take scores of any
other kind, such as face against voice.

Traps:
    Sex alone gives an AUC of about 0.75, so the AUC among people of one sex is reported
    beside it.  A system with one voice for all scores at chance; one with a random voice for
    each call, too.  The voice is drawn from a seed as well as from the face: clips with
    several seeds average that out.  A speaker encoder also hears the text: the two sides
    should say different things.

Reference:
    Nagrani, Albanie and Zisserman, Seeing Voices and Hearing Faces, CVPR 2018 (protocol).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64

from facevox.core.errors import InputError
from facevox.evaluation.bootstrap import interval_of_share
from facevox.evaluation.judges.speaker_encoder import LABELS, embedding_of
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Figure, NotMeasured, Observation, Result, Seen

FEWEST = 4
"""With fewer people than this a match says nothing."""


@dataclass(frozen=True, kw_only=True)
class MatchScore:
    """Outcome of `match`.

    Attributes:
        accuracy: Share of queries whose own entry scores highest; ties are split.
        accuracy_interval: Its 95 % interval over identities, if there is one.
        chance: Accuracy of guessing.
        auc: Chance that the own entry scores higher than that of another identity.
        auc_interval: Its 95 % interval over identities, if there is one.
        identities: How many were queried.
        choices: Entries to choose from, N.
    """

    accuracy: float
    accuracy_interval: tuple[float, float] | tuple[None, None]
    chance: float
    auc: float
    auc_interval: tuple[float, float] | tuple[None, None]
    identities: int
    choices: int


def match(
    scores: Float[np.ndarray, "queries entries"],
    queries: Sequence[str],
    entries: Sequence[str],
    *,
    choices: int | None = None,
    seed: int = 0,
) -> MatchScore:
    """Measure how well scores find the own entry of each query.

    With fewer `choices` than entries the accuracy is the exact mean over all draws of the
    other choices.  AUC is the mean over queries of the share of other entries that score
    lower, ties counted half; intervals draw identities anew.

    Args:
        scores: Larger means more alike.
        queries: Identity of each row; may repeat.
        entries: Identity of each column, each once.
        choices: N of the 1-of-N accuracy; None takes all entries.
        seed: Seed of the intervals.

    Raises:
        InputError: If labels do not fit the scores, an identity of a query has no entry, or
            there are fewer than two entries.
    """
    columns = _columns(scores, queries, entries)
    number = len(entries)
    picked = choices or number
    if not 2 <= picked <= number:
        raise InputError(f"choices must be from 2 to {number}, got {picked}.")
    own = scores[np.arange(len(queries)), columns][:, None]
    other = np.arange(number) != columns[:, None]
    lower = ((scores < own) & other).sum(1)
    ties = ((scores == own) & other).sum(1)
    right = np.array(
        [_chance_to_win(int(a), int(b), number, picked) for a, b in zip(lower, ties, strict=True)]
    )
    shares = (lower + ties / 2) / (number - 1)
    people = np.array(queries)
    return MatchScore(
        accuracy=float(right.mean()),
        accuracy_interval=interval_of_share(right, people, seed=seed),
        chance=1 / picked,
        auc=float(shares.mean()),
        auc_interval=interval_of_share(shares, people, seed=seed),
        identities=len(set(queries)),
        choices=picked,
    )


def match_within(
    scores: Float[np.ndarray, "queries entries"],
    queries: Sequence[str],
    entries: Sequence[str],
    groups: Mapping[str, str],
) -> tuple[Float64[np.ndarray, " kept"], list[str]]:
    """Return for each query the share of other entries of its own group that score lower.

    Args:
        scores: Larger means more alike.
        queries: Identity of each row.
        entries: Identity of each column, each once.
        groups: Identity -> group, such as the sex; identities without one are left out.

    Returns:
        The shares, ties counted half, and the identity of each; queries whose group holds
        nobody else are left out.  Their mean is the AUC within groups.
    """
    columns = _columns(scores, queries, entries)
    names = [groups.get(name, "") for name in entries]
    shares, kept = [], []
    for row, column, name in zip(scores, columns, queries, strict=True):
        group = groups.get(name, "")
        rivals: Bool[np.ndarray, " entries"] = np.array([one == group for one in names])
        rivals[column] = False
        if group and rivals.any():
            beaten = (row[rivals] < row[column]) + 0.5 * (row[rivals] == row[column])
            shares.append(float(beaten.mean()))
            kept.append(name)
    return np.array(shares, float), kept


def _columns(
    scores: Float[np.ndarray, "queries entries"], queries: Sequence[str], entries: Sequence[str]
) -> np.ndarray:
    if scores.shape != (len(queries), len(entries)):
        raise InputError(
            f"{len(queries)} queries and {len(entries)} entries do not fit scores of shape "
            f"{scores.shape}."
        )
    if len(entries) < 2:
        raise InputError(f"Matching needs at least 2 identities, got {len(entries)}.")
    if len(set(entries)) < len(entries):
        raise InputError("An identity has more than one entry; take the mean of its embeddings.")
    if not np.isfinite(scores).all():
        raise InputError("The scores hold values that are not finite.")
    if missing := sorted(set(queries) - set(entries)):
        raise InputError(f"{missing[0]} is asked for but is not among the entries.")
    position = {name: index for index, name in enumerate(entries)}
    return np.array([position[name] for name in queries])


def _chance_to_win(lower: int, ties: int, number: int, picked: int) -> float:
    """Chance to be highest among `picked`, the others drawn; equal scores in random order."""
    beaten = lower + np.arange(ties + 1)
    steps = np.arange(picked - 1)
    won = np.maximum(beaten[:, None] - steps, 0) / (number - 1 - steps)
    return float(won.prod(1).mean())


class SameFaceOtherPhoto:
    """Is the voice of photo B nearest to the voice of photo A of the same person?

    Args:
        judge: Name of the speaker encoder.
    """

    version = 1
    uses_landmarks = False

    def __init__(self, judge: str = "resemblyzer") -> None:
        self.name, self.judges = f"same-face-other-photo-{judge}", (judge,)
        label = f"({LABELS[judge]})"
        start = (
            f"Two photos of each person; mean {LABELS[judge]} embedding of the clips of each "
            "photo, texts kept apart where possible; both photos are asked for; "
        )
        kinds: tuple[tuple[str, str], ...] = (
            ("1-of-N", "share of people whose other photo has the nearest voice of all."),
            ("AUC", "chance that the other photo's voice is nearer than another person's."),
            ("AUC within sex", "the same, among people of one sex only."),
        )
        better: Literal["higher"] = "higher"
        self.figures = tuple(
            Figure(
                name=f"same face, other photo: {kind} {label}",
                unit="",
                better=better,
                protocol=start + meaning,
            )
            for kind, meaning in kinds
        )

    def observe(self, media: ClipMedia) -> Observation:
        """Embed the voice of one clip.

        Raises:
            InputError: If it is not known who is shown, or on which photo.
        """
        if not media.clip.identity or not media.clip.photo:
            raise InputError("identity or photo of the clip are not known")
        return {"embedding": embedding_of(media, self.judges[0])}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return accuracy and AUC over people with two photos."""
        pairs = photo_pairs(seen)
        if len(pairs) < FEWEST:
            reason = f"needs {FEWEST} people with two photos each, got {len(pairs)}"
            return {figure.name: NotMeasured(reason=reason) for figure in self.figures}
        names = sorted(pairs)
        first, second = (np.stack([pairs[name][side] for name in names]) for side in (0, 1))
        scores = first @ second.T
        # each photo is asked for once: rows of both directions, one below the other
        asked, both = names * 2, np.concatenate([scores, scores.T])
        found = match(both, asked, names, seed=seed)
        sexes = {item.clip.identity: item.clip.sex for item in seen}
        shares, people = match_within(both, asked, names, sexes)
        within: Result = NotMeasured(reason="the sex of people is not known")
        if len(shares):
            low, high = interval_of_share(shares, np.array(people), seed=seed)
            within = Estimate(
                value=float(shares.mean()),
                low=low,
                high=high,
                count=len(set(people)),
                of="people",
                note="chance 0.5",
            )
        accuracy = _estimate(found.accuracy, found.accuracy_interval, found, f"{found.chance:.3f}")
        auc = _estimate(found.auc, found.auc_interval, found, "0.5")
        results: tuple[Result, ...] = (accuracy, auc, within)
        return {one.name: result for one, result in zip(self.figures, results, strict=True)}


def _estimate(
    value: float,
    interval: tuple[float, float] | tuple[None, None],
    found: MatchScore,
    chance: str,
) -> Estimate:
    low, high = interval
    return Estimate(
        value=value,
        low=low,
        high=high,
        count=found.identities,
        of="people",
        note=f"N={found.choices}, chance {chance}",
    )


def photo_pairs(
    seen: Sequence[Seen],
) -> dict[str, tuple[Float[np.ndarray, " dim"], Float[np.ndarray, " dim"]]]:
    """Return mean embeddings (unit length) of the first two photos of each person.

    A text that is spoken from both photos is used on one side only, by turns, as long as
    both sides keep a clip.
    """
    photos: dict[str, dict[str, list[Seen]]] = {}
    for item in seen:
        photos.setdefault(item.clip.identity, {}).setdefault(item.clip.photo, []).append(item)
    pairs = {}
    for name, sides in photos.items():
        if len(sides) >= 2:
            first, second = (sides[photo] for photo in sorted(sides)[:2])
            kept = _keep_texts_apart(first, second)
            pairs[name] = (_mean_embedding(kept[0]), _mean_embedding(kept[1]))
    return pairs


def _keep_texts_apart(
    first: list[Seen], second: list[Seen]
) -> tuple[Sequence[Seen], Sequence[Seen]]:
    both = {item.clip.text for item in first} & {item.clip.text for item in second} - {None}
    shared = sorted(text for text in both if text)
    left, right = set(shared[1::2]), set(shared[::2])
    kept = [item for item in first if item.clip.text not in left]
    other = [item for item in second if item.clip.text not in right]
    return (kept, other) if kept and other else (first, second)


def _mean_embedding(items: Sequence[Seen]) -> Float[np.ndarray, " dim"]:
    rows = np.stack([item.observation["embedding"] for item in items]).astype(np.float64)
    mean = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).mean(0)
    return mean / np.linalg.norm(mean)
