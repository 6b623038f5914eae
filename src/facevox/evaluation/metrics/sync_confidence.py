"""LSE-C and LSE-D: how sure SyncNet is that lips and sound belong together.

Every window of five pictures is compared with the windows of sound up to 15 frames earlier
and later.  LSE-D is the mean distance at the best shift (lower is better), LSE-C how far
that lies below the median over all shifts (higher is better), and the best shift is the
offset of the clip.

Both are blind to an offset within 15 frames (0.6 s), which is why the offset stands beside
them.  They depend on the crop more than on most methods, so there are two protocols with two
names, never to be compared with each other.  Synthetic speech is cleaner than recorded
speech, so a system may score above recordings: look at both in one table.

Reference:
    Chung and Zisserman, Out of time, 2016 (confidence, distance, offset); Prajwal et al.,
    A lip sync expert is all you need, ACM MM 2020 (the names LSE-C and LSE-D).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, UInt8

from facevox.core.errors import InputError
from facevox.evaluation.judges.mfcc import SAMPLE_RATE, mfcc
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import (
    Estimate,
    Figure,
    Observation,
    Result,
    Seen,
    interval_over_people,
    mean_over_clips,
    share_of_clips,
)
from facevox.evaluation.signals.face_track import (
    SMALLEST_FACE,
    cut_face,
    face_boxes,
    longest_track,
    squeeze,
)

VSHIFT = 15
"""Largest shift that is tried [frames]."""

FEWEST_FRAMES = {"crop": 50, "whole-frame": 21}
"""Shortest clip that is scored [frames].

SyncNet's pipeline drops face tracks of up to 100 frames; LatentSync's, whose numbers are
compared most, drops those below 50, and so do we.  Wav2Lip's script for whole frames has no
limit; below 21 frames a shift of 15 would compare with nothing but padding.
"""

UNSURE = 1.0
"""Below this confidence nothing stands out, and the offset means little."""

_FPS = 25
_SAMPLES_PER_FRAME = SAMPLE_RATE // _FPS
_FRAMES_LOST = 5
_EPS = 1e-6

Frame224 = UInt8[np.ndarray, "224 224 3"]


@runtime_checkable
class SyncJudge(Protocol):
    """What is asked of a network: embeddings of windows, one per frame."""

    def embed_video(self, frames: Iterator[Frame224]) -> Float[np.ndarray, "n d"]:
        """Embed RGB frames i to i + 4, for every i."""
        ...

    def embed_audio(self, cepstra: Float[np.ndarray, "steps 13"]) -> Float[np.ndarray, "n d"]:
        """Embed steps 4 i to 4 i + 19, for every i."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LseScore:
    """What SyncNet says of one clip.

    Attributes:
        distance: LSE-D, the mean distance at the best shift.
        confidence: LSE-C, the median over shifts minus `distance`.
        offset: By how many frames the pictures are late; negative if they are early.
        curve: Mean distance at every shift, `offset` 15 first, -15 last.
    """

    distance: float
    confidence: float
    offset: int
    curve: Float64[np.ndarray, " shifts"]


def lse_from_embeddings(
    video: Float[np.ndarray, "n d"], audio: Float[np.ndarray, "m d"], vshift: int = VSHIFT
) -> LseScore:
    """Return distance, confidence and offset of a clip.

    Args:
        video: Embedding of frames i to i + 4, for every i.
        audio: Embedding of the sound of the same frames.  As published, zeros stand for
            sound before the first and after the last.
        vshift: Largest shift [frames].

    Raises:
        InputError: If there is no window.

    Reference:
        evaluate() of joonson/syncnet_python: offset = vshift - argmin(curve).  Picture i is
        compared with sound i + k - vshift, k being the index into the curve; if the least
        distance lies at an earlier sound, pictures are late and the offset is positive.
    """
    windows = min(len(video), len(audio))
    if windows < 1:
        raise InputError("There is no window of five frames and their sound to compare.")
    video, audio = (part[:windows].astype(np.float64) for part in (video, audio))
    padded = np.pad(audio, ((vshift, vshift), (0, 0)))
    curve = np.array(
        [
            np.linalg.norm(video - padded[k : k + windows] + _EPS, axis=1).mean()
            for k in range(2 * vshift + 1)
        ]
    )
    best = int(curve.argmin())
    return LseScore(
        distance=float(curve[best]),
        confidence=float(np.median(curve) - curve[best]),
        offset=vshift - best,
        curve=curve,
    )


