"""One clip of a corpus of recorded talking faces."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """One recorded clip.

    Attributes:
        name: Unique within the corpus; a file name without suffix.
        identity: Who is shown, as far as the corpus says.
        video: The file.
        text: What is said; None if the corpus does not say.
    """

    name: str
    identity: str
    video: Path
    text: str | None
