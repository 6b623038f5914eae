"""From any text to sentences with phones, one at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from facevox.core.errors import InputError
from facevox.core.text.abbreviations import CONJUNCTIONS, FREQUENT
from facevox.core.text.characters import Folded, fold
from facevox.core.text.normalize import Pause, Spoken, iterate_words, normalize
from facevox.core.text.phones import letter_phones, starts_with_vowel, word_phones
from facevox.core.text.sentence import Sentence, Word
from facevox.core.text.split import Mark, Piece, split_sentences

SENTENCE_PAUSE, PARAGRAPH_PAUSE, BREATH_PAUSE = 0.28, 0.62, 0.08
"""Silence after a sentence, a paragraph, and a part of a very long sentence [s]."""

MOST_WORDS = 40
"""Longer sentences are spoken in parts."""

_FEWEST_WORDS = 8
_LANGUAGE_SAMPLE, _FREQUENT_SHARE = 15, 0.07

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A spoken word and the written stretch it came from."""

    word: str
    pause: Pause
    origin: Spoken


def read_sentences(text: str, *, warn: Warn | None = None) -> Iterator[Sentence]:
    """Yield the sentences of a text, ready to be spoken.

    A generator: the first sentence is there at once, and memory does not grow
    with the length of the text.

    Args:
        text: Any text; English is spoken, accents are folded, emoji are dropped.
        warn: Called with a sentence if words in another script are skipped, and if
            the text does not look like English; once each.

    Raises:
        InputError: If the text holds nothing that can be spoken.
    """
    if not isinstance(text, str):
        raise InputError(f"The text must be a string, got {type(text).__name__}.")
    notices = _Notices(warn)
    spoke = False
    for piece in split_sentences(text):
        folded = fold(piece.text)
        items = normalize(folded.text)
        notices.mention_skipped(folded, items)
        heard = [_Heard(*entry) for entry in iterate_words(items)]
        if heard:
            spoke = True
            notices.mention_language(heard)
            yield from _spoken_parts(piece, folded, heard)
    if not spoke:
        raise InputError(_nothing_to_say(text, notices.skipped))


class _Notices:
    """Tells the user, once each, what is skipped or misread."""

    def __init__(self, warn: Warn | None) -> None:
        self.skipped = False
        self._warn = warn or (lambda message: None)
        self._sample: list[str] = []
        self._is_judged = False

    def mention_skipped(self, folded: Folded, items: list[Spoken]) -> None:
        foreign = next((item for item in items if item.skipped), None)
        if foreign and not self.skipped:
            self.skipped = True
            first = folded.original_between(foreign.start, foreign.end)
            self._warn(f"Words in another script are skipped, such as {first[:20]!r}.")

    def mention_language(self, heard: list[_Heard]) -> None:
        if self._is_judged:
            return
        self._sample += [entry.word.lower() for entry in heard]
        if len(self._sample) >= _LANGUAGE_SAMPLE:
            self._is_judged = True
            frequent = sum(word in FREQUENT for word in self._sample)
            if frequent < _FREQUENT_SHARE * len(self._sample):
                self._warn("The text does not look like English; it is read as if it were.")


def _nothing_to_say(text: str, skipped: bool) -> str:
    if not text.strip():
        return "The text is empty; give at least one word to speak."
    if skipped:
        return "The text is in a script that cannot be spoken; only English text is supported."
    return "The text has nothing to speak, only signs or emoji; give at least one word."


def _spoken_parts(piece: Piece, folded: Folded, heard: list[_Heard]) -> Iterator[Sentence]:
    pause = PARAGRAPH_PAUSE if piece.ends_paragraph else SENTENCE_PAUSE
    if len(heard) <= MOST_WORDS:
        yield _sentence(" ".join(piece.text.split()), heard, piece.mark, pause)
        return
    first_character = 0
    parts = list(breath_groups(heard))
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        end = len(folded.text) if is_last else parts[number + 1][0].origin.start
        written = folded.original_between(first_character, end)
        first_character = max(first_character, end)
        mark: Mark = piece.mark if is_last else "."
        yield _sentence(written, part, mark, pause if is_last else BREATH_PAUSE)


def breath_groups(heard: list[_Heard]) -> Iterator[list[_Heard]]:
    """Cut a long sentence at pauses, else before conjunctions, else anywhere."""
    while len(heard) > MOST_WORDS:
        cut = _best_cut(heard)
        yield heard[:cut]
        heard = heard[cut:]
    yield heard


def _best_cut(heard: list[_Heard]) -> int:
    longest = min(MOST_WORDS, len(heard) - _FEWEST_WORDS)
    places = range(longest, _FEWEST_WORDS - 1, -1)
    for pause in (";", ","):
        for place in places:
            if heard[place - 1].pause == pause:
                return place
    for place in places:
        if heard[place].word in CONJUNCTIONS:
            return place
    return longest


def _sentence(text: str, heard: list[_Heard], mark: Mark, pause: float) -> Sentence:
    words: list[Word] = []
    for index, item in enumerate(heard):
        following = heard[index + 1].word if index + 1 < len(heard) else ""
        is_last = index == len(heard) - 1
        words.append(
            Word(
                text=item.word.lower(),
                phones=_phones(item.word, following),
                pause_after="" if is_last else item.pause,
            )
        )
    return Sentence(text=text, words=tuple(words), mark=mark, pause=pause)


def _phones(word: str, following: str) -> tuple[str, ...]:
    if word[0].isupper():
        ending = word.partition("'")[2] or word[1:]
        letter = letter_phones(word[0])
        return (*letter, "z") if ending else letter
    if word in ("the", "to") and (not following or starts_with_vowel(_phones(following, ""))):
        return ("dh", "iy0") if word == "the" else ("t", "uw1")
    return word_phones(word)
