"""LRS2: sentences from British television, 160x160 at 25 fps, with transcripts.

Layout: a list (`test.txt`) of lines `FOLDER/NNNNN`, which may carry more words, and
`main/FOLDER/NNNNN.mp4` beside `NNNNN.txt`, whose first line is `Text:  THE WORDS`.
`main` may also lie in `mvlrs_v1`, as the archive unpacks it.

Reference:
    Afouras, Chung, Senior, Vinyals and Zisserman, Deep audio-visual speech recognition,
    TPAMI 2019.
"""

import re
from pathlib import Path

from facevox.core.errors import DataError
from facevox.data.recording import Recording

LAYOUT = "a list such as test.txt and main/FOLDER/NNNNN.mp4 with NNNNN.txt beside it"

_MAIN = ("main", "mvlrs_v1/main")
_ENTRY = re.compile(r"[\w-]+/[\w-]+")
_MARK = re.compile(r"\{[^}]*\}")
"""Laughter and the like, between braces."""


def list_clips(folder: Path, listed: str = "test.txt") -> tuple[Recording, ...]:
    """Return the clips of a list, sorted by name.

    LRS2 names no speakers: the folder, which is one broadcast, stands for the identity.
    Its capitals become small letters with a full stop, so that texts are read as sentences.

    Args:
        folder: Root of the corpus.
        listed: Name of the list.

    Raises:
        DataError: If the list, a video or a transcript is missing, or not as expected.
    """
    main = next((folder / name for name in _MAIN if (folder / name).is_dir()), None)
    if main is None:
        raise DataError(f"{folder} is not LRS2: there is no folder main; expected {LAYOUT}.")
    entries = _read_list(folder / listed)
    missing = [
        f"main/{entry}{suffix}"
        for entry in entries
        for suffix in (".mp4", ".txt")
        if not (main / f"{entry}{suffix}").is_file()
    ]
    if missing:
        raise DataError(
            f"{len(missing)} files of {listed} are not in {folder}, such as {missing[0]}; "
            f"expected {LAYOUT}."
        )
    return tuple(
        Recording(
            name=entry.replace("/", "-"),
            identity=entry.partition("/")[0],
            video=main / f"{entry}.mp4",
            text=read_text(main / f"{entry}.txt"),
        )
        for entry in entries
    )


def read_text(path: Path) -> str:
    """Return the sentence of a transcript: small letters, a full stop at the end.

    Raises:
        DataError: If the first line is not `Text:` and words.
    """
    try:
        first = path.read_text("utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The transcript {path} cannot be read ({error}).") from error
    label, _, words = first.partition(":")
    said = " ".join(_MARK.sub(" ", words).split()).lower()
    if label.strip() != "Text" or not said:
        raise DataError(f"{path}: expected a first line 'Text:  WORDS', got {first!r}.")
    return f"{said}."


def _read_list(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise DataError(f"There is no list {path}; expected {LAYOUT}.") from None
    entries = [line.split()[0] for line in lines if line.strip()]
    for entry in entries:
        if not _ENTRY.fullmatch(entry):
            raise DataError(f"{path}: expected lines FOLDER/NNNNN, got {entry!r}.")
    if not entries:
        raise DataError(f"The list {path} is empty; expected lines FOLDER/NNNNN.")
    if len(set(entries)) < len(entries):
        twice = next(entry for entry in entries if entries.count(entry) > 1)
        raise DataError(f"{path} names {twice} twice.")
    return sorted(entries)
