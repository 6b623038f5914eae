"""The small collection on which this project's own weights are trained.

Layout: `speech/{reader,librispeech_other,librispeech_train,ljspeech,vctk,kerstin_de}` with
Ogg files and `metadata.csv` (`id|text`), and `talking/grid_s1`.
"""

from collections.abc import Iterator
from pathlib import Path

from facevox.core.errors import DataError
from facevox.data.speech.tables import read_table
from facevox.data.speech.talking import list_grid
from facevox.data.speech.utterance import Utterance

LAYOUT = "speech/NAME with .ogg files, NAME one of reader, vctk, kerstin_de, ..."

_SPEAKERS = {"reader": "reader", "ljspeech": "lj", "kerstin_de": "kerstin"}
_LANGUAGES = {"kerstin_de": "de"}
_CORPORA = ("reader", "librispeech_other", "librispeech_train", "ljspeech", "vctk", "kerstin_de")


def list_shared(folder: Path) -> tuple[Utterance, ...]:
    """Return the utterances of the collection, or of its folder `speech` alone.

    Raises:
        DataError: If the folder holds none of the corpora.
    """
    speech = folder / "speech" if (folder / "speech").is_dir() else folder
    here = [name for name in _CORPORA if (speech / name).is_dir()]
    if not here:
        raise DataError(f"{folder} is not the shared collection; expected {LAYOUT}.")
    found = [utterance for name in here for utterance in _corpus(speech / name)]
    for grid in sorted((folder / "talking").glob("grid_*")):
        found += list_grid(grid)
    return tuple(found)


def _corpus(folder: Path) -> Iterator[Utterance]:
    table = folder / "metadata.csv"
    texts = read_table(table) if table.is_file() else {}
    corpus = folder.name
    for sound in sorted(folder.rglob("*.ogg")):
        key = sound.relative_to(folder).with_suffix("").as_posix()
        yield Utterance(
            name=f"{corpus}_{sound.stem}",
            speaker=_speaker(corpus, sound),
            corpus=corpus,
            sound=sound,
            language=_LANGUAGES.get(corpus, "en"),
            text=texts.get(key),
        )


def _speaker(corpus: str, sound: Path) -> str:
    if corpus.startswith("librispeech"):
        return "ls" + sound.stem.partition("-")[0]
    return sound.parent.name if corpus == "vctk" else _SPEAKERS[corpus]
