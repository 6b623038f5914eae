"""Utterances by speaker, from the folders of shared speech."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import DataError
from facevox.core.waveform import normalise_level, read_waveform
from facevox.data import grid

SAMPLE_RATE = 16_000
MOST = 40
"""Utterances that are taken of one speaker."""

_UNSEEN = {"reader": 8, "grid": 10}
"""Utterances that no speech model is trained on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Utterance:
    """One recording.

    Attributes:
        corpus: Folder that it comes from.
        speaker: Name of the speaker, unique over all folders.
        name: Name of the file.
        waveform: The sound at 16 kHz and the usual level.
    """

    corpus: str
    speaker: str
    name: str
    waveform: Float32[np.ndarray, " samples"]


def read_speakers(data: Path, corpora: tuple[str, ...]) -> list[Utterance]:
    """Return the utterances of some corpora, at most `MOST` of a speaker.

    Args:
        data: Folder with `speech` and `talking`.
        corpora: Of `librispeech_train`, `librispeech_other`, `vctk`, `ljspeech`,
            `kerstin_de`, `reader` and `grid`.

    Raises:
        DataError: If a folder holds no sound.
    """
    found = []
    for corpus in corpora:
        found += _grid(data) if corpus == "grid" else _folder(data / "speech", corpus)
    return found


def by_hash(names: list[str]) -> list[str]:
    """Return names in the order of their SHA-256: a choice that nobody made."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())


def _folder(speech: Path, corpus: str) -> list[Utterance]:
    paths = {path.stem: path for path in (speech / corpus).rglob("*.ogg")}
    if not paths:
        raise DataError(f"There is no sound in {speech / corpus}.")
    taken: dict[str, int] = {}
    found = []
    for name in by_hash(list(paths))[_UNSEEN.get(corpus, 0) :]:
        speaker = _speaker(corpus, paths[name])
        taken[speaker] = taken.get(speaker, 0) + 1
        if taken[speaker] <= MOST:
            waveform, _ = read_waveform(paths[name], SAMPLE_RATE)
            found.append(_utterance(corpus, speaker, name, waveform))
    return found


def _grid(data: Path) -> list[Utterance]:
    clips, _ = grid.hold_out(grid.list_clips(data / "talking" / "grid_s1"))
    known = {clip.name: clip for clip in clips}
    names = by_hash(list(known))[_UNSEEN["grid"] :][:MOST]
    return [
        _utterance("grid", "grid_s1", name, grid.read_sound(known[name], SAMPLE_RATE))
        for name in names
    ]


def _utterance(corpus: str, speaker: str, name: str, waveform: np.ndarray) -> Utterance:
    waveform = normalise_level(waveform.astype(np.float32), SAMPLE_RATE)
    return Utterance(corpus=corpus, speaker=speaker, name=name, waveform=waveform)


def _speaker(corpus: str, path: Path) -> str:
    if corpus.startswith("librispeech"):
        return "ls" + path.stem.partition("-")[0]
    return path.parent.name if corpus == "vctk" else corpus
