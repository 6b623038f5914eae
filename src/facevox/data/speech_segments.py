"""Short stretches of speech with their F0, for networks that need no text.

Loose sound files are kept in memory in half precision: an hour takes 115 MB.  Prepared
shards stay on disk.
"""

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import torch
from jaxtyping import Float16, Float32
from torch import Tensor

from facevox.core.errors import DataError, MediaError
from facevox.core.waveform import normalise_level, read_waveform
from facevox.data.shards import MANIFEST, Shards
from facevox.data.speech.settings import HOP, SAMPLE_RATE
from facevox.models.speech.pitch_track import pitch_track

SOUND_FILES = (".wav", ".flac", ".ogg", ".opus", ".mp3")

_QUIET = 0.02
_ATTEMPTS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenClip:
    """One utterance.

    Attributes:
        name: Its name, by which it is held out or not.
        group: Clips of a group are drawn by length; groups as they are weighted.
        waveform: The sound at 16 kHz, whole hops.
        f0: Fundamental frequency at 10 ms frames [Hz], 0 where unvoiced.
    """

    name: str
    group: str
    waveform: Float16[np.ndarray, " samples"]
    f0: Float32[np.ndarray, " frames"]

    @property
    def frames(self) -> int:
        """Length [frames]."""
        return len(self.f0)

    def load(self) -> tuple[Float16[np.ndarray, " samples"], Float32[np.ndarray, " frames"]]:
        """Return sound and F0."""
        return self.waveform, self.f0


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedClip:
    """One recording in a shard, read when it is drawn.

    Attributes:
        shards: Where it lies.
        number: Its number there.
    """

    shards: Shards
    number: int

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.shards.entries[self.number]["name"])

    @property
    def group(self) -> str:
        """The corpus that it is from."""
        return str(self.shards.entries[self.number].get("corpus", ""))

    @property
    def frames(self) -> int:
        """Length [frames]."""
        return int(self.shards.entries[self.number]["frames"])

    def load(self) -> tuple[Float32[np.ndarray, " samples"], Float32[np.ndarray, " frames"]]:
        """Return sound and F0.

        Raises:
            DataError: If the shard is damaged or a part is missing.
        """
        members = self.shards[self.number]
        try:
            waveform, _ = soundfile.read(io.BytesIO(members["flac"]), dtype="float32")
            f0 = np.load(io.BytesIO(members["f0.npy"]), allow_pickle=False)
        except (KeyError, ValueError, OSError, soundfile.SoundFileError) as error:
            raise DataError(f"{self.name} cannot be read ({error}); prepare it again.") from error
        return waveform, f0.astype(np.float32)


Clip = SpokenClip | PreparedClip


@dataclass(frozen=True, kw_only=True, slots=True)
class Segments:
    """A batch of stretches.

    Attributes:
        waveform: Sound with `margin` more frames at both ends, for the mel front end.
        f0: Fundamental frequency of the frames between [Hz], 0 where unvoiced.
        margin: Frames at each end of the sound that are context only.
    """

    waveform: Float32[Tensor, "batch samples"]
    f0: Float32[Tensor, "batch frames"]
    margin: int


def open_clips(folder: Path, split: str, one_of: int) -> list[Clip]:
    """Open the clips of a split: of prepared shards, or of all sound below a folder.

    Args:
        folder: Where they are.
        split: "train" or "validation".
        one_of: Of loose files one of so many is for validation; shards have their own split.

    Raises:
        DataError: If there is no sound, or the shards are damaged.
    """
    if (folder / MANIFEST).is_file():
        shards = Shards(folder, split)
        return [PreparedClip(shards=shards, number=number) for number in range(len(shards))]
    learning = split == "train"
    return [clip for clip in read_clips(folder) if held_out(clip.name, one_of) != learning]


