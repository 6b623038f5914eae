"""The face of one recording -> pictures and tracks for its sample, or why not.

Depends on nothing but its arguments, as `data.speech.clip` does, which calls it.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.portrait.head_pose import estimate_head_poses
from facevox.core.speech import SILENCE, Phone
from facevox.data.speech.settings import PrepareSettings
from facevox.data.talking.checks import (
    UnusableFace,
    check_cuts,
    check_found,
    check_frozen,
    check_light,
    check_place,
    check_rivals,
)
from facevox.data.talking.face_path import (
    FacePath,
    bridge,
    follow_face,
    held_share,
    outside_share,
    squares_around,
)
from facevox.data.talking.mouth import measure_mouth
from facevox.data.talking.picture_sequence import encode_picture, encode_pictures
from facevox.data.talking.pictures import CLOCK, read_pictures
from facevox.data.talking.sound_lag import SoundLag, measure_lag

MOST_MISSING = 0.3
"""Share of the sound that may be without pictures, as when the video ends before it."""

_LEAST_HELD = 0.9
_PREVIEW = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Film:
    """What a sample gets of its video.

    Attributes:
        members: Files by suffix.
        entry: What the index says of them.
        description: What `json` says of them.
    """

    members: dict[str, bytes]
    entry: dict[str, Any]
    description: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Take:
    """Which pictures belong to a sample, and what is heard with them.

    Attributes:
        video: The file.
        start: Picture of the video at which the sound of the sample begins; negative if the
            sound begins before.
        count: Pictures that the sound lasts.
        waveform: Its sound at 16 kHz.
        phones: What is said, with times in it [s]; empty if not known.
    """

    video: Path
    start: int
    count: int
    waveform: Float32[np.ndarray, " samples"]
    phones: Sequence[Phone] = ()

    @property
    def first(self) -> int:
        """Picture of the sample's timeline that is the first there is."""
        return max(0, -self.start)

    def pictures(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Yield those that the video has.

        Raises:
            MediaError: If they cannot be read.
        """
        return read_pictures(self.video, max(0, self.start), self.start + self.count)

    def silent(self, frames: int) -> Bool[np.ndarray, " frames"]:
        """Return in which of the pictures nothing is said; none if that is not known."""
        times = (self.first + np.arange(frames) + 0.5) / float(CLOCK.fps)
        quiet = np.full(frames, bool(self.phones))
        for phone in self.phones:
            if phone.name != SILENCE:
                quiet &= (times < phone.start) | (times >= phone.end)
        return quiet


def film_face(take: Take, settings: PrepareSettings, generator: np.random.Generator) -> Film:
    """Follow, check, cut and measure the face of a sample.

    Args:
        take: The pictures and their sound.
        settings: What is asked of them.
        generator: Chooses the still pictures.

    Raises:
        UnusableFace: If they are not good enough.
        MediaError: If they cannot be read.
    """
    path = follow_face(take.pictures())
    frames = len(path.landmarks)
    if frames < (1 - MOST_MISSING) * take.count:
        raise UnusableFace("no pictures", f"{frames} of {take.count} pictures are there")
    check_found(path.found, settings)
    check_rivals(path.looks, path.landmarks)
    iod = check_place(path.landmarks[path.found], settings)
    check_cuts(path.landmarks, path.changes, iod)
    lag = measure_lag(path.landmarks, take.waveform, take.phones, take.first)
    if lag.sure and abs(lag.frames) > settings.most_lag:
        when = "late" if lag.frames > 0 else "early"
        raise UnusableFace(
            "out of sync", f"the lips are {abs(lag.frames):.1f} frames {when} (fit {lag.fit:.2f})"
        )
    landmarks = bridge(path.landmarks)
    squares = squares_around(landmarks)
    if held_share(squares, landmarks) < _LEAST_HELD:
        raise UnusableFace("restless", "the face leaves a square that moves slowly")
    pictures = _cut(take, squares, settings)
    _check_pictures(pictures, squares, landmarks, settings)
    return _pack(take, path, squares, pictures, lag, iod, settings, generator)


def _cut(
    take: Take, squares: list[FaceCrop], settings: PrepareSettings
) -> list[UInt8[np.ndarray, "side side 3"]]:
    cut, beyond = [], 1.0
    side = settings.picture_size
    for number, (pixels, square) in enumerate(zip(take.pictures(), squares, strict=True)):
        if not number:
            beyond = outside_share(squares, *pixels.shape[:2])
            if beyond > settings.most_outside:
                raise UnusableFace("cut off", f"{beyond:.0%} of the square is beyond the picture")
        cut.append(np.round(255 * square.cut(pixels, side)).astype(np.uint8))
    return cut


def _check_pictures(
    pictures: list[UInt8[np.ndarray, "side side 3"]],
    squares: list[FaceCrop],
    landmarks: Float32[np.ndarray, "frames 478 3"],
    settings: PrepareSettings,
) -> None:
    light, changes, before = [], [], None
    for pixels, square, points in zip(pictures, squares, landmarks, strict=True):
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        flat = square.to_square(points, settings.picture_size)[:, :2]
        low = np.clip(flat.min(0), 0, len(grey) - 2).astype(int)
        high = np.maximum(np.clip(flat.max(0), 1, len(grey)).astype(int), low + 1)
        light.append(float(grey[low[1] : high[1], low[0] : high[0]].mean()))
        small = cv2.resize(grey, (_PREVIEW, _PREVIEW), interpolation=cv2.INTER_AREA)
        small = small.astype(np.float32)
        changes.append(0.0 if before is None else float(np.abs(small - before).mean()))
        before = small
    check_light(np.array(light), settings)
    check_frozen(np.array(changes))


def _pack(
    take: Take,
    path: FacePath,
    squares: list[FaceCrop],
    pictures: list[UInt8[np.ndarray, "side side 3"]],
    lag: SoundLag,
    iod: float,
    settings: PrepareSettings,
    generator: np.random.Generator,
) -> Film:
    photo, found = bridge(path.landmarks), path.found
    side, frames = settings.picture_size, len(photo)
    points = [square.to_square(one, side) for square, one in zip(squares, photo, strict=True)]
    landmarks = np.stack(points)
    mouth, lip_gap = measure_mouth(photo, found, take.silent(frames))
    content, borders = encode_pictures(pictures, settings.picture_quality)
    stills = generator.choice(frames, min(settings.face_frames, frames), replace=False)
    shown = sorted(int(number) for number in stills)
    members = {
        "pictures.jpgs": content,
        "pictures.npy": to_npy(borders),
        "landmarks.npy": to_npy(landmarks.astype(np.float16)),
        "found.npy": to_npy(found),
        "pose.npy": to_npy(estimate_head_poses(landmarks).astype(np.float32)),
        "mouth.npy": to_npy(mouth),
        "lip_gap.npy": to_npy(lip_gap),
        "squares.npy": to_npy(
            np.array([[*one.center, one.size, one.angle] for one in squares], np.float32)
        ),
    }
    for place, number in enumerate(shown):
        members[f"face{place}.jpg"] = encode_picture(pictures[number], settings.picture_quality)
    late = round(lag.frames, 2) if np.isfinite(lag.frames) else None
    entry = {
        "pictures": frames,
        "first_picture": take.first,
        "faces": len(shown),
        "iod": round(iod, 1),
        "lag": late,
        "lag_sure": lag.sure,
        "sync_fit": round(lag.fit, 3),
    }
    described = {**entry, "picture_size": side, "video_start": take.start, "face_frames": shown}
    del described["faces"]
    described["square_moves"] = any(square is not squares[0] for square in squares)
    return Film(members=members, entry=entry, description=described)


def to_npy(array: np.ndarray) -> bytes:
    """Return an array as a `.npy` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
