"""WER and CER: how many words and characters a speech recogniser hears otherwise than written.

    rate = (substitutions + deletions + insertions) / units of the text, in percent

The corpus rate adds up errors and units of all clips before it divides; the mean of clips
averages the rates of clips, so that a short sentence counts as much as a long one.  Neither
is capped: a recogniser that hears too many words gives more than 100 %.

Traps: rates depend on recogniser, its size, normalisation of the texts, and the sentences;
compare only within one table.  pocketsphinx understands plain synthetic voices better than
people: on the same 20 read sentences it has 22 % with our portable voice and 50 % with the
man who read them, so it tells a garbled voice from a clear one, not a voice from a person.
A recogniser with a strong language model, such as Whisper, mends what listeners would not
understand, and may know well-known sentences by heart.

Reference:
    Morris, Maier and Green, From WER and RIL to MER and WIL, Interspeech 2004; counted by
    jiwer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facevox.core.errors import InputError, MissingPiece
from facevox.evaluation.bootstrap import interval_of
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
)

_SHOWN = {
    "pocketsphinx": "pocketsphinx",
    "whisper-large-v2": "Whisper large-v2",
    "whisper-medium.en": "Whisper medium.en",
}
_HEARD_BY = {
    "pocketsphinx": (
        "pocketsphinx with its own English model, sound brought to -23 dB. Both texts as spoken "
        "words: lower case, numbers spelled out, no punctuation but apostrophes. It mishears "
        "people more than plain synthetic voices: rank systems with it, never recordings."
    ),
    "whisper-large-v2": (
        "Whisper large-v2, greedy, English. Both texts by Whisper's EnglishTextNormalizer."
    ),
    "whisper-medium.en": (
        "Whisper medium.en, greedy. Both texts by Whisper's EnglishTextNormalizer."
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorCounts:
    """Errors of one hypothesis, by the alignment with the fewest.

    Attributes:
        substitutions: Units heard as others.
        deletions: Units not heard.
        insertions: Units heard that were not said.
        length: Units of the text.
    """

    substitutions: int
    deletions: int
    insertions: int
    length: int

    @property
    def errors(self) -> int:
        """All errors."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors per unit of the text [%]; may exceed 100."""
        return 100 * self.errors / self.length


def count_word_errors(text: str, heard: str) -> ErrorCounts:
    """Count words heard otherwise.

    Args:
        text: What was to be said, normalised; words are separated by spaces.
        heard: What was heard, normalised alike.

    Raises:
        InputError: If the text has no word.
        MissingPiece: If jiwer is not installed.
    """
    return _count("process_words", text, heard)


def count_character_errors(text: str, heard: str) -> ErrorCounts:
    """Count characters heard otherwise; spaces between words count as characters.

    Raises:
        InputError: If the text has no character.
        MissingPiece: If jiwer is not installed.
    """
    return _count("process_characters", text, heard)


def _count(function: str, text: str, heard: str) -> ErrorCounts:
    try:
        import jiwer
    except ImportError as error:
        raise MissingPiece(
            "Word errors need jiwer; run pip install 'facevox[evaluate]'."
        ) from error
    text, heard = " ".join(text.split()), " ".join(heard.split())
    if not text:
        raise InputError("The text holds no word that could be counted.")
    found = getattr(jiwer, function)(text, heard)
    return ErrorCounts(
        substitutions=found.substitutions,
        deletions=found.deletions,
        insertions=found.insertions,
        length=found.hits + found.substitutions + found.deletions,
    )


