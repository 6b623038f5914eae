"""Suites: frozen lists of portraits, texts and seeds, so that two people measure the same thing.

A suite is a JSON file in `evaluation/suites`.  Suites of kind `portraits` name photos and
the texts each shall speak; suites of kind `recordings` take the user's copy of a corpus:
its first frames become the photos, its transcripts the texts, its videos the references.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from facevox.core.errors import ConfigError, DataError, InputError
from facevox.core.files import make_folder
from facevox.evaluation.suites.item import Item
from facevox.evaluation.suites.portraits import portrait_items
from facevox.evaluation.suites.recordings import recording_items

FOLDER = Path(__file__).parent / "suites"
_FIELDS = ("name", "summary", "kind", "data")
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A frozen list of what to generate and score.

    Attributes:
        name: Its name.
        summary: What it is, in a sentence.
        kind: `portraits` or `recordings`.
        data: What the data folder must hold; empty if none is needed.
        digest: Hash of the list; equal digests mean equal suites.
        content: The list itself.
    """

    name: str
    summary: str
    kind: Literal["portraits", "recordings"]
    data: str
    digest: str
    content: dict[str, Any] = field(repr=False)

    def items(self, data: Path | None, work: Path, *, limit: int | None = None) -> tuple[Item, ...]:
        """Return the items, all photos and recordings checked to be there.

        Args:
            data: The data folder.
            work: Folder for photos that are made: cut from recordings, or bundled ones.
            limit: Only so many, spread evenly over the list.

        Raises:
            DataError: If the data folder lacks something; the message says what.
        """
        if data is None and self.data:
            raise DataError(f"The suite {self.name} needs --data: {self.data}.")
        if data is not None and not data.is_dir():
            raise DataError(f"The data folder {data} does not exist.")
        make_folder(work)
        make = portrait_items if self.kind == "portraits" else recording_items
        return make(self.name, self.content, data, work, limit)


def list_suites() -> tuple[str, ...]:
    """Return the names of the suites in the package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def load_suite(name: str | Path) -> Suite:
    """Return a suite of the package by name, or one of your own by its JSON file.

    Raises:
        InputError: If there is none of that name.
        ConfigError: If the file is not a suite.
    """
    path = FOLDER / f"{name}.json" if str(name) in list_suites() else Path(name)
    if path.suffix != ".json" or not path.is_file():
        raise InputError(
            f"There is no suite {str(name)!r}; there are: {', '.join(list_suites())}, "
            "or give the path of a .json file."
        )
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not a suite: it is not valid JSON ({error}).") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} is not a suite: expected an object, got {str(content)[:40]!r}.")
    for key in _FIELDS:
        if not isinstance(content.get(key), str):
            raise ConfigError(f"{path} is not a suite: {key!r} must be there and be text.")
    known = {key: content[key] for key in _FIELDS}
    if known["kind"] not in ("portraits", "recordings"):
        raise ConfigError(f"{path}: kind must be portraits or recordings, got {known['kind']!r}.")
    return Suite(**known, digest=_digest(content), content=content)


def suite_of_photos(
    photos: Sequence[Path], texts: Sequence[str], *, per_photo: int, size: int | None = None
) -> Suite:
    """Return a suite of one's own photos and texts.

    Args:
        photos: Files and folders; each file is one person, called after the file.
        texts: What is said; each photo takes the next `per_photo` of them.
        per_photo: Texts a photo.
        size: Longest side of the videos [px]; None keeps that of the photos.

    Raises:
        InputError: If there is no photo, no text, or two photos have one name.
    """
    files = [file for path in photos for file in _pictures(path)]
    said = [text for text in (line.strip() for line in texts) if text]
    if not files or not said:
        raise InputError(f"Give at least one photo and one text, got {len(files)} and {len(said)}.")
    names = [file.stem for file in files]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"Two photos are called {twice!r}; rename one.")
    people = [
        {
            "identity": file.stem,
            "photos": {"photo": str(file.resolve())},
            "texts": {"photo": [(k * per_photo + j) % len(said) for j in range(per_photo)]},
        }
        for k, file in enumerate(files)
    ]
    content = {"texts": said, "people": people, "size": size}
    return Suite(
        name="photos",
        summary=f"{len(files)} photos of one's own, {per_photo} texts each.",
        kind="portraits",
        data="",
        digest=_digest(content),
        content=content,
    )


def _pictures(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not path.is_file():
        raise InputError(f"There is no photo {path}.")
    return [path]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