def num_windows(frames: int, samples: int) -> int:
    """Return how many windows the published code compares.

    With m frames and their sound there are m - 4 windows of pictures, but m - 5 of sound,
    because the last rows of cepstra would need sound beyond the end.

    Args:
        frames: Pictures at 25 fps.
        samples: Sound at 16 kHz.
    """
    return max(min(frames, samples // _SAMPLES_PER_FRAME) - _FRAMES_LOST, 0)


class SyncConfidence:
    """LSE-C, LSE-D and offset under one of the two protocols.

    Args:
        protocol: `crop` follows the face and cuts it out as SyncNet's pipeline does;
            `whole-frame` squeezes every picture to 224x224, as Wav2Lip's script for LRS2
            does, whose videos are crops already.
    """

    version = 1
    judges: tuple[str, ...] = ("syncnet",)

    def __init__(self, protocol: Literal["crop", "whole-frame"] = "crop") -> None:
        self.protocol = protocol
        self.name = f"sync-{protocol}"
        self.uses_landmarks = protocol == "crop"
        self.figures: tuple[Figure, ...] = _figures(protocol)

    def observe(self, media: ClipMedia) -> Observation:
        """Return distance, confidence, offset and curve of one clip.

        Raises:
            FacevoxError: If it is too short, has no sound or no face large enough.
        """
        sound = media.waveform(SAMPLE_RATE)
        first, frames, count = self._frames(media, len(sound))
        sound = sound[first * _SAMPLES_PER_FRAME : (first + count) * _SAMPLES_PER_FRAME]
        windows = num_windows(count, len(sound))
        judge = media.judges.load("syncnet")
        video = judge.embed_video(frames)[:windows]
        score = lse_from_embeddings(video, judge.embed_audio(mfcc(sound))[:windows])
        return {
            "distance": np.array(score.distance),
            "confidence": np.array(score.confidence),
            "offset": np.array(float(score.offset)),
            "curve": score.curve,
            "windows": np.array(len(video)),
        }

    def _frames(self, media: ClipMedia, samples: int) -> tuple[int, Iterator[Frame224], int]:
        """Return the first frame of the track, its crops, and how many."""
        heard = samples // _SAMPLES_PER_FRAME
        if self.protocol == "whole-frame":
            count = len(_frames_at_25(media.num_frames, media.fps))
            self._check(media, min(count, heard))
            return 0, (squeeze(pixels) for pixels in media.frames(fps=_FPS)), count
        shown = _frames_at_25(len(media.landmarks), media.fps)
        first, boxes = longest_track(face_boxes(media.landmarks[shown]))
        self._check(media, min(len(boxes), heard - first))
        if 2 * boxes[:, 2].mean() < SMALLEST_FACE:
            raise InputError(
                f"The face in {media.clip.name} is {2 * boxes[:, 2].mean():.0f} px high; the "
                f"protocol scores faces of at least {SMALLEST_FACE} px."
            )
        if len(boxes) < len(shown):
            media.note(f"sync scored on {len(boxes)} of {len(shown)} frames, those with the face")
        return first, _crops(media, first, boxes), len(boxes)

    def _check(self, media: ClipMedia, frames: int) -> None:
        if frames < FEWEST_FRAMES[self.protocol]:
            what = "frames of one face" if self.protocol == "crop" else "frames"
            raise InputError(
                f"{media.clip.name} has {max(frames, 0)} {what} with sound at 25 fps; the "
                f"protocol {self.protocol} needs {FEWEST_FRAMES[self.protocol]}."
            )

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return means over clips, and the median offset."""
        offsets = np.array([float(item.observation["offset"]) for item in seen])
        low, high = interval_over_people(seen, lambda i: float(np.median(offsets[i])), seed=seed)
        unsure = sum(float(item.observation["confidence"]) < UNSURE for item in seen)
        offset = Estimate(
            value=float(np.median(offsets)),
            low=low,
            high=high,
            count=len(seen),
            note=f"{unsure} of {len(seen)} clips have LSE-C below {UNSURE:g}" if unsure else "",
        )
        results = (
            mean_over_clips(seen, "confidence", seed=seed),
            mean_over_clips(seen, "distance", seed=seed),
            offset,
            share_of_clips(seen, (np.abs(offsets) <= 1).astype(np.float64), seed=seed),
        )
        return {figure.name: result for figure, result in zip(self.figures, results, strict=True)}


def _frames_at_25(count: int, fps: Fraction) -> list[int]:
    """Return which of evenly spaced frames are shown at 25 fps, as `ClipMedia.frames` does."""
    step = fps / _FPS
    half = Fraction(1, 2)
    return [int((k + half) * step) for k in range(math.ceil(count / step - half))]


def _crops(media: ClipMedia, first: int, boxes: Float64[np.ndarray, "n 3"]) -> Iterator[Frame224]:
    for index, pixels in enumerate(media.frames(fps=_FPS)):
        if index >= first + len(boxes):
            return
        if index >= first:
            yield cut_face(pixels, boxes[index - first])


_SHARED = (
    "SyncNet syncnet_v2 of joonson/syncnet_python; 25 fps, 16 kHz, 13 MFCC, 31 shifts; no JPEG "
    "in between."
)
_CROP = (
    f"Face cut out as by its pipeline (margin 0.4, median of 13, 224 px) but with boxes from "
    f"landmarks instead of S3FD; longest track, at least {FEWEST_FRAMES['crop']} frames."
)
_WHOLE = (
    f"Whole picture squeezed to 224x224 as by Wav2Lip's script; at least "
    f"{FEWEST_FRAMES['whole-frame']} frames."
)


def _figures(protocol: str) -> tuple[Figure, ...]:
    how = f"{_SHARED} {_CROP if protocol == 'crop' else _WHOLE}"
    offset = f"Best shift of LSE-D, positive if pictures are late. {how}"
    return (
        Figure(name=f"LSE-C ({protocol})", unit="", better="higher", protocol=how),
        Figure(name=f"LSE-D ({protocol})", unit="", better="lower", protocol=how),
        Figure(
            name=f"AV offset ({protocol})",
            unit="frames",
            better="neither",
            protocol=f"Median over clips. {offset}",
            digits=0,
        ),
        Figure(
            name=f"AV offset within 1 frame ({protocol})",
            unit="%",
            better="higher",
            protocol=f"Share of clips whose offset is at most one frame. {offset}",
            digits=0,
        ),
    )
