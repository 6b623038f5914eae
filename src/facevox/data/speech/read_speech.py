"""LibriTTS and LibriSpeech: volunteers read books.

LibriTTS: `SUBSET/SPEAKER/CHAPTER/NAME.wav` with `NAME.normalized.txt` beside it, SUBSET such
as `train-clean-100`.  LibriSpeech: `SUBSET/SPEAKER/CHAPTER/NAME.flac` and one
`SPEAKER-CHAPTER.trans.txt` a chapter.  The root, or one subset, may be given.

Reference:
    Panayotov, Chen, Povey and Khudanpur, LibriSpeech, ICASSP 2015; Zen et al., LibriTTS,
    Interspeech 2019.
"""

from collections.abc import Iterator
from pathlib import Path

from facevox.core.errors import DataError
from facevox.data.speech.tables import read_lines, read_text
from facevox.data.speech.utterance import Subset, Utterance

_SUBSETS: dict[str, Subset] = {"train": "train", "dev": "validation", "test": "test"}
_DEPTH = "[0-9]*/[0-9]*"


def list_libritts(folder: Path) -> tuple[Utterance, ...]:
    """Return the utterances of LibriTTS; its own lists decide the split.

    Raises:
        DataError: If the folder does not have the layout.
    """
    found = [
        Utterance(
            name=sound.stem,
            speaker=f"ls{sound.parts[-3]}",
            corpus="libritts",
            sound=sound,
            text=read_text(sound.with_suffix(".normalized.txt"))
            or read_text(sound.with_suffix(".original.txt")),
            subset=subset,
        )
        for root, subset in _subsets(folder)
        for sound in sorted(root.glob(f"{_DEPTH}/*.wav"))
    ]
    if not found:
        raise DataError(
            f"{folder} is not LibriTTS; expected SUBSET/SPEAKER/CHAPTER/NAME.wav, SUBSET such as "
            "train-clean-100."
        )
    return tuple(found)


def list_librispeech(folder: Path) -> tuple[Utterance, ...]:
    """Return the utterances of LibriSpeech; its own lists decide the split.

    Raises:
        DataError: If the folder does not have the layout.
    """
    found = [
        utterance
        for root, subset in _subsets(folder)
        for chapter in sorted(root.glob(_DEPTH))
        for utterance in _chapter(chapter, subset)
    ]
    if not found:
        raise DataError(
            f"{folder} is not LibriSpeech; expected SUBSET/SPEAKER/CHAPTER/NAME.flac, SUBSET such "
            "as train-clean-100."
        )
    return tuple(found)


def _subsets(folder: Path) -> list[tuple[Path, Subset | None]]:
    """Return the folders that hold speakers and which part of the corpus each is."""
    inner = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    named = [path for path in inner if path.name.partition("-")[0] in _SUBSETS]
    return [(path, _SUBSETS.get(path.name.partition("-")[0])) for path in named or [folder]]


def _chapter(chapter: Path, subset: Subset | None) -> Iterator[Utterance]:
    table = chapter / f"{chapter.parent.name}-{chapter.name}.trans.txt"
    texts = {}
    for line in read_lines(table) if table.is_file() else ():
        name, _, text = line.partition(" ")
        # capitals without punctuation: a sentence in small letters
        texts[name] = f"{text.strip().lower()}."
    for sound in sorted(chapter.glob("*.flac")):
        yield Utterance(
            name=sound.stem,
            speaker=f"ls{chapter.parent.name}",
            corpus="librispeech",
            sound=sound,
            text=texts.get(sound.stem),
            subset=subset,
        )
