"""The figures of `voice_people`: clones beside their originals, drawn voices beside people."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from facevox.evaluation.bootstrap import interval_of_mean, interval_of_share
from facevox.evaluation.judges.speaker_encoder import LABELS, embedding_of
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Estimate, Figure, NotMeasured, Observation, Result, Seen
from facevox.evaluation.metrics.voice_people import (
    Embeddings,
    clone_similarity,
    nearest_people,
    variety,
)

_CLONED = (
    ("SS of clone and original", "higher", "What cloned voices said against recordings of the "
     "person each was cloned from"),
    ("SS of clone and other people", "lower", "The same against recordings of the other people "
     "that were cloned"),
    ("SS of two people", "neither", "Recordings of different people that were cloned"),
    ("SS margin", "higher", "SS of clone and original less SS of two people"),
)  # fmt: skip
_DRAWN = (
    ("voice to nearest person", "lower", "Cosine of a voice's mean embedding and the nearest "
     "person's, mean over voices"),
    ("nearest of all voices", "lower", "The largest of these"),
    ("one person", "neither", "Cosine of up to three recordings of a person and each other "
     "recording of that person, mean over recordings"),
    ("person to nearest other", "neither", "Cosine of those recordings and the nearest other "
     "person, mean over people"),
    ("people who pass for another", "neither", "Share of people nearer to another one than 5 % "
     "of people's recordings are to themselves"),
    ("voices that pass for somebody", "lower", "Share of voices nearer to a person than 5 % of "
     "people's recordings are to themselves"),
)  # fmt: skip
_VARIETY = "similarity of two voices"


class Voices:
    """Voices beside people, by one speaker encoder.

    Args:
        judge: Name of the encoder in the registry.
        people: Recordings of people whom no drawn voice may be; None measures none of that.
        originals: Recordings of those whom the voices were cloned from, by name of the voice.
    """

    version = 1
    uses_landmarks = False

    def __init__(
        self,
        judge: str = "resemblyzer",
        *,
        people: Embeddings | None = None,
        originals: Embeddings | None = None,
    ) -> None:
        self.name = f"voices-{judge}"
        self.judges: tuple[str, ...] = (judge,)
        self._people, self._originals, self._label = people, originals, LABELS[judge]
        rows = [
            *(_CLONED if originals is not None else ()),
            *(_DRAWN if people is not None else ()),
        ]
        rows.append((_VARIETY, "neither", "Mean cosine of the mean embeddings of two voices"))
        how = f"by {self._label}, raw, sentences at 16 kHz, each person weighs the same"
        self.figures: tuple[Figure, ...] = tuple(
            Figure(
                name=f"{name} ({self._label})", unit="", better=better, protocol=f"{what}; {how}."
            )
            for name, better, what in rows
        )

    def observe(self, media: ClipMedia) -> Observation:
        """Return the embedding of one clip.

        Raises:
            InputError: If there is no speech in it.
        """
        return {"embedding": embedding_of(media, self.judges[0])}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return means over voices, or over people, with intervals over them."""
        if len(seen) == 1:
            why = "one sentence is not enough to tell a voice by"
            return {figure.name: NotMeasured(reason=why) for figure in self.figures}
        heard: dict[str, list[np.ndarray]] = {}
        for item in seen:
            name = item.clip.identity or item.clip.system
            heard.setdefault(name, []).append(item.observation["embedding"])
        voices = {name: np.stack(found) for name, found in heard.items()}
        results: dict[str, Result] = {}
        if self._originals is not None:
            results |= _clones(voices, self._originals, seed)
        if self._people is not None:
            results |= _nearest(voices, self._people, seed)
        results[_VARIETY] = _variety(voices, seed)
        return {f"{name} ({self._label})": result for name, result in results.items()}


def _clones(voices: Embeddings, originals: Embeddings, seed: int) -> dict[str, Result]:
    both = [name for name in voices if name in originals]
    if len(both) < 2:
        why = f"needs recordings of two people who were cloned, got {len(both)}"
        return {name: NotMeasured(reason=why) for name, _, _ in _CLONED}
    found = clone_similarity(voices, originals)
    rows = (found.same, found.different, found.two_people, found.margin)
    counts = [len(originals[name]) for name in found.names]
    note = f"{min(counts)} to {max(counts)} recordings a person"
    return {
        name: _mean(values, seed, "voices", note if name == "SS margin" else "")
        for (name, _, _), values in zip(_CLONED, rows, strict=True)
    }


def _nearest(voices: Embeddings, people: Embeddings, seed: int) -> dict[str, Result]:
    found = nearest_people(voices, people)
    worst = int(found.voices.argmax())
    names = [name for name, _, _ in _DRAWN]
    if len(found.one_person):
        one: Result = _mean(
            found.one_person, seed, "recordings", f"5 % lie below {found.limit:.3f}"
        )
        passing: Result = _share(
            (found.voices > found.limit).astype(np.float64), seed, "voices",
            f"limit {found.limit:.3f}" + _list_of(found.recognisable),
        )  # fmt: skip
        others: Result = _share(found.people_passing, seed, "people", "")
    else:
        one = passing = others = NotMeasured(reason="no person has two recordings")
    largest = Estimate(
        value=float(found.voices[worst]), count=len(found.voices), of="voices",
        note=f"{found.names[worst]}, nearest to {found.nearest[worst]}",
    )  # fmt: skip
    rows: tuple[Result, ...] = (
        _mean(found.voices, seed, "voices", f"{len(people)} people"),
        largest,
        one,
        _mean(found.nearest_other, seed, "people", "")
        if len(found.nearest_other)
        else NotMeasured(reason="there is only one person"),
        others,
        passing,
    )
    return dict(zip(names, rows, strict=True))


def _share(values: Float[np.ndarray, " n"], seed: int, of: str, note: str) -> Result:
    if not len(values):
        return NotMeasured(reason="there is only one person")
    low, high = interval_of_share(values, seed=seed)
    return Estimate(
        value=float(values.mean()), low=low, high=high, count=len(values), of=of, note=note
    )


def _list_of(names: Sequence[str]) -> str:
    return f"; {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}" if names else ""


def _variety(voices: Embeddings, seed: int) -> Result:
    if len(voices) < 2:
        return NotMeasured(reason="there is only one voice")
    value, (low, high) = variety(voices, seed=seed)
    return Estimate(value=value, low=low, high=high, count=len(voices), of="voices")


def _mean(values: Float[np.ndarray, " n"], seed: int, of: str, note: str) -> Estimate:
    low, high = interval_of_mean(values, seed=seed)
    return Estimate(
        value=float(values.mean()), low=low, high=high, count=len(values), of=of, note=note
    )
