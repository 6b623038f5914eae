"""The result: frames and sound that are made while they are read.

Nothing here holds the whole video.  A `TalkingFace` knows how to make its
chunks (one per sentence) and makes them anew each time it is read; the seed
makes them the same every time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from facevox.core.chunk import Chunk, Frame, Progress
from facevox.core.clock import Clock
from facevox.core.speech import Phone
from facevox.core.video import SavedVideo, write_video
from facevox.core.voice import Voice

TITLE_LENGTH = 80
"""Characters of the text that become the title of the file."""


@dataclass(frozen=True, kw_only=True)
class TalkingFace:
    """A face that speaks a text; made sentence by sentence while it is read.

    Attributes:
        clock: Rates of sound and picture.
        size: Width and height of the pictures [px], both even.
        voice: The voice it speaks with; `voice.save` keeps it.
        seed: Seed of voice and motion.
        system: Name of the system that makes it.
        text: The text as given.
        warnings: What may make the result look or sound worse; complete once it was read.
        chunks: Makes the chunks, anew each time it is called.
    """

    clock: Clock
    size: tuple[int, int]
    voice: Voice
    seed: int
    system: str
    text: str
    chunks: Callable[[], Iterator[Chunk]] = field(repr=False)
    warnings: list[str] = field(default_factory=list)

    def frames(self) -> Iterator[Frame]:
        """Yield all pictures, RGB."""
        for chunk in self.chunks():
            yield from chunk.frames

    def waveform(self) -> Float32[np.ndarray, " samples"]:
        """Return the whole sound; no picture is rendered for it."""
        return np.concatenate([chunk.waveform for chunk in self.chunks()])

    def alignment(self) -> tuple[Phone, ...]:
        """Return all phones with their times [s]; no picture is rendered for it."""
        return tuple(phone for chunk in self.chunks() for phone in chunk.phones)

    def save(self, path: str | Path, *, progress: Progress | None = None) -> SavedVideo:
        """Write an mp4 (h264 + aac), whole or not at all.

        Args:
            path: Where to; must end in .mp4, .m4v or .mov.
            progress: Called after every frame with the part that is done.

        Raises:
            InputError: If the suffix is another.
            MediaError: If the file cannot be written.
        """
        return write_video(
            Path(path),
            self.chunks(),
            clock=self.clock,
            size=self.size,
            title=self.text[:TITLE_LENGTH],
            progress=progress,
        )
