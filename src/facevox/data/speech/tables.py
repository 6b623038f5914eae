"""Small text files that corpora carry: tables and transcripts."""

from pathlib import Path

from facevox.core.errors import DataError


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file that hold something.

    Raises:
        DataError: If the file cannot be read as UTF-8.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The file {path} cannot be read as text ({error}).") from error
    return [line.strip() for line in lines if line.strip()]


def read_table(path: Path) -> dict[str, str]:
    """Return the texts of a table `id|text` or `id|text|normalised text`; the last one counts.

    Raises:
        DataError: If the file cannot be read or a line has no `|`.
    """
    texts = {}
    for line in read_lines(path):
        name, *columns = (part.strip() for part in line.split("|"))
        if not columns:
            raise DataError(f"{path}: expected lines id|text, got {line[:60]!r}.")
        if text := next((column for column in reversed(columns) if column), ""):
            texts[name] = text
    return texts


def read_text(path: Path) -> str | None:
    """Return a transcript file in one line, None if it is absent or empty.

    Raises:
        DataError: If it cannot be read as UTF-8.
    """
    return " ".join(read_lines(path)) or None if path.is_file() else None
