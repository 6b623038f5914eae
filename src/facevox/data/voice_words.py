"""What listeners said about voices: LibriSpeech utterances with the words of LibriTTS-P.

Every speaker was described by three listeners, each with a few words from a fixed list
(`masculine`, `slightly young`, `very calm`, ...).

Reference:
    Kawamura et al., LibriTTS-P: A Corpus with Speaking Style and Speaker Identity Prompts,
    Interspeech 2024 (CC BY 4.0).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facevox.core.errors import DataError

LISTENERS = 3
SEX_WORDS = {"masculine": -1.0, "gender-neutral": 0.0, "feminine": 1.0}
AGE_WORDS = {"young": -1.0, "adult-like": 0.0, "middle-aged": 1.0, "old": 2.0}
_STRESS = {"very": 1.5, "slightly": 0.5}


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribedVoice:
    """One utterance and how its speaker's voice was described.

    Attributes:
        speaker: Number of the speaker.
        path: The utterance.
        femininity: Mean over listeners, from -1 (masculine) to 1 (feminine).
        age: Mean over listeners, from -1 (young) to 2 (old).
        ages: The same of each listener; NaN if that one did not speak of age.
    """

    speaker: str
    path: Path
    femininity: float
    age: float
    ages: tuple[float, ...]


def read_described_voices(folder: Path, words: Path | None = None) -> list[DescribedVoice]:
    """Return the utterances whose speakers were described, by file name.

    Args:
        folder: Holds sound files `SPEAKER-CHAPTER-NUMBER.ogg`.
        words: Folder of `voice_words_1.csv` to `3` (speaker|words); None takes `folder`.

    Raises:
        DataError: If files are missing or not of this form.
    """
    sounds = sorted(folder.glob("*.ogg"))
    if not sounds:
        raise DataError(f"There are no sound files SPEAKER-CHAPTER-NUMBER.ogg in {folder}.")
    words = folder if words is None else words
    listeners = [_read_words(words / f"voice_words_{one + 1}.csv") for one in range(LISTENERS)]
    voices = []
    for path in sounds:
        speaker = path.name.partition("-")[0]
        said = [known.get(speaker, ()) for known in listeners]
        sexes = [word_score(one, SEX_WORDS) for one in said]
        ages = tuple(word_score(one, AGE_WORDS) for one in said)
        if np.isfinite(sexes).any() and np.isfinite(ages).any():
            voices.append(
                DescribedVoice(
                    speaker=speaker,
                    path=path,
                    femininity=float(np.nanmean(sexes)),
                    age=float(np.nanmean(ages)),
                    ages=ages,
                )
            )
    return voices


def word_score(words: tuple[str, ...], scale: Mapping[str, float]) -> float:
    """Return the mean place of words on a scale, `very` counting more, `slightly` less.

    Returns:
        The mean; NaN if none of the words is on the scale.
    """
    total = weight = 0.0
    for word in words:
        stress, _, rest = word.partition(" ")
        bare = rest if stress in _STRESS else word
        if bare in scale:
            share = _STRESS.get(stress, 1.0)
            total, weight = total + share * scale[bare], weight + share
    return total / weight if weight else float("nan")


def _read_words(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}); it comes with LibriTTS-P.") from error
    known = {}
    for number, line in enumerate(lines, 1):
        speaker, bar, words = line.partition("|")
        if not bar:
            raise DataError(f"{path}, line {number}: expected speaker|words, got {line[:40]!r}.")
        known[speaker] = tuple(word.strip() for word in words.split(","))
    return known
