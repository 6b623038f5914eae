"""The result: frames and sound that are made while they are read.

Nothing here holds the whole video.  A `TalkingFace` knows how to make its
chunks (one per sentence) and makes them anew each time it is read; the seed
makes them the same every time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.clock import Clock
from facevox.core.motion import Motion
from facevox.core.speech import Phone
from facevox.core.voice import Voice

Frame = UInt8[np.ndarray, "height width 3"]
Progress = Callable[[float], None]
"""Called with the part that is done, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """One sentence of a talking face.

    Attributes:
        frames: Pictures in order, RGB; an iterator, to be read once.
        num_frames: How many pictures `frames` gives.
        waveform: The sound of this sentence, in [-1, 1].
        first_frame: Number of the first picture within the whole.
        first_sample: Number of the first sample within the whole.
        phones: Phones with times [s] within the whole.
        motion: What drives the face, one row per picture.
        text: The sentence.
        done: Part of the whole text that is spoken after this chunk, 0 to 1.
    """

    frames: Iterator[Frame]
    num_frames: int
    waveform: Float32[np.ndarray, " samples"]
    first_frame: int
    first_sample: int
    phones: tuple[Phone, ...]
    motion: Motion
    text: str
    done: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedVideo:
    """A video file that was written.

    Attributes:
        path: Where it is.
        num_frames: Pictures in it.
        num_samples: Samples of its sound.
        seconds: Length of its sound [s].
    """

    path: Path
    num_frames: int
    num_samples: int
    seconds: float


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
        from facevox.core.video import write_video

        return write_video(self, Path(path), progress=progress)
