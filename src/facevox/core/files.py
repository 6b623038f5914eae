"""Writing files so that a reader sees the whole file or none."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from facevox.core.errors import MediaError


def explain_os_error(error: OSError, path: Path) -> str:
    """Return one sentence for a failed write: what happened and what to do."""
    if error.errno == errno.ENOSPC:
        return f"The disk is full while writing {path}; free some space and run again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"No permission to write {path}; choose another place."
    if error.errno == errno.ENOTDIR:
        return f"A part of {path.parent} is a file, not a folder; choose another place."
    if error.errno == errno.ENOENT:
        return f"The folder {path.parent} does not exist; make it or choose another place."
    if error.errno == errno.EISDIR:
        return f"{path} is a folder; give the name of a file."
    return f"Cannot write {path}: {error.strerror or error}."


def _make_twin(path: Path) -> Path:
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise MediaError(explain_os_error(error, path)) from error
    return Path(name)


def check_writable(path: Path) -> None:
    """Raise now if a file could not be written there later.

    Raises:
        MediaError: If the folder is absent or closed, or `path` is a folder.
    """
    _make_twin(path).unlink()


@contextlib.contextmanager
def temporary_twin(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` on success.

    On any exception (Ctrl-C too) the temporary file is removed and `path` stays
    as it was.

    Raises:
        MediaError: If the file cannot be made, written or renamed.
    """
    twin = _make_twin(path)
    try:
        yield twin
        umask = os.umask(0)
        os.umask(umask)
        twin.chmod(0o666 & ~umask)
        twin.replace(path)
    except OSError as error:
        raise MediaError(explain_os_error(error, path)) from error
    finally:
        twin.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> Path:
    """Write bytes to `path`, whole or not at all, and return it.

    Raises:
        MediaError: If the file cannot be written.
    """
    with temporary_twin(path) as twin:
        twin.write_bytes(content)
    return path


def make_folder(folder: Path) -> Path:
    """Make a folder and its parents if needed, and return it.

    Raises:
        MediaError: If it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise MediaError(f"{folder} is a file; give the name of a folder.") from error
    except OSError as error:
        raise MediaError(explain_os_error(error, folder)) from error
    check_writable(folder / "facevox")
    return folder