class WordErrors:
    """WER and CER by one recogniser.

    Args:
        recogniser: Its name in the registry of judges.
    """

    version = 1
    uses_landmarks = False

    def __init__(self, recogniser: str = "pocketsphinx") -> None:
        self._recogniser = recogniser
        self.name = f"word-errors-{recogniser}"
        self.judges: tuple[str, ...] = (recogniser,)
        self.figures: tuple[Figure, ...] = _figures(recogniser)

    def observe(self, media: ClipMedia) -> Observation:
        """Return the errors of one clip, and what was heard.

        Raises:
            InputError: If the text is not known or the clip has no sound.
        """
        if not media.clip.text:
            raise InputError("the text is not known; give it with --text")
        recogniser = media.judges.load(self._recogniser)
        text = recogniser.normalise(media.clip.text)
        heard = recogniser.normalise(recogniser.transcribe(media.waveform()))
        observation = {"text": np.array(text), "heard": np.array(heard)}
        counts = {
            "word": count_word_errors(text, heard),
            "character": count_character_errors(text, heard),
        }
        for unit, count in counts.items():
            observation[f"{unit}_errors"] = np.array(count.errors)
            observation[f"{unit}_length"] = np.array(count.length)
            observation[f"{unit}_rate"] = np.array(count.rate)
        return observation

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return corpus rates of words and characters, and the mean rate of clips."""
        results = (
            corpus_rate(seen, "word", seed=seed),
            corpus_rate(seen, "character", seed=seed),
            mean_over_clips(seen, "word_rate", seed=seed),
        )
        return dict(zip((figure.name for figure in self.figures[:3]), results, strict=True))


def corpus_rate(seen: Sequence[Seen], unit: str, *, seed: int = 0) -> Estimate:
    """Return all errors over all units [%], with a 95 % interval.

    Clips are drawn anew for the interval, or persons with all their clips when there are at
    least five persons.

    Args:
        seen: Observations with `{unit}_errors` and `{unit}_length`.
        unit: `word` or `character`.
        seed: Seed of the draws.
    """
    errors, lengths = (
        np.array([float(item.observation[f"{unit}_{what}"]) for item in seen])
        for what in ("errors", "length")
    )

    def rate(chosen: np.ndarray) -> float:
        return float(100 * errors[chosen].sum() / lengths[chosen].sum())

    low, high = interval_over_people(seen, rate, seed=seed)
    value = rate(np.arange(len(seen)))
    return Estimate(value=value, low=low, high=high, count=len(seen))


def _figures(recogniser: str) -> tuple[Figure, ...]:
    shown = _SHOWN.get(recogniser, recogniser)
    how = _HEARD_BY.get(recogniser, f"Recogniser {recogniser}.")
    rows = (
        (f"WER ({shown})", "Words heard otherwise, errors and words of all clips added up."),
        (f"CER ({shown})", "Characters heard otherwise, spaces included, all clips added up."),
        (f"WER mean of clips ({shown})", "Mean of the rates of single clips, not capped."),
    )
    return tuple(
        Figure(name=name, unit="%", better="lower", protocol=f"{what} {how}", digits=1)
        for name, what in rows
    )


class VoiceWordErrors(WordErrors):
    """The same for several voices that speak the same sentences: how voices differ.

    Args:
        recogniser: Its name in the registry of judges.
    """

    def __init__(self, recogniser: str = "pocketsphinx") -> None:
        super().__init__(recogniser)
        shown = _SHOWN.get(recogniser, recogniser)
        self.figures += tuple(
            Figure(
                name=f"WER of the {which} voice ({shown})",
                unit="%",
                better="lower",
                protocol=f"Rate of each voice over its sentences, the {which} of these.",
                digits=1,
            )
            for which in ("median", "worst")
        )

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the rates, and those of the median and the worst voice."""
        results = dict(super().summarise(seen, seed=seed))
        median, worst = (figure.name for figure in self.figures[-2:])
        found = voice_rates(seen)
        if len(found) < 2:
            alone = NotMeasured(reason="there is only one voice")
            return results | {median: alone, worst: alone}
        rates, count = np.array(list(found.values())), len(found)
        low, high = interval_of(
            lambda drawn: float(np.median(rates[list(drawn)])), count, seed=seed
        )
        which = f"{max(found, key=lambda name: found[name])}; least {rates.min():.1f}"
        return results | {
            median: Estimate(
                value=float(np.median(rates)), low=low, high=high, count=count, of="voices"
            ),
            worst: Estimate(value=float(rates.max()), count=count, of="voices", note=which),
        }


def voice_rates(seen: Sequence[Seen]) -> dict[str, float]:
    """Return the word error rate of each voice over all its sentences [%]."""
    counts: dict[str, list[float]] = {}
    for item in seen:
        row = counts.setdefault(item.clip.identity or item.clip.system, [0.0, 0.0])
        row[0] += float(item.observation["word_errors"])
        row[1] += float(item.observation["word_length"])
    return {name: 100 * errors / length for name, (errors, length) in counts.items()}
