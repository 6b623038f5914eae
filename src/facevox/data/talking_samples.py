"""Windows of talking video with the sound of the same instants, from shards made with `--faces`.

One picture and four mel frames cover the same 40 ms.  The timeline of a sample is that of its
sound: its picture k is heard with mel frames 4 k to 4 k + 3.  The pictures begin with number
`first_picture`, which is not 0 if the recording began after the silence before the first word.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, UInt8

from facevox.core.errors import DataError
from facevox.data.shards import Shards
from facevox.data.speech.settings import HOP, SAMPLE_RATE
from facevox.data.talking.picture_sequence import decode_picture
from facevox.data.talking.pictures import CLOCK, MEL_PER_PICTURE
from facevox.models.speech.mel import MelSpectrogram

SOURCE_DISTANCE = int(CLOCK.fps)
"""The source picture lies at least this far from the window, if the clip is long enough."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TalkingWindow:
    """Consecutive pictures of a clip with what is heard, and one picture from elsewhere.

    Attributes:
        name: Of the sample.
        speaker: Who speaks.
        first: Number of the first picture on the timeline of the sample's sound.
        pictures: RGB.
        landmarks: Face mesh [px of the pictures].
        found: Pictures in which the face was seen; in the others tracks are bridged.
        head_pose: Yaw, pitch and roll [deg].
        mouth: Coefficients of the mouth basis, from the clip's rest.
        lip_gap: Between the inner lips [IOD].
        source: The picture from elsewhere, RGB.
        source_landmarks: Its face mesh [px of the picture].
        source_number: Its number, counted as `first`.
        mel: Log-mel frames of these instants.
        symbols: Phones and pauses heard in them; empty without text.
        tags: Kind of each symbol.
        durations: Mel frames of each symbol inside the window; they sum to those of `mel`.
        first_token: Index of the first symbol in the whole sample.
    """

    name: str
    speaker: str
    first: int
    pictures: UInt8[np.ndarray, "frames side side 3"]
    landmarks: Float32[np.ndarray, "frames 478 3"]
    found: Bool[np.ndarray, " frames"]
    head_pose: Float32[np.ndarray, "frames 3"]
    mouth: Float32[np.ndarray, "frames 6"]
    lip_gap: Float32[np.ndarray, " frames"]
    source: UInt8[np.ndarray, "side side 3"]
    source_landmarks: Float32[np.ndarray, "478 3"]
    source_number: int
    mel: Float32[np.ndarray, "mels mel_frames"]
    symbols: tuple[str, ...]
    tags: tuple[int, ...]
    durations: Int64[np.ndarray, " tokens"]
    first_token: int


class TalkingClip:
    """One sample of a shard; its parts are decoded when they are asked for.

    Args:
        members: Files by suffix.
        name: For messages.

    Raises:
        DataError: If a part is missing or parts do not fit each other.
    """

    def __init__(self, members: Mapping[str, bytes], name: str) -> None:
        self.name = name
        self._members = members
        try:
            self.said: dict[str, Any] = json.loads(members["json"])
            self._borders = self._array("pictures")
            self.found = self._array("found")
            self.first: int = self.said["first_picture"]
            self.frames: int = self.said["frames"]
            self.speaker: str = self.said["speaker"]
        except (KeyError, ValueError, TypeError) as error:
            raise DataError(
                f"The sample {name} holds no talking face ({error}); prepare it with --faces."
            ) from error
        whole = MEL_PER_PICTURE * (self.first + len(self)) <= self.frames
        if len(self._borders) != len(self) + 1 or not whole:
            raise DataError(
                f"The parts of the sample {name} do not fit: {len(self)} pictures from number "
                f"{self.first} on, {self.frames} mel frames; prepare it again."
            )

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.found)

    def picture(self, number: int) -> UInt8[np.ndarray, "side side 3"]:
        """Return one picture, RGB.

        Args:
            number: Counted from the first picture there is.

        Raises:
            DataError: If there is none, or it is damaged.
        """
        return decode_picture(self._members["pictures.jpgs"], self._borders, number)

    @cached_property
    def landmarks(self) -> Float32[np.ndarray, "frames 478 3"]:
        """Face mesh of every picture [px of it]."""
        return self._array("landmarks").astype(np.float32)

    @cached_property
    def head_pose(self) -> Float32[np.ndarray, "frames 3"]:
        """Yaw, pitch and roll in every picture [deg]."""
        return self._array("pose")

    @cached_property
    def mouth(self) -> Float32[np.ndarray, "frames 6"]:
        """Coefficients of the mouth basis in every picture, from the clip's rest."""
        return self._array("mouth")

    @cached_property
    def lip_gap(self) -> Float32[np.ndarray, " frames"]:
        """Gap between the inner lips in every picture [IOD]."""
        return self._array("lip_gap")

    @cached_property
    def waveform(self) -> Float32[np.ndarray, " samples"]:
        """The whole sound at 16 kHz; its picture `first` is the first there is."""
        import soundfile

        try:
            waveform, rate = soundfile.read(io.BytesIO(self._members["flac"]), dtype="float32")
        except (KeyError, soundfile.SoundFileError) as error:
            raise DataError(f"The sound of {self.name} cannot be read ({error}).") from error
        if rate != SAMPLE_RATE or len(waveform) != self.frames * HOP:
            raise DataError(f"The sound of {self.name} does not fit its index; prepare it again.")
        return np.asarray(waveform, np.float32)

    @cached_property
    def mel(self) -> Float32[np.ndarray, "mels mel_frames"]:
        """Log-mel frames of the whole sound."""
        with torch.no_grad():
            mel = _mel_spectrogram()(torch.from_numpy(self.waveform)[None])[0]
        return np.asarray(mel.numpy(), np.float32)

    @cached_property
    def durations(self) -> Int64[np.ndarray, " tokens"]:
        """Mel frames of every symbol; none without text."""
        if "durations.npy" not in self._members:
            return np.zeros(0, np.int64)
        return self._array("durations").astype(np.int64)

    def _array(self, part: str) -> np.ndarray:
        return np.load(io.BytesIO(self._members[f"{part}.npy"]), allow_pickle=False)


