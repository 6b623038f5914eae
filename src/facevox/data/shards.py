"""Shards of samples: tar files in WebDataset's layout, with an index and a manifest.

    FOLDER/train-000000.tar     members NAME.SUFFIX, those of a sample next to each other
    FOLDER/train-000000.json    where each sample lies, its length, and a checksum
    FOLDER/manifest.json        what was prepared and how, and the SHA-256 of every shard

Any WebDataset reader takes the tar files.  Ours reads a sample by its number, so that batches
can be planned from lengths alone, and notices what a stream cannot: a shard that was cut off
between two members looks whole to `tarfile`.
"""

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from facevox.core.errors import DataError
from facevox.core.files import temporary_twin, write_atomically

MANIFEST = "manifest.json"
FORMAT = 1
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardInfo:
    """What is known of a finished shard.

    Attributes:
        name: File name of the tar.
        size: Its length [bytes].
        sha256: Its digest.
        entries: One mapping a sample: `name`, `offset`, `size`, `crc32`, and what the maker
            says, such as `frames`.
        extra: What else the maker keeps with it.
    """

    name: str
    size: int
    sha256: str
    entries: list[dict[str, Any]]
    extra: dict[str, Any]


class ShardWriter:
    """Adds samples to one tar file; the same samples give the same bytes.

    Args:
        file: Open for writing.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = 0
        self.entries: list[dict[str, Any]] = []

    def add(self, name: str, members: Mapping[str, bytes], entry: Mapping[str, Any]) -> None:
        """Add one sample.

        Args:
            name: Its key; without a dot.
            members: Content by suffix.
            entry: What the index says of it.
        """
        sample = b"".join(_member(f"{name}.{part}", members[part]) for part in sorted(members))
        place = {"offset": self.size, "size": len(sample), "crc32": zlib.crc32(sample)}
        self.entries.append({"name": name, **entry, **place})
        self._write(sample)

    def close(self) -> None:
        """Write the end of the archive: two empty blocks, and zeros up to a whole record."""
        end = self.size + 2 * tarfile.BLOCKSIZE
        self._write(bytes(-(-end // tarfile.RECORDSIZE) * tarfile.RECORDSIZE - self.size))

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self.size += len(content)


def _member(name: str, content: bytes) -> bytes:
    """Return a file as it lies in a tar: head, content, zeros up to a whole block."""
    head = tarfile.TarInfo(name)
    head.size, head.mode = len(content), 0o644
    return head.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def write_shard(
    path: Path,
    samples: Iterable[tuple[str, Mapping[str, bytes], Mapping[str, Any]]],
    most_bytes: float,
) -> ShardInfo:
    """Write samples until the shard is full or there are no more; it appears whole or not.

    Args:
        path: The tar file.
        samples: Name, members and entry of each.
        most_bytes: Size at which the shard is closed.

    Raises:
        MediaError: If it cannot be written.
    """
    with temporary_twin(path) as twin:
        with twin.open("wb") as file:
            writer = ShardWriter(file)
            for name, members, entry in samples:
                writer.add(name, members, entry)
                if writer.size >= most_bytes:
                    break
            writer.close()
        digest = file_digest(twin)
        size = twin.stat().st_size
    return ShardInfo(name=path.name, size=size, sha256=digest, entries=writer.entries, extra={})


def write_index(folder: Path, shard: ShardInfo) -> None:
    """Write the index beside a shard; only then the shard counts as finished.

    Raises:
        MediaError: If it cannot be written.
    """
    content = {
        "format": FORMAT, "shard": shard.name, "size": shard.size, "sha256": shard.sha256,
        **shard.extra, "samples": shard.entries,
    }  # fmt: skip
    text = json.dumps(content, ensure_ascii=False) + "\n"
    write_atomically((folder / shard.name).with_suffix(".json"), text.encode())


def read_index(folder: Path, name: str) -> ShardInfo:
    """Read the index of a shard.

    Args:
        folder: Folder of the shards.
        name: File name of the tar.

    Raises:
        DataError: If it is absent or damaged.
    """
    path = (folder / name).with_suffix(".json")
    try:
        content = json.loads(path.read_text("utf-8"))
        known = {key: content.pop(key) for key in ("size", "sha256", "samples", "format", "shard")}
        if known["format"] != FORMAT or known["shard"] != name:
            raise ValueError("of another kind")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise DataError(f"The index {path} is absent or damaged ({error}); {_REMEDY}") from error
    return ShardInfo(
        name=name, size=known["size"], sha256=known["sha256"], entries=known["samples"],
        extra=content,
    )  # fmt: skip


def check_shard(folder: Path, shard: ShardInfo, *, thorough: bool = False) -> None:
    """Raise if a shard is not what was written.

    Args:
        folder: Folder of the shards.
        shard: Its index.
        thorough: Whether to read it all; else only its length is looked at.

    Raises:
        DataError: If it is absent, cut off or changed.
    """
    path = folder / shard.name
    if not path.is_file():
        raise DataError(f"The shard {path} is missing; {_REMEDY}")
    size = path.stat().st_size
    if size != shard.size:
        raise DataError(
            f"The shard {path} is damaged: {shard.size} bytes were written, {size} are there; "
            f"{_REMEDY}"
        )
    if thorough and file_digest(path) != shard.sha256:
        raise DataError(f"The shard {path} is damaged: its content has changed; {_REMEDY}")


def read_sample(file: BinaryIO, entry: Mapping[str, Any], path: Path) -> dict[str, bytes]:
    """Return the members of one sample by suffix.

    Args:
        file: The shard, open for reading.
        entry: Entry of the index.
        path: The shard, for messages.

    Raises:
        DataError: If the bytes are not those that were written.
    """
    file.seek(entry["offset"])
    content = file.read(entry["size"])
    if zlib.crc32(content) != entry["crc32"]:
        raise DataError(f"The shard {path} is damaged at {entry['name']}; {_REMEDY}")
    members: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        for head in tar:
            extracted = tar.extractfile(head)
            if extracted is not None:
                members[head.name.partition(".")[2]] = extracted.read()
    return members


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder of shards.

    Raises:
        DataError: If there is none or it is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(
            f"{folder} holds no finished shards: there is no {MANIFEST}; "
            "run facevox prepare, or run it again if it was stopped."
        )
    try:
        manifest = json.loads(path.read_text("utf-8"))
        if manifest["format"] != FORMAT:
            raise ValueError("of another kind")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error}); {_REMEDY}") from error
    return manifest


class Shards:
    """The samples of one split by number.

    Args:
        folder: Folder of the shards.
        split: Such as "train".
        skip_damaged: Whether a damaged shard is left out; else it is an error.
        warn: Told of every shard that is left out.

    Raises:
        DataError: If the folder holds no such split or a shard is damaged.
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        *,
        skip_damaged: bool = False,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.manifest = read_manifest(folder)
        if split not in self.manifest["splits"]:
            there = ", ".join(self.manifest["splits"]) or "none"
            raise DataError(f"{folder} has no split {split!r}; there are: {there}.")
        self.entries: list[dict[str, Any]] = []
        self._files: list[Path] = []
        for name in self.manifest["splits"][split]["shards"]:
            try:
                shard = read_index(folder, name)
                check_shard(folder, shard)
            except DataError as error:
                if not skip_damaged:
                    raise
                warn(f"A shard is left out. {error}")
                continue
            self.entries += shard.entries
            self._files += [folder / name] * len(shard.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, number: int) -> dict[str, bytes]:
        """Return the members of a sample by suffix.

        Raises:
            DataError: If its bytes have changed.
        """
        path = self._files[number]
        try:
            with path.open("rb") as file:
                return read_sample(file, self.entries[number], path)
        except OSError as error:
            raise DataError(f"The shard {path} cannot be read ({error}).") from error


def stream_shards(
    shards: Shards,
    start: int = 0,
    *,
    skip_damaged: bool = False,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Yield number and members of all samples from number `start` on.

    Raises:
        DataError: If a sample is damaged and `skip_damaged` is not set.
    """
    for number in range(start, len(shards)):
        try:
            yield number, shards[number]
        except DataError as error:
            if not skip_damaged:
                raise
            warn(f"A sample is left out. {error}")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    stamp = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            stamp.update(block)
    return stamp.hexdigest()


_REMEDY = "run the same facevox prepare again, which makes it anew."