@lru_cache(maxsize=1)
def read_clips(folder: Path) -> list[SpokenClip]:
    """Read all sound below a folder, at the usual level; the first folder down is the group.

    Raises:
        DataError: If there is no sound, or none that can be read.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SOUND_FILES)
    clips = []
    for path in paths:
        try:
            sound, _ = read_waveform(path, SAMPLE_RATE)
        except MediaError:
            continue
        parts = path.relative_to(folder).parts
        clips.append(make_clip(str(path.relative_to(folder)), parts[0], sound))
    if not clips:
        raise DataError(f"There is no sound that can be read in {folder}.")
    return clips


def make_clip(name: str, group: str, waveform: Float32[np.ndarray, " samples"]) -> SpokenClip:
    """Return a clip at the usual level, with its F0."""
    even = waveform[: len(waveform) // HOP * HOP]
    level = normalise_level(even.astype(np.float32), SAMPLE_RATE)
    f0 = pitch_track(level, SAMPLE_RATE, len(level) // HOP)
    return SpokenClip(name=name, group=group, waveform=level.astype(np.float16), f0=f0)


def held_out(name: str, one_of: int) -> bool:
    """Tell whether a clip is kept from training: one of so many, by the hash of its name."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % one_of == 0


class SegmentSampler:
    """Draws stretches at random places, mostly where somebody speaks.

    Args:
        clips: Where from.
        batch: How many at once.
        frames: Length of each [frames].
        margin: Context at both ends [frames].
        weights: Share of a group; those not named share by their length.
        gains: Least and most gain [dB].

    Raises:
        DataError: If no clip is long enough.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        batch: int,
        frames: int,
        margin: int = 3,
        weights: dict[str, float] | None = None,
        gains: tuple[float, float] = (-6.0, 3.0),
    ) -> None:
        self._clips = [clip for clip in clips if clip.frames > frames + 2 * margin]
        if not self._clips:
            raise DataError(f"Not one utterance is longer than {(frames + 2 * margin) / 100} s.")
        self._batch, self._frames, self._margin = batch, frames, margin
        self._gains = gains
        self._chances = _chances(self._clips, weights or {})

    @property
    def seconds(self) -> float:
        """Sound in all [s]."""
        return sum(clip.frames for clip in self._clips) * HOP / SAMPLE_RATE

    def draw(self, generator: np.random.Generator) -> Segments:
        """Return a batch."""
        pairs = [self._one(generator) for _ in range(self._batch)]
        return Segments(
            waveform=torch.from_numpy(np.stack([sound for sound, _ in pairs])),
            f0=torch.from_numpy(np.stack([f0 for _, f0 in pairs])),
            margin=self._margin,
        )

    def _one(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        clip = self._clips[generator.choice(len(self._clips), p=self._chances)]
        waveform, f0 = clip.load()
        last = len(f0) - self._frames - self._margin
        for _ in range(_ATTEMPTS):
            first = int(generator.integers(self._margin, last))
            start, end = first - self._margin, first + self._frames + self._margin
            sound = waveform[start * HOP : end * HOP].astype(np.float32)
            if np.sqrt(np.mean(sound**2)) > _QUIET:
                break
        sound = sound * np.float32(10 ** (generator.uniform(*self._gains) / 20))
        loudest = np.abs(sound).max()
        return sound / max(1.0, loudest), f0[first : first + self._frames]


def _chances(clips: Iterable[Clip], weights: dict[str, float]) -> np.ndarray:
    lengths: dict[str, int] = {}
    listed = list(clips)
    for clip in listed:
        lengths[clip.group] = lengths.get(clip.group, 0) + clip.frames
    named = sum(weights.get(group, 0.0) for group in lengths)
    others = sum(length for group, length in lengths.items() if group not in weights)

    def share(clip: Clip) -> float:
        if clip.group in weights:
            return weights[clip.group] * clip.frames / lengths[clip.group]
        return max(0.0, 1.0 - named) * clip.frames / others

    chances = np.array([share(clip) for clip in listed])
    return chances / chances.sum()