def talking(shards: Shards, frames: int) -> list[int]:
    """Return the numbers of the samples that have so many pictures.

    Raises:
        DataError: If there are none.
    """
    found = [
        number
        for number, entry in enumerate(shards.entries)
        if entry.get("pictures", 0) >= max(frames, 1)
    ]
    if not found:
        raise DataError(
            f"{shards.folder} holds no talking face of {frames} pictures; prepare a corpus of "
            "video with --faces."
        )
    return found


def draw_window(clip: TalkingClip, frames: int, generator: np.random.Generator) -> TalkingWindow:
    """Return a random window and a source picture; the same generator draws the same ones.

    Windows in which the face is always seen come first, and so do source pictures at least
    `SOURCE_DISTANCE` away from the window.

    Args:
        clip: The sample.
        frames: Pictures of the window.
        generator: Source of the choice.

    Raises:
        DataError: If the clip has fewer pictures.
    """
    if not 0 < frames <= len(clip):
        raise DataError(f"{clip.name} has {len(clip)} pictures, asked for {frames}.")
    total = np.cumsum(np.pad(clip.found.astype(int), (1, 0)))
    seen = total[frames:] - total[:-frames]
    start = int(generator.choice(np.flatnonzero(seen == seen.max())))
    return cut_window(clip, start, frames, _draw_source(clip, start, frames, generator))


def cut_window(clip: TalkingClip, start: int, frames: int, source: int) -> TalkingWindow:
    """Return the window that begins with a picture, with another picture as source.

    Args:
        clip: The sample.
        start: Counted from the first picture there is.
        frames: Pictures of the window.
        source: Counted likewise.

    Raises:
        DataError: If the clip has no such pictures.
    """
    rows = slice(start, start + frames)
    pictures = np.stack([clip.picture(number) for number in range(start, start + frames)])
    low = MEL_PER_PICTURE * (clip.first + start)
    high = low + MEL_PER_PICTURE * frames
    tokens, inside = _tokens_within(clip.durations, low, high)
    return TalkingWindow(
        name=clip.name,
        speaker=clip.speaker,
        first=clip.first + start,
        pictures=pictures,
        landmarks=clip.landmarks[rows],
        found=clip.found[rows],
        head_pose=clip.head_pose[rows],
        mouth=clip.mouth[rows],
        lip_gap=clip.lip_gap[rows],
        source=clip.picture(source),
        source_landmarks=clip.landmarks[source],
        source_number=clip.first + source,
        mel=clip.mel[:, low:high],
        symbols=_part(clip.said.get("symbols", ()), tokens),
        tags=_part(clip.said.get("tags", ()), tokens),
        durations=inside,
        first_token=tokens.start,
    )


def _draw_source(clip: TalkingClip, start: int, frames: int, generator: np.random.Generator) -> int:
    numbers = np.arange(len(clip))
    away = np.maximum(start - numbers, numbers - (start + frames - 1))
    able = clip.found & (away >= SOURCE_DISTANCE)
    if not able.any():
        farthest = away[clip.found].max(initial=0)
        able = clip.found & (away == farthest) if clip.found.any() else numbers >= 0
    return int(generator.choice(np.flatnonzero(able)))


def _tokens_within(
    durations: Int64[np.ndarray, " tokens"], low: int, high: int
) -> tuple[slice, Int64[np.ndarray, " inside"]]:
    """Return which symbols are heard from frame `low` to `high`, and for how long in there."""
    ends = np.cumsum(durations)
    starts = ends - durations
    inside = np.minimum(ends, high) - np.maximum(starts, low)
    rows = np.flatnonzero(inside > 0)
    if not len(rows):
        return slice(0, 0), np.zeros(0, np.int64)
    chosen = slice(int(rows[0]), int(rows[-1]) + 1)
    return chosen, inside[chosen].astype(np.int64)


def _part(values: Sequence[Any], chosen: slice) -> tuple[Any, ...]:
    return tuple(values[chosen])


@cache
def _mel_spectrogram() -> MelSpectrogram:
    return MelSpectrogram()
