"""Aligned phones and pauses -> the symbols of a recording, each with its frames."""

from collections.abc import Sequence
from dataclasses import dataclass

from facevox.core.speech import SILENCE
from facevox.data.speech.alignment import Segment
from facevox.data.speech.transcript import Transcript
from facevox.models.speech.matcha.symbols import INITIAL_TAG, INTERNAL_TAG, PAUSE_TAG


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """Symbols of a recording in order; the durations sum to its frames.

    Attributes:
        symbols: Phones with stress; pauses as `pau` or the punctuation at that place.
        tags: `PAUSE_TAG`, `INITIAL_TAG` or `INTERNAL_TAG`.
        durations: Frames of 10 ms.
        words: Index of the word, -1 for a pause.
    """

    symbols: tuple[str, ...]
    tags: tuple[int, ...]
    durations: tuple[int, ...]
    words: tuple[int, ...]


def make_tokens(spoken: Sequence[Segment], transcript: Transcript, first: int, last: int) -> Tokens:
    """Label the pauses and close the recording with silence.

    A pause before the first word is `pau`, after a sentence its mark, after a word with
    punctuation that punctuation, elsewhere `pau`; neighbouring pauses become one.

    Args:
        spoken: Phones in order; what lies between them is silent.
        transcript: What is said.
        first: Frame at which the recording is cut, before the first phone.
        last: Frame at which it is cut, after the last phone.
    """
    rows: list[tuple[str, int, int, int]] = []
    if spoken[0].start > first:
        rows.append((SILENCE, PAUSE_TAG, spoken[0].start - first, -1))
    for number, segment in enumerate(spoken):
        previous = spoken[number - 1] if number else None
        if previous is not None and segment.start > previous.end:
            symbol = _pause_symbol(previous.word, transcript)
            rows.append((symbol, PAUSE_TAG, segment.start - previous.end, -1))
        initial = previous is None or previous.word != segment.word
        tag = INITIAL_TAG if initial else INTERNAL_TAG
        rows.append((segment.symbol, tag, segment.end - segment.start, segment.word))
    if last > spoken[-1].end:
        symbol = _pause_symbol(spoken[-1].word, transcript)
        rows.append((symbol, PAUSE_TAG, last - spoken[-1].end, -1))
    symbols, tags, durations, words = zip(*rows, strict=True)
    return Tokens(symbols=symbols, tags=tags, durations=durations, words=words)


def _pause_symbol(word: int, transcript: Transcript) -> str:
    if word in transcript.marks:
        return transcript.marks[word]
    return transcript.words[word].pause_after or SILENCE
