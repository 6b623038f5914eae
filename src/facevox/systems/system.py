"""What every system offers: a portrait and a text become a talking face."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from facevox.core.chunk import Chunk
from facevox.core.controls import Controls
from facevox.core.portrait.portrait import Portrait
from facevox.core.talking_face import TalkingFace
from facevox.core.voice import Voice

Photo = Portrait | str | Path | bytes | Any
"""A portrait, or anything that `read_portrait` understands (path, bytes, array, PIL image)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemInfo:
    """What a system is, in words and numbers.

    Attributes:
        name: Name in the registry.
        summary: One sentence.
        voice: Where the voice comes from.
        parameters: Trained numbers in all its networks.
        licence: Licence of its weights.
        trained_against: Judges (names of `facevox judges list`) that took part in its training,
            as a loss or as labels; the evaluation refuses to let them judge it.
        weights: SHA-256 of its weights; empty if it has none.
        multiply_adds: Multiply-adds of its networks for one second of video; None if unknown.
    """

    name: str
    summary: str
    voice: str
    parameters: int
    licence: str
    trained_against: tuple[str, ...] = ()
    weights: str = ""
    multiply_adds: int | None = None


@runtime_checkable
class System(Protocol):
    """The contract that all systems share, so that they can be compared."""

    def info(self) -> SystemInfo:
        """Return what this system is."""
        ...

    def generate(
        self,
        portrait: Photo,
        text: str,
        *,
        seed: int = 0,
        voice: Voice | str | Path | None = None,
        controls: Controls | None = None,
        fps: int | float | Fraction = 25,
        size: int | None = None,
        face: int | None = None,
        box: tuple[float, float, float, float] | None = None,
    ) -> TalkingFace:
        """Return a face that speaks the text; it is made while it is read or saved.

        Args:
            portrait: The photo, or a `Portrait` read before.
            text: What to say; any length.
            seed: Draws the voice and the motion; the same seed gives the same bytes.
            voice: A voice or voice file instead of one drawn from the face.
            controls: Strengths of mouth, head, blinks and so on.
            fps: Video frames per second.
            size: Longest side of the pictures [px]; None keeps the photo's own.
            face: Which face of several, 0 = the largest.
            box: Corners x0, y0, x1, y1 [px] of the face, instead of detection.

        Raises:
            InputError: If photo, text, voice or an option cannot be used.
            MissingPiece: If something is not installed.
        """
        ...

    def stream(self, portrait: Photo, text: str, **options: Any) -> Iterator[Chunk]:
        """Yield the same talking face sentence by sentence, the first one early."""
        ...

    def voices(
        self, portrait: Photo, count: int = 4, *, seed: int = 0, **options: Any
    ) -> list[Voice]:
        """Return different voices that all fit the face."""
        ...

    def voice_from(self, recording: str | Path) -> Voice:
        """Return a voice that sounds like the person in a recording."""
        ...
