"""VCTK: 110 English speakers of many accents reading newspaper sentences.

Layout of version 0.92: `wav48_silence_trimmed/p225/p225_001_mic1.flac` (and `_mic2`) with
`txt/p225/p225_001.txt`.  Of version 0.80: `wav48/p225/p225_001.wav`.

Reference:
    Yamagishi, Veaux and MacDonald, CSTR VCTK Corpus, University of Edinburgh, 2019.
"""

import re
from pathlib import Path

from facevox.core.errors import DataError
from facevox.data.speech.tables import read_text
from facevox.data.speech.utterance import Utterance

LAYOUT = "wav48_silence_trimmed/p225/p225_001_mic1.flac and txt/p225/p225_001.txt"

_SOUNDS = ("wav48_silence_trimmed", "wav48", "wav16")
_MICROPHONES = ("_mic1.flac", "_mic2.flac", ".flac", ".wav")
"""In the order in which they are taken."""

_NUMBERED = re.compile(r"_mic\d$")


def list_vctk(folder: Path) -> tuple[Utterance, ...]:
    """Return the utterances, one microphone of each; p315 has no texts.

    Raises:
        DataError: If the folder does not have the layout.
    """
    root = next((folder / name for name in _SOUNDS if (folder / name).is_dir()), None)
    if root is None:
        raise DataError(f"{folder} is not VCTK; expected {LAYOUT}.")
    taken: dict[str, Path] = {}
    for suffix in _MICROPHONES:
        for sound in sorted(root.glob(f"*/*{suffix}")):
            taken.setdefault(_NUMBERED.sub("", sound.stem), sound)
    found = [
        Utterance(
            name=name,
            speaker=sound.parent.name,
            corpus="vctk",
            sound=sound,
            text=read_text(folder / "txt" / sound.parent.name / f"{name}.txt"),
        )
        for name, sound in taken.items()
    ]
    if not found:
        raise DataError(f"There is no sound in {root}; expected {LAYOUT}.")
    return tuple(found)
