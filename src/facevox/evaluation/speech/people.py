"""Recordings of people, by person, as speaker embeddings.

A folder of recordings is read as LibriSpeech names them (`SPEAKER-CHAPTER-NUMBER`), else every
folder that holds recordings is one person.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import DataError, FacevoxError, InputError
from facevox.core.files import make_folder, temporary_twin
from facevox.core.waveform import normalise_level, resample
from facevox.evaluation.generate import Step
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.media import SAMPLE_RATE, read_sound
from facevox.evaluation.suites.item import spread

SUFFIXES = {".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus", ".mp4", ".mpg", ".webm"}
MOST = 8
"""Recordings taken of a person."""

_LIBRISPEECH = re.compile(r"(\d+)-\d+-\d+")


def find_people(folder: Path, *, most: int = MOST) -> dict[str, tuple[Path, ...]]:
    """Return recordings by person, at most `most` of each, spread over what there is.

    Args:
        folder: One file or folder for each person, or corpora with one folder a speaker or
            file names as in LibriSpeech.
        most: Recordings of a person.

    Raises:
        DataError: If the folder is absent or holds no recording.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder of recordings {folder}.")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            found.setdefault(_person(path, folder), []).append(path)
    if not found:
        raise DataError(
            f"{folder} holds no recordings ({', '.join(sorted(SUFFIXES))}); give a folder with one "
            "folder a person."
        )
    return {name: spread(paths, most) for name, paths in found.items()}


def embed_people(
    people: Mapping[str, Sequence[Path]], judges: Judges, judge: str, kept: Path, step: Step
) -> dict[str, Float32[np.ndarray, "recordings dim"]]:
    """Return the embeddings of people's recordings; what was made before is read from disk.

    Recordings in which there is no speech are left out, and people without any.

    Args:
        people: Recordings by person.
        judges: Where networks come from.
        judge: Name of the speaker encoder.
        kept: Folder for what was made.
        step: Called with a few words after every person.

    Raises:
        InputError: If no recording can be embedded.
        MissingPiece: If the encoder is not here.
        MediaError: If `kept` cannot be written.
    """
    make_folder(kept)
    made: dict[str, np.ndarray] = {}
    for name, paths in people.items():
        rows = [row for path in paths if len(row := _embedded(path, judges, judge, kept))]
        if rows:
            made[name] = np.stack(rows)
        step(f"listened to {name}")
    if not made:
        raise InputError("None of the recordings of people holds speech.")
    return made


def _person(path: Path, folder: Path) -> str:
    if match := _LIBRISPEECH.match(path.stem):
        return f"speaker {match[1]}"
    return path.stem if path.parent == folder else path.parent.name


def _embedded(path: Path, judges: Judges, judge: str, kept: Path) -> np.ndarray:
    """Return the embedding of a recording, empty if there is no speech in it."""
    state = path.stat()
    parts = f"{path.absolute()} {state.st_size} {state.st_mtime_ns} {judges.sha256(judge)}"
    file = kept / f"{hashlib.sha256(parts.encode()).hexdigest()[:32]}.npy"
    try:
        return np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        pass
    encoder = judges.load(judge)
    try:
        waveform, rate = read_sound(path)
        sound = normalise_level(resample(waveform, rate, SAMPLE_RATE), SAMPLE_RATE)
        vector = encoder.embed(sound)
    except FacevoxError:
        vector = np.zeros(0, np.float32)
    with temporary_twin(file) as twin, twin.open("wb") as stream:
        np.save(stream, vector.astype(np.float32))
    return vector
