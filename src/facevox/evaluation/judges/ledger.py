"""Hashes of the files in the folder of judges, kept in `judges.json` beside them.

A judge whose publisher states no hash is pinned by the first file that was added; the
ledger remembers it, and remembers size and time of every file it has hashed, so that
asking again costs nothing.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from facevox.core.errors import CheckpointError, MediaError
from facevox.core.files import write_atomically

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger knows of one judge.

    Attributes:
        sha256: Hash of the file that was accepted.
        date: When, ISO, UTC.
        source: Where it came from: an address, a wheel, a file.
        seen_sha256: Hash of the file that lay there when it was last looked at.
        seen_size: Its size [bytes].
        seen_time: When it was last changed [ns].
    """

    sha256: str = ""
    date: str = ""
    source: str = ""
    seen_sha256: str = ""
    seen_size: int = -1
    seen_time: int = -1


class Ledger:
    """The file `judges.json`.

    Args:
        folder: Folder of judges.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "judges.json"

    def entry(self, name: str) -> Entry:
        """Return what is known of a judge; an empty entry if nothing is.

        Raises:
            CheckpointError: If the ledger is damaged.
        """
        return self._read().get(name, Entry())

    def pin(self, name: str, sha256: str, source: str) -> None:
        """Remember the hash of a file that was accepted.

        Raises:
            MediaError: If the ledger cannot be written.
            CheckpointError: If it is damaged.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._write(name, replace(self.entry(name), sha256=sha256, date=now, source=source))

    def hash_of(self, name: str, file: Path) -> str:
        """Return the SHA-256 of a file; hashed only if its size or time have changed.

        Raises:
            CheckpointError: If the file cannot be read or the ledger is damaged.
        """
        known = self.entry(name)
        try:
            facts = file.stat()
            if (facts.st_size, facts.st_mtime_ns) == (known.seen_size, known.seen_time):
                return known.seen_sha256
            sha256 = hash_file(file)
        except OSError as error:
            raise CheckpointError(
                f"{file} cannot be read ({error.strerror}); give yourself the right to read it."
            ) from error
        seen = replace(
            self.entry(name),
            seen_sha256=sha256,
            seen_size=facts.st_size,
            seen_time=facts.st_mtime_ns,
        )
        with suppress(MediaError):  # a shared folder may be read only: hash again the next time
            self._write(name, seen)
        return sha256

    def _read(self) -> dict[str, Entry]:
        try:
            rows = json.loads(self.path.read_text("utf-8"))
            return {name: Entry(**row) for name, row in rows.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"The ledger of judges {self.path} cannot be read ({error}); mend it, or delete "
                "it and add the judges again."
            ) from error

    def _write(self, name: str, entry: Entry) -> None:
        rows = {key: asdict(value) for key, value in self._read().items()}
        rows[name] = asdict(entry)
        write_atomically(self.path, (json.dumps(rows, indent=2, sort_keys=True) + "\n").encode())


def hash_file(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits.

    Raises:
        OSError: If it cannot be read.
    """
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
