"""A stretch of a talking face, made while it is read: usually one sentence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.motion import Motion
from facevox.core.speech import Phone

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
        done: Part of the whole text that is spoken after this chunk, about, 0 to 1.
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
