"""LJSpeech: one woman reads seven books of non-fiction, 24 hours.

Layout: `metadata.csv` (`id|text|normalised text`) and `wavs/ID.wav`.

Reference:
    Ito and Johnson, The LJ Speech Dataset, 2017.
"""

from pathlib import Path

from facevox.core.errors import DataError
from facevox.data.speech.tables import read_table
from facevox.data.speech.utterance import Utterance

LAYOUT = "metadata.csv and wavs/LJ001-0001.wav"


def list_ljspeech(folder: Path) -> tuple[Utterance, ...]:
    """Return the utterances of the table.

    Raises:
        DataError: If the folder does not have the layout or sounds are missing.
    """
    table, sounds = folder / "metadata.csv", folder / "wavs"
    if not table.is_file() or not sounds.is_dir():
        raise DataError(f"{folder} is not LJSpeech; expected {LAYOUT}.")
    texts = read_table(table)
    missing = [name for name in texts if not (sounds / f"{name}.wav").is_file()]
    if missing or not texts:
        what = f"{len(missing)} sounds are missing, such as {missing[0]}" if missing else "empty"
        raise DataError(f"{table}: {what}; expected {LAYOUT}.")
    return tuple(
        Utterance(
            name=name, speaker="lj", corpus="ljspeech", sound=sounds / f"{name}.wav", text=text
        )
        for name, text in texts.items()
    )
