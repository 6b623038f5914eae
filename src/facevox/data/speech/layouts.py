"""Corpora of speech by the layouts in which they are handed out."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from facevox.core.errors import ConfigError, DataError
from facevox.data.speech.ljspeech import list_ljspeech
from facevox.data.speech.lrs import list_lrs2, list_lrs3
from facevox.data.speech.read_speech import list_librispeech, list_libritts
from facevox.data.speech.shared import list_shared
from facevox.data.speech.talking import list_grid, list_hdtf, list_voxceleb2
from facevox.data.speech.utterance import Utterance
from facevox.data.speech.vctk import list_vctk

LAYOUTS: dict[str, Callable[[Path], tuple[Utterance, ...]]] = {
    "facevox-shared": list_shared,
    "libritts": list_libritts,
    "librispeech": list_librispeech,
    "vctk": list_vctk,
    "ljspeech": list_ljspeech,
    "lrs2": list_lrs2,
    "lrs3": list_lrs3,
    "voxceleb2": list_voxceleb2,
    "hdtf": list_hdtf,
    "grid": list_grid,
}

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def list_utterances(layout: str, folder: Path) -> tuple[Utterance, ...]:
    """Return the utterances of a corpus, sorted by name.

    Args:
        layout: One of `LAYOUTS`.
        folder: Root of the corpus.

    Raises:
        ConfigError: If there is no such layout.
        DataError: If the folder is absent or is not laid out so, or two names are alike.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"There is no corpus layout {layout!r}; there are: {', '.join(LAYOUTS)}.")
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}; give the root of the corpus.")
    return _unique(layout, LAYOUTS[layout](folder))


def _unique(layout: str, found: Iterable[Utterance]) -> tuple[Utterance, ...]:
    by_name: dict[str, Utterance] = {}
    for utterance in found:
        if _UNSAFE.search(utterance.name):
            raise DataError(
                f"{utterance.sound} cannot be used: only letters, digits, - and _ are allowed."
            )
        other = by_name.setdefault(utterance.name, utterance)
        if other is not utterance:
            raise DataError(
                f"Two recordings of {layout} are called {utterance.name}: "
                f"{other.sound} and {utterance.sound}."
            )
    return tuple(by_name[name] for name in sorted(by_name))
