"""Which utterances are for training, which for validation, and which are kept from both."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from facevox.core.errors import DataError
from facevox.data.speech.settings import PrepareSettings
from facevox.data.speech.tables import read_lines
from facevox.data.speech.transcript import text_key
from facevox.data.speech.utterance import Utterance

SPLITS = ("test", "validation", "train")
"""In the order in which they are written: what stands in one stands in none after it."""


def read_hold_out(path: Path) -> tuple[str, ...]:
    """Return names and sentences of a list: one a line, or a JSON list.

    Raises:
        DataError: If the file cannot be read or is empty.
    """
    lines = read_lines(path)
    if lines and lines[0].startswith("["):
        try:
            lines = json.loads(" ".join(lines))
        except ValueError as error:
            raise DataError(f"{path} is not a JSON list ({error}).") from error
    if not lines or not all(isinstance(line, str) for line in lines):
        raise DataError(f"{path} holds no names or sentences, one a line.")
    return tuple(lines)


def split_utterances(
    utterances: Sequence[Utterance], settings: PrepareSettings, held_out: Sequence[str] = ()
) -> dict[str, list[Utterance]]:
    """Divide utterances into the splits, each in a random order that the seed fixes.

    What is held out goes to `test`: utterances of these names, and every reading of a held
    sentence or of the text of a held name.  The corpus' own lists come next.  Of the rest,
    texts (or speakers) are drawn for validation by their hash, so that no text stands in both.

    Args:
        utterances: All of them.
        settings: Share, rule and seed.
        held_out: Names or sentences.
    """
    keys = {u.name: text_key(u.text) if u.text else f"name:{u.name}" for u in utterances}
    wanted = set(held_out)
    names = {u.name for u in utterances if u.name in wanted or u.sound.stem in wanted}
    texts = {text_key(line) for line in held_out} | {keys[name] for name in names}
    splits: dict[str, list[Utterance]] = {split: [] for split in SPLITS}
    for utterance in utterances:
        if utterance.name in names or keys[utterance.name] in texts:
            split = "test"
        elif utterance.subset is not None:
            split = utterance.subset
        else:
            by_speaker = settings.split_by == "speaker"
            key = utterance.speaker if by_speaker else keys[utterance.name]
            drawn = _draw(f"{settings.seed}/split/{key}") < settings.validation
            split = "validation" if drawn else "train"
        splits[split].append(utterance)
    for members in splits.values():
        members.sort(key=lambda u: _draw(f"{settings.seed}/order/{u.corpus}/{u.name}"))
    return splits


def _draw(text: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
