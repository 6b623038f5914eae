"""LRS2 and LRS3: talking faces from television and TED talks, with transcripts.

LRS2: `main/FOLDER/NNNNN.mp4` and `pretrain/FOLDER/NNNNN.mp4` (perhaps in `mvlrs_v1`), with the
lists `train.txt`, `val.txt` and `test.txt`.  LRS3: `pretrain`, `trainval` and `test`, each
`ID/NNNNN.mp4`.  Beside a clip lies `NNNNN.txt`: `Text:  THE WORDS`, other lines, and in
`pretrain` a table `WORD START END ASDSCORE` [s], by which long clips are cut into pieces.

Reference:
    Afouras, Chung, Senior, Vinyals and Zisserman, Deep audio-visual speech recognition, TPAMI
    2019; Afouras, Chung and Zisserman, LRS3-TED, 2018.
"""

from collections.abc import Iterator
from pathlib import Path

from facevox.core.errors import DataError
from facevox.data import lrs2
from facevox.data.speech.tables import read_lines
from facevox.data.speech.utterance import Subset, Utterance

_LRS3_PARTS: dict[str, Subset | None] = {"pretrain": "train", "trainval": None, "test": "test"}
_LRS2_LISTS: dict[str, Subset] = {
    "train.txt": "train", "val.txt": "validation", "test.txt": "test",
}  # fmt: skip

_PIECE = 12.0
"""Clips of `pretrain` are cut into pieces up to this length [s]."""

_GAP = 0.15
"""They are cut in pauses of at least this length [s]."""

Timed = tuple[str, float, float]


def list_lrs3(folder: Path) -> tuple[Utterance, ...]:
    """Return the clips of LRS3; its part `test` stays apart.

    Raises:
        DataError: If the folder does not have the layout or a transcript is not as expected.
    """
    parts = [name for name in _LRS3_PARTS if (folder / name).is_dir()]
    found = [
        utterance
        for part in parts
        for video in sorted((folder / part).glob("*/*.mp4"))
        for utterance in _clip("lrs3", part, video, _LRS3_PARTS[part])
    ]
    if not found:
        raise DataError(
            f"{folder} is not LRS3; expected pretrain, trainval or test with ID/NNNNN.mp4 and "
            "NNNNN.txt."
        )
    return tuple(found)


def list_lrs2(folder: Path) -> tuple[Utterance, ...]:
    """Return the clips of LRS2; its lists decide the split.

    LRS2 names no speakers: a folder, which is one broadcast, stands for one.

    Raises:
        DataError: If the folder does not have the layout or a transcript is not as expected.
    """
    root = folder / "mvlrs_v1" if (folder / "mvlrs_v1").is_dir() else folder
    lists = _read_lists(folder) | _read_lists(root)
    found: list[Utterance] = []
    for part in ("pretrain", "main"):
        for video in sorted((root / part).glob("*/*.mp4")):
            entry = f"{video.parent.name}/{video.stem}"
            subset = "train" if part == "pretrain" else lists.get(entry)
            found += _clip("lrs2", part, video, subset)
    if not found:
        raise DataError(
            f"{folder} is not LRS2; expected main/FOLDER/NNNNN.mp4 with NNNNN.txt beside it."
        )
    return tuple(found)


def _read_lists(folder: Path) -> dict[str, Subset]:
    listed: dict[str, Subset] = {}
    for name, subset in _LRS2_LISTS.items():
        if (folder / name).is_file():
            listed |= {line.split()[0]: subset for line in read_lines(folder / name)}
    return listed


def _clip(corpus: str, part: str, video: Path, subset: Subset | None) -> Iterator[Utterance]:
    transcript = video.with_suffix(".txt")
    if not transcript.is_file():
        raise DataError(f"{video} has no transcript; expected {transcript.name} beside it.")
    text = lrs2.read_text(transcript)
    name = f"{part}-{video.parent.name}-{video.stem}".replace(".", "_")
    timed = read_word_times(transcript) if part == "pretrain" else []
    pieces = list(_pieces(timed))
    for number, piece in enumerate(pieces or [None]):
        said = text if piece is None else " ".join(word.lower() for word, _, _ in piece) + "."
        yield Utterance(
            name=name if len(pieces) < 2 else f"{name}-{number:02d}",
            speaker=f"{corpus}_{video.parent.name}",
            corpus=corpus,
            sound=video,
            video=video,
            text=said,
            subset=subset,
            span=None if piece is None else (max(0.0, piece[0][1] - _GAP), piece[-1][2] + _GAP),
        )


def read_word_times(path: Path) -> list[Timed]:
    """Return word, start and end [s] of a transcript's table; empty if it has none.

    Raises:
        DataError: If a line of the table is not `WORD START END` and perhaps a score.
    """
    lines = read_lines(path)
    heads = [n for n, line in enumerate(lines) if line.split()[:3] == ["WORD", "START", "END"]]
    timed = []
    for line in lines[heads[0] + 1 :] if heads else ():
        try:
            word, start, end = line.split()[:3]
            timed.append((word, float(start), float(end)))
        except ValueError:
            raise DataError(f"{path}: expected WORD START END ASDSCORE, got {line!r}.") from None
    return timed


def _pieces(timed: list[Timed]) -> Iterator[list[Timed]]:
    """Cut a long clip in its pauses, each piece as long as may be."""
    start = 0
    while start < len(timed):
        inside = [n for n in range(start, len(timed)) if timed[n][2] - timed[start][1] <= _PIECE]
        end = (inside or [start])[-1]
        pauses = [
            n
            for n in range(start, end + 1)
            if n + 1 == len(timed) or timed[n + 1][1] - timed[n][2] >= _GAP
        ]
        end = pauses[-1] if pauses else end
        yield timed[start : end + 1]
        start = end + 1
