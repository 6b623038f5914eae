"""Where judges lie, and handing them out."""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from facevox.core.errors import InputError, MissingPiece
from facevox.evaluation.judges.judge import JudgeCard
from facevox.evaluation.judges.registry import JUDGES


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
        self._loaded: dict[str, Any] = {}

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

    def problem(self, name: str) -> str:
        """Return why a judge cannot be used, as a sentence; empty if it can."""
        card = self.card(name)
        if name in self._loaded:
            return ""
        if card.needs and find_spec(card.needs) is None:
            return f"judge {name} missing, get it with {card.install}"
        if card.file and not (self.folder / card.file).is_file():
            verb = "add" if card.origin == "user" else "get"
            return f"judge {name} missing, get it with facevox judges {verb} {name}"
        return ""

    def load(self, name: str) -> Any:
        """Return a judge.

        Raises:
            MissingPiece: If it is not here.
            CheckpointError: If its file is not the one expected or does not fit the network.
        """
        if name not in self._loaded:
            if problem := self.problem(name):
                raise MissingPiece(problem)
            card = self.card(name)
            module, _, function = card.loader.partition(":")
            loader = getattr(import_module(module), function)
            self._loaded[name] = loader(self.folder / card.file) if card.file else loader()
        return self._loaded[name]
