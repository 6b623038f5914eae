"""Sentences that speech engines are measured on.

The list in the package has three parts: `tune` (20) for choosing voices and settings, `test`
(60) never used for a choice, `hard` (120) with single words, very long sentences, tongue
twisters, doubled words, numbers and names, in which words get skipped or repeated.  No text
of it is known to occur in the speech that models are trained on here.

Reference:
    IEEE Recommended Practice for Speech Quality Measurements, 1969, Appendix C, lists 9 to 21
    (half of `tune` and `test`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facevox.core.errors import InputError
from facevox.evaluation.suites.item import spread

FILE = Path(__file__).parent / "sentences.json"

PARTS: dict[str, tuple[str, ...]] = {
    "tune": ("tune",),
    "test": ("test",),
    "hard": ("hard",),
    "speech-80": ("tune", "test"),
    "speech-200": ("tune", "test", "hard"),
}
"""Name of a list -> parts of the file."""


@dataclass(frozen=True, kw_only=True)
class SentenceList:
    """What is to be spoken.

    Attributes:
        name: Of the list.
        summary: What it is, in a sentence.
        texts: Name of a sentence, fit for a file -> its text.
    """

    name: str
    summary: str
    texts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Hash of names and texts; equal digests mean equal lists."""
        return hashlib.sha256(json.dumps(sorted(self.texts.items())).encode()).hexdigest()

    def take(self, limit: int | None) -> "SentenceList":
        """Return at most `limit` sentences, spread evenly over the list.

        Raises:
            InputError: If the limit is below 1.
        """
        chosen = spread(list(self.texts.items()), limit)
        return SentenceList(name=self.name, summary=self.summary, texts=dict(chosen))


def load_sentences(source: str | Path | Sequence[str] | SentenceList) -> SentenceList:
    """Return the sentences of a name, of a file, or one's own.

    Args:
        source: One of `PARTS`, a text file with one sentence a line, or the texts.

    Raises:
        InputError: If there is no list of that name, the file cannot be read, or nothing is in it.
    """
    if isinstance(source, SentenceList):
        return source
    if not isinstance(source, str | Path):
        return _numbered("own", source)
    if str(source) in PARTS:
        return _packaged(str(source))
    path = Path(source)
    if not path.is_file():
        raise InputError(
            f"There are no sentences {str(source)!r}; there are: {', '.join(PARTS)}, or give a "
            "text file with one sentence a line."
        )
    try:
        return _numbered(path.stem, path.read_text("utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a text file in UTF-8 ({error}).") from error


def _packaged(name: str) -> SentenceList:
    content = json.loads(FILE.read_text("utf-8"))
    texts = {
        key: text
        for key, text in content["sentences"].items()
        if key.partition("-")[0] in PARTS[name]
    }
    return SentenceList(name=name, summary=content["summary"], texts=texts)


def _numbered(name: str, lines: Sequence[str]) -> SentenceList:
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise InputError(f"There is no sentence in {name!r}; give one a line.")
    width = len(str(len(texts)))
    return SentenceList(
        name=name,
        summary=f"{len(texts)} sentences of one's own.",
        texts={f"sentence-{k:0{width}d}": text for k, text in enumerate(texts, start=1)},
    )
