"""Voices beside people: is a clone like its original, and is a drawn voice nobody's?

For a cloned voice, with recordings of the person it was cloned from:

    SS = mean cosine of what it said and that person's recordings
    SS (other people) = the same with the recordings of the other people that were cloned
    two people = mean cosine of recordings of different people
    margin = SS less `two people`, person by person

For drawn voices, with recordings of people, such as those that the engine was trained on:

    nearest person = largest cosine of the voice's mean embedding and a person's

beside the same numbers of people: some recordings of a person against each other recording
of that person (one person), and against the nearest of all others (nearest other).  A drawn
voice that is nobody's lies where `nearest other` lies.  It passes for somebody when it is
nearer to a person than 5 % of people's recordings are to themselves.  The more people there
are, the more of them pass for another one by chance; a drawn voice may as often, not oftener.

Traps:
    Cosines grow with the speech that an embedding is made of, so that all sides take about as
    much: as many recordings of a person as sentences of a voice.  Recordings of one corpus
    share microphone and room, which draws them together and synthetic voices away from them:
    compare with `nearest other` of the same corpora.  The judge must not have trained the
    system.

Reference:
    Wan, Wang, Papir and Moreno, Generalized End-to-End Loss for Speaker Verification, 2018
    (cosine of a speaker's mean embedding).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from facevox.evaluation.bootstrap import interval_of

Embeddings = Mapping[str, Float[np.ndarray, "_ dim"]]
"""Name of a voice or a person -> embeddings of utterances, unit length."""

QUANTILE = 0.05
"""Of the similarities within one person; above it a drawn voice passes for somebody."""


@dataclass(frozen=True, kw_only=True)
class CloneSimilarity:
    """Of each cloned voice, in the order of `names`.

    Attributes:
        names: Of the voices.
        same: Mean cosine of outputs and recordings of the original.
        different: Mean cosine of outputs and recordings of the others.
        two_people: Mean cosine of recordings of this person and of the others.
    """

    names: tuple[str, ...]
    same: Float[np.ndarray, " voices"]
    different: Float[np.ndarray, " voices"]
    two_people: Float[np.ndarray, " voices"]

    @property
    def margin(self) -> Float[np.ndarray, " voices"]:
        """How much nearer a clone is to its original than two people are to each other."""
        return self.same - self.two_people


@dataclass(frozen=True, kw_only=True)
class NearestPeople:
    """Of drawn voices and of people.

    Attributes:
        names: Of the voices.
        nearest: Who is nearest to each.
        voices: Cosine of each voice and its nearest person.
        one_person: Cosine of some recordings of a person and each other one of that person.
        nearest_other: Cosine of those recordings and the nearest other person.
    """

    names: tuple[str, ...]
    nearest: tuple[str, ...]
    voices: Float[np.ndarray, " voices"]
    one_person: Float[np.ndarray, " recordings"]
    nearest_other: Float[np.ndarray, " others"]

    @property
    def limit(self) -> float:
        """Similarity above which a voice passes for somebody."""
        return float(np.quantile(self.one_person, QUANTILE))

    @property
    def people_passing(self) -> Float[np.ndarray, " others"]:
        """1 for each person who passes for another one, else 0."""
        return (self.nearest_other > self.limit).astype(np.float64)

    @property
    def recognisable(self) -> tuple[str, ...]:
        """Names of the voices above the limit."""
        return tuple(
            name for name, value in zip(self.names, self.voices, strict=True) if value > self.limit
        )


def clone_similarity(outputs: Embeddings, recordings: Embeddings) -> CloneSimilarity:
    """Compare cloned voices with the people they were cloned from.

    Args:
        outputs: What cloned voices said; at least two voices.
        recordings: Of the same people, other than what they were cloned from if there are.
    """
    names = tuple(name for name in outputs if name in recordings)
    made = {name: _unit(outputs[name]) for name in names}
    real = {name: _unit(recordings[name]) for name in names}

    def against_others(left: dict[str, np.ndarray], name: str) -> float:
        others = [left[name] @ real[other].T for other in names if other != name]
        return float(np.mean([cosines.mean() for cosines in others]))

    return CloneSimilarity(
        names=names,
        same=np.array([float((made[name] @ real[name].T).mean()) for name in names]),
        different=np.array([against_others(made, name) for name in names]),
        two_people=np.array([against_others(real, name) for name in names]),
    )


def nearest_people(voices: Embeddings, people: Embeddings, *, most: int = 3) -> NearestPeople:
    """Compare drawn voices with people, and people with people.

    Args:
        voices: What drawn voices said.
        people: Recordings of people; of those with twice as many as `most`, or at least two,
            half (at most `most`) is compared with the rest.
        most: Recordings of a person that are compared at once; the sentences of a voice.
    """
    names, known = tuple(voices), tuple(people)
    means = {name: _unit(people[name]).mean(0) for name in known}
    table = _unit(np.stack([means[name] for name in known]))
    cosines = _unit(np.stack([_unit(voices[name]).mean(0) for name in names])) @ table.T
    one_person, nearest_other = [], []
    for k, name in enumerate(known):
        recordings = _unit(people[name])
        taken = min(most, max(1, len(recordings) // 2))
        part = _unit(recordings[:taken].mean(0)[None])[0]
        one_person += (recordings[taken:] @ part).tolist()
        if len(known) > 1:
            nearest_other.append(float(np.delete(table @ part, k).max()))
    return NearestPeople(
        names=names,
        nearest=tuple(known[k] for k in cosines.argmax(1)),
        voices=cosines.max(1),
        one_person=np.array(one_person),
        nearest_other=np.array(nearest_other),
    )


def variety(
    voices: Embeddings, *, seed: int = 0
) -> tuple[float, tuple[float, float] | tuple[None, None]]:
    """Return the mean cosine of all pairs of voices and its 95 % interval over voices.

    Args:
        voices: At least two.
        seed: Seed of the interval.
    """
    table = _unit(np.stack([_unit(found).mean(0) for found in voices.values()]))
    cosines = table @ table.T

    def mean_of_pairs(chosen: Sequence[int]) -> float:
        drawn = np.asarray(chosen)
        pairs = drawn[:, None] != drawn[None]
        return float(cosines[np.ix_(drawn, drawn)][pairs].mean()) if pairs.any() else float("nan")

    count = len(cosines)
    return mean_of_pairs(range(count)), interval_of(mean_of_pairs, count, seed=seed)


def _unit(vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, "n dim"]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float64)
