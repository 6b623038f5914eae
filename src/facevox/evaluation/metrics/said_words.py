"""Said words: does a voice say every word once, in order, in plausible time?

Neural voices skip and repeat words where their alignment slips.  A recogniser with a language
model hears such slips as other words; here it may hear the words of the text only, in their
order, and is free to leave out up to three in a row or to go back by up to three.  Both cost
as much as probability 1e-8 (to the power of the words left out), so that one badly spoken word is
no skipped word.

Besides, the text is aligned with the sound, which must succeed without the search of the best
path, and the times must be those of speech: no phone longer than 0.6 s, no pause within the
sentence longer than 1.2 s, between 1.2 and 9.5 vowels a second.

Traps:
    Words that are said but are not in the text, and sounds that are no words, are not heard:
    word errors hear those.  A word that is said while too unclear counts as said.  Measured
    with flite: 40 of 40 sentences with a word left out were found and 39 of 40 with a word said
    twice (`a` was lost); of 200 sentences said rightly one was flagged.

Reference:
    Mostow, Roth, Hauptmann and Kane, A prototype reading coach that listens, AAAI 1994 (the
    words of the text with skips and returns as a grammar).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import DataError, MissingPiece
from facevox.core.speech import SILENCE, Phone
from facevox.core.text.sentence import Word
from facevox.core.waveform import normalise_level
from facevox.data.forced_alignment import PhoneAligner, arpabet
from facevox.evaluation.media import SAMPLE_RATE, ClipMedia
from facevox.evaluation.metric import (
    Estimate,
    Figure,
    Observation,
    Result,
    Seen,
    interval_over_people,
    share_of_clips,
)

SLIP = 1e-8
"""Probability of leaving out a word, and of going back."""

REACH = 3
"""Words that can be left out in a row, or gone back."""

LONGEST_PHONE, LONGEST_PAUSE = 0.6, 1.2
"""What still passes for speech [s]."""

VOWELS_PER_SECOND = (1.2, 9.5)
"""Slowest and fastest speech, pauses left out; words of one syllable alone are not judged."""

_FEWEST_VOWELS = 4
_SHOWN = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Slips:
    """What was not said once.

    Attributes:
        skipped: Indices of words of the text that are not heard.
        repeated: Words that are heard once more than they are written.
    """

    skipped: tuple[int, ...]
    repeated: tuple[str, ...]


class WordTracker:
    """Follows a known text in its sound.

    Args:
        slip: Probability of leaving out a word, and of going back.

    Raises:
        MissingPiece: If pocketsphinx is not installed.
    """

    def __init__(self, slip: float = SLIP) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise MissingPiece(
                "Following words needs pocketsphinx; run pip install 'facevox[evaluate]'."
            ) from error
        self._decoder: Any = Decoder(lm=None, bestpath=False, loglevel="FATAL")
        self._slip = slip
        self._known: set[str] = set()

    def follow(
        self, waveform: Float32[np.ndarray, " samples"], words: Sequence[Word]
    ) -> tuple[str, ...]:
        """Return the words of the text in the order in which they are heard.

        Args:
            waveform: Mono samples in [-1, 1] at 16 kHz.
            words: The text.

        Raises:
            DataError: If no path through the text fits the sound.
        """
        names = [self._entry(word) for word in words]
        rows = self._transitions(names)
        decoder = self._decoder
        decoder.add_fsg("text", decoder.create_fsg("text", 0, len(names), rows))
        decoder.activate_search("text")
        decoder.reinit_feat()
        decoder.start_utt()
        sound = (np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes()
        decoder.process_raw(sound, full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            raise DataError("No reading of the text fits the sound, not even with words left out.")
        spoken = dict(zip(names, (word.text for word in words), strict=True))
        return tuple(spoken[part.word] for part in decoder.seg() if part.word in spoken)

    def _entry(self, word: Word) -> str:
        name, phones = dictionary_entry(word)
        if name not in self._known:
            self._decoder.add_word(name, phones, False)
            self._known.add(name)
        return name

    def _transitions(self, names: Sequence[str]) -> list[tuple]:
        rows: list[tuple] = []
        for k, name in enumerate(names):
            rows.append((k, k + 1, 1.0 - 2 * self._slip, name))
            for reach in range(1, REACH + 1):
                if k + reach <= len(names):
                    rows.append((k, k + reach, self._slip**reach))
                if k + 1 - reach >= 0:
                    rows.append((k + 1, k + 1 - reach, self._slip))
        return rows


def dictionary_entry(word: Word) -> tuple[str, str]:
    """Return a name and the phones of a word as our own reader says it, for pocketsphinx."""
    phones = arpabet(word.phones)
    return f"{word.text}_{phones.replace(' ', '-')}", phones


def align_words(
    aligner: PhoneAligner, waveform: Float32[np.ndarray, " samples"], words: Sequence[Word]
) -> tuple[Phone, ...]:
    """Return the phones of known words with times [s].

    Raises:
        DataError: If the words do not fit the sound.
    """
    entries = [dictionary_entry(word) for word in words]
    for name, phones in entries:
        aligner.learn(name, phones)
    return aligner.align(waveform, [name for name, _ in entries])


def find_slips(text: Sequence[str], heard: Sequence[str]) -> Slips:
    """Return which words were left out and which said again, by the shortest edit.

    Args:
        text: Words as written.
        heard: Words of the text in the order heard.
    """
    cost = np.zeros((len(text) + 1, len(heard) + 1), int)
    cost[:, 0], cost[0, :] = np.arange(len(text) + 1), np.arange(len(heard) + 1)
    for i, word in enumerate(text):
        for j, other in enumerate(heard):
            best = 1 + min(cost[i, j + 1], cost[i + 1, j])
            cost[i + 1, j + 1] = min(best, cost[i, j]) if word == other else best
    i, j = len(text), len(heard)
    skipped: list[int] = []
    repeated: list[str] = []
    while i or j:
        if i and j and text[i - 1] == heard[j - 1] and cost[i, j] == cost[i - 1, j - 1]:
            i, j = i - 1, j - 1
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            skipped.append(i)
        else:
            j -= 1
            repeated.append(heard[j])
    return Slips(skipped=tuple(reversed(skipped)), repeated=tuple(reversed(repeated)))


def implausible_times(phones: Sequence[Phone], duration: float, vowels: int) -> str:
    """Return what is wrong with the times of aligned phones; nothing if they are speech's.

    Args:
        phones: They tile the sound.
        duration: Of the sound [s].
        vowels: How many the text has.
    """
    spoken = [phone for phone in phones if phone.name != SILENCE]
    longest = max(spoken, key=lambda phone: phone.end - phone.start)
    if longest.end - longest.start > LONGEST_PHONE:
        return f"{longest.name} lasts {longest.end - longest.start:.2f} s"
    first, last = spoken[0].start, spoken[-1].end
    pauses = [p.end - p.start for p in phones if p.name == SILENCE and first < p.start < last]
    if max(pauses, default=0.0) > LONGEST_PAUSE:
        return f"a pause of {max(pauses):.2f} s within"
    rate = vowels / max(last - first - sum(pauses), 1e-3)
    low, high = VOWELS_PER_SECOND
    if vowels >= _FEWEST_VOWELS and not low <= rate <= high:
        return f"{rate:.1f} vowels a second"
    return ""


class SaidWords:
    """Words skipped and repeated, alignment, and times."""

    name = "said-words"
    version = 3
    judges: tuple[str, ...] = ("pocketsphinx",)
    uses_landmarks = False
    figures: tuple[Figure, ...] = (
        Figure(
            name="sentences said whole",
            unit="%",
            better="higher",
            protocol="No word skipped or repeated, the text aligns with the sound (pocketsphinx, "
            "bestpath off), no phone over 0.6 s, no inner pause over 1.2 s, 1.2 to 9.5 vowels a "
            "second.",
            digits=1,
        ),
        *(
            Figure(
                name=f"words {what}",
                unit="per 1000",
                better="lower",
                protocol="pocketsphinx hears the words of the text only; leaving out or going "
                "back by up to three words costs as much as probability 1e-8.",
                digits=2,
            )
            for what in ("skipped", "repeated")
        ),
        Figure(
            name="text aligned",
            unit="%",
            better="higher",
            protocol="Forced alignment by pocketsphinx, bestpath off, succeeds.",
            digits=1,
        ),
        Figure(
            name="plausible times",
            unit="%",
            better="higher",
            protocol="Of sentences that align: no phone over 0.6 s, no inner pause over 1.2 s, 1.2 "
            "to 9.5 vowels a second.",
            digits=1,
        ),
    )

    def __init__(self) -> None:
        self._tracker: WordTracker | None = None
        self._aligner: PhoneAligner | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the recognisers behind when sent to another process."""
        return {"_tracker": None, "_aligner": None}

    def observe(self, media: ClipMedia) -> Observation:
        """Follow the words of one clip and align them.

        Raises:
            InputError: If the text is not known or the clip has no sound.
        """
        self._tracker = self._tracker or WordTracker()
        self._aligner = self._aligner or PhoneAligner()
        words = media.words
        waveform = normalise_level(media.waveform(SAMPLE_RATE), SAMPLE_RATE)
        texts = [word.text for word in words]
        try:
            slips = find_slips(texts, self._tracker.follow(waveform, words))
        except DataError:
            slips = Slips(skipped=tuple(range(len(words))), repeated=())
        wrong, aligned = "does not align", True
        try:
            vowels = sum(phone[-1].isdigit() for word in words for phone in word.phones)
            phones = align_words(self._aligner, waveform, words)
            wrong = implausible_times(phones, len(waveform) / SAMPLE_RATE, vowels)
        except DataError:
            aligned = False
        return {
            "words": np.array(len(words)),
            "skipped": np.array(len(slips.skipped)),
            "repeated": np.array(len(slips.repeated)),
            "aligned": np.array(float(aligned)),
            "plausible": np.array(float(not wrong)),
            "whole": np.array(float(not (slips.skipped or slips.repeated or wrong))),
            "about": np.array(_about(texts, slips, wrong)),
        }

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return shares of sentences and slips per 1000 words."""
        names = [figure.name for figure in self.figures]
        whole, aligned = (
            share_of_clips(seen, np.array([float(s.observation[key]) for s in seen]), seed=seed)
            for key in ("whole", "aligned")
        )
        fit = [item for item in seen if float(item.observation["aligned"])] or list(seen)
        plausible = share_of_clips(
            fit, np.array([float(item.observation["plausible"]) for item in fit]), seed=seed
        )
        rates = (_per_thousand(seen, key, seed) for key in ("skipped", "repeated"))
        whole = _with_examples(whole, seen)
        return dict(zip(names, (whole, *rates, aligned, plausible), strict=True))


def _about(texts: Sequence[str], slips: Slips, wrong: str) -> str:
    parts = []
    if slips.skipped:
        parts.append("skipped " + " ".join(texts[k] for k in slips.skipped[:5]))
    if slips.repeated:
        parts.append("repeated " + " ".join(slips.repeated[:5]))
    return ", ".join([*parts, *([wrong] if wrong else [])])


def _per_thousand(seen: Sequence[Seen], key: str, seed: int) -> Estimate:
    slips, words = (
        np.array([float(item.observation[name]) for item in seen]) for name in (key, "words")
    )

    def rate(chosen: np.ndarray) -> float:
        return float(1000 * slips[chosen].sum() / words[chosen].sum())

    low, high = interval_over_people(seen, rate, seed=seed)
    value = rate(np.arange(len(seen)))
    return Estimate(
        value=value, low=low, high=high, count=int(words.sum()), of="words",
        note=f"{int(slips.sum())} in {len(seen)} sentences" if slips.sum() else "",
    )  # fmt: skip


def _with_examples(whole: Estimate, seen: Sequence[Seen]) -> Estimate:
    """Note the first sentences that were not said whole."""
    told = [
        f"{item.clip.name}: {about}" for item in seen if (about := str(item.observation["about"]))
    ]
    note = "; ".join([*told[:_SHOWN], *(["..."] if len(told) > _SHOWN else [])])
    return replace(whole, note=note)
