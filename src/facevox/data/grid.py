"""The GRID corpus: short videos of one speaker with word times and face tracks.

Layout of a speaker's folder: `NAME.mp4` (25 fps, 75 frames) and `NAME.align`
(lines `start end word`, in samples at 25 kHz).

Reference:
    Cooke, Barker, Cunningham and Shao, An audio-visual corpus for speech
    perception and automatic speech recognition, JASA 2006.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import av
import av.error
import numpy as np
import soxr
from jaxtyping import Bool, Float32

from facevox.core.errors import DataError
from facevox.core.speech import Phone
from facevox.data.forced_alignment import SAMPLE_RATE, PhoneAligner

ALIGN_RATE = 25_000
"""Ticks per second of the word times."""

VIDEO_FPS = 25
SILENT_WORDS = ("sil", "sp")

_CODES: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(
        zip("z123456789", "zero one two three four five six seven eight nine".split(), strict=True)
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
"""The words behind the six characters of a clip's name."""

PRONUNCIATIONS = {"a": "EY", "with": "W IH DH", "again": "AH G EH N", "zero": "Z IH R OW"}
"""Words of the corpus that are said otherwise than dictionaries expect."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedWord:
    """One word and when it is heard [s]."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class GridClip:
    """One sentence of the corpus: where its video lies and its words with times."""

    name: str
    video: Path
    words: tuple[TimedWord, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceTrack:
    """Landmarks of every frame of a clip.

    Attributes:
        landmarks: x, y, z of the face mesh [px].
        found: Whether a face was found in the frame; where not, the landmarks mean nothing.
    """

    landmarks: Float32[np.ndarray, "frames 478 3"]
    found: Bool[np.ndarray, " frames"]


def read_words(path: Path) -> tuple[TimedWord, ...]:
    """Read an `.align` file.

    Raises:
        DataError: If a line is not `start end word` with rising times.
    """
    words = []
    for line in path.read_text("utf-8").splitlines():
        parts = line.split()
        try:
            start, end, text = int(parts[0]), int(parts[1]), parts[2]
        except (ValueError, IndexError):
            raise DataError(
                f"{path}: expected lines of start, end and word, got {line!r}."
            ) from None
        if end < start:
            raise DataError(f"{path}: the word {text!r} ends before it starts.")
        words.append(TimedWord(text=text, start=start / ALIGN_RATE, end=end / ALIGN_RATE))
    return tuple(words)


def sentence_of(name: str) -> tuple[str, ...]:
    """Return the six words that a clip's name stands for, such as `bbaf2n`.

    The corpus' own word times misspell a few words; the name never does.

    Raises:
        DataError: If the name is not of that form.
    """
    if len(name) != len(_CODES) or any(c not in code for c, code in zip(name, _CODES, strict=True)):
        raise DataError(f"{name!r} is not the name of a GRID clip, such as bbaf2n.")
    return tuple(code[letter] for code, letter in zip(_CODES, name, strict=True))


def list_clips(folder: Path) -> tuple[GridClip, ...]:
    """Return all clips of a speaker's folder, by name.

    Raises:
        DataError: If the folder holds no clip or a clip has no word times.
    """
    videos = sorted(folder.glob("*.mp4"))
    if not videos:
        raise DataError(f"There is no GRID clip (*.mp4) in {folder}.")
    clips = []
    for video in videos:
        align = video.with_suffix(".align")
        if not align.exists():
            raise DataError(f"{video} has no word times; expected {align.name} beside it.")
        spoken = iter(sentence_of(video.stem))
        words = tuple(
            word if word.text in SILENT_WORDS else replace(word, text=next(spoken, word.text))
            for word in read_words(align)
        )
        clips.append(GridClip(name=video.stem, video=video, words=words))
    return tuple(clips)


def hold_out(
    clips: tuple[GridClip, ...], num_test: int = 50
) -> tuple[tuple[GridClip, ...], tuple[GridClip, ...]]:
    """Split clips into training and test; the same names are always held out."""
    ranked = sorted(clips, key=lambda clip: hashlib.sha256(clip.name.encode()).digest())
    held = {clip.name for clip in ranked[:num_test]}
    return (
        tuple(clip for clip in clips if clip.name not in held),
        tuple(clip for clip in clips if clip.name in held),
    )


def read_track(path: Path) -> FaceTrack:
    """Read a stored track: an npz file with `landmarks` and `ok`.

    Raises:
        DataError: If the file is absent or holds other arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return FaceTrack(
                landmarks=arrays["landmarks"].astype(np.float32), found=arrays["ok"].astype(bool)
            )
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"Cannot read the face track {path}: {error}.") from error


def silent_frames(
    clip: GridClip, num_frames: int, margin: float = 0.2
) -> Bool[np.ndarray, " frames"]:
    """Return which video frames lie in silence, `margin` [s] away from every word."""
    times = np.arange(num_frames) / VIDEO_FPS
    silent = np.ones(num_frames, bool)
    for word in clip.words:
        if word.text not in SILENT_WORDS:
            silent &= (times < word.start - margin) | (times > word.end + margin)
    return silent


def read_sound(clip: GridClip, sample_rate: int) -> Float32[np.ndarray, " samples"]:
    """Return the clip's sound, mono in [-1, 1]; sample 0 is heard with frame 0.

    Raises:
        DataError: If the video has no readable sound.
    """
    try:
        with av.open(str(clip.video)) as container:
            stream = container.streams.audio[0]
            pieces = list(container.decode(stream))
            rate = stream.codec_context.sample_rate
    except (av.error.FFmpegError, IndexError, OSError) as error:
        raise DataError(f"Cannot read the sound of {clip.video}: {error}.") from error
    lead = np.zeros(round((pieces[0].time or 0.0) * rate), np.float32)
    mono = [piece.to_ndarray().mean(0) for piece in pieces]
    return soxr.resample(np.concatenate([lead, *mono]), rate, sample_rate).astype(np.float32)


def align_phones(clip: GridClip, aligner: PhoneAligner) -> tuple[Phone, ...]:
    """Return the clip's phones with times.

    Raises:
        DataError: If the words do not fit the sound.
    """
    spoken = [word.text for word in clip.words if word.text not in SILENT_WORDS]
    return aligner.align(read_sound(clip, SAMPLE_RATE), spoken)
