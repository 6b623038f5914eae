"""The words of an utterance as our own reader says them, and where its sentences end."""

from collections.abc import Mapping
from dataclasses import dataclass

from facevox.core.errors import DataError, InputError
from facevox.core.text.reader import read_sentences
from facevox.core.text.sentence import Word


@dataclass(frozen=True, kw_only=True, slots=True)
class Transcript:
    """What is said, normalised.

    Attributes:
        words: The words of all sentences; never empty.
        marks: How the sentence ends whose last word has this index: ".", "?" or "!".
    """

    words: tuple[Word, ...]
    marks: Mapping[int, str]

    @property
    def key(self) -> str:
        """The bare words: alike for all readings of a text, however it is written."""
        return " ".join(word.text for word in self.words)


def read_transcript(
    text: str, language: str = "en", pronunciations: tuple[tuple[str, str], ...] = ()
) -> Transcript:
    """Return the words of a text with phones.

    Args:
        text: As the corpus has it.
        language: Its language.
        pronunciations: Word and phones that are said otherwise.

    Raises:
        DataError: If the text is not English or has parts that cannot be read.
    """
    if language != "en":
        raise DataError(f"The text is in {language!r}; only English has pronunciations.")
    warnings: list[str] = []
    own = {word: tuple(phones.split()) for word, phones in pronunciations}
    words: list[Word] = []
    marks: dict[int, str] = {}
    try:
        for sentence in read_sentences(text, warn=warnings.append):
            words += [
                Word(
                    text=word.text,
                    phones=own.get(word.text, word.phones),
                    pause_after=word.pause_after,
                )
                for word in sentence.words
            ]
            marks[len(words) - 1] = sentence.mark
    except InputError as error:
        raise DataError(str(error)) from error
    if warnings:
        raise DataError(warnings[0])
    return Transcript(words=tuple(words), marks=marks)


def text_key(text: str) -> str:
    """Return the bare words of a text, for comparing; what cannot be read compares as written."""
    try:
        sentences = list(read_sentences(text))
    except InputError:
        return " ".join(text.lower().split())
    return " ".join(word.text for sentence in sentences for word in sentence.words)
