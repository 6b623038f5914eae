"""Mouth movements of GRID with the phones that go with them, ready for learning."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from facevox.core.errors import DataError
from facevox.core.motion import NUM_MOUTH
from facevox.core.speech import Phone
from facevox.data.forced_alignment import SAMPLE_RATE, PhoneAligner
from facevox.data.grid import (
    PRONUNCIATIONS,
    VIDEO_FPS,
    FaceTrack,
    GridClip,
    align_phones,
    read_sound,
    read_track,
    silent_frames,
)
from facevox.models.face import mouth_laws
from facevox.models.face.mouth_basis import (
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
    MouthBasis,
    register,
)
from facevox.models.face.phone_features import HOP_RATE, loudness

CLOSED_GAP = 0.02
"""Lips nearer than this are taken as closed [IOD]."""

MIN_REST_FRAMES = 5
_TONGUE_RAMP, _ROLL_RAMP = 0.05, 0.06
"""How gradually phones move tongue and lower lip [s], as in the motion model."""

_SECOND_SYLLABLE = ("again",)
_VOWELS = set("aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthClip:
    """One clip: what is said and how the mouth moves.

    Attributes:
        name: Name of the clip.
        phones: Phones with times [s].
        loudness: Loudness every 10 ms, 0 to 1.
        mouth: Coefficients of the mouth basis in every video frame.
        lip_gap: Opening between the inner lips in every video frame [IOD].
        found: Frames in which the face was found; the others mean nothing.
        fps: Video frames per second.
    """

    name: str
    phones: tuple[Phone, ...]
    loudness: Float32[np.ndarray, " hops"]
    mouth: Float32[np.ndarray, "frames 6"]
    lip_gap: Float32[np.ndarray, " frames"]
    found: Bool[np.ndarray, " frames"]
    fps: float = float(VIDEO_FPS)


def measure_mouth(
    clip: GridClip, track: FaceTrack, basis: MouthBasis
) -> tuple[Float32[np.ndarray, "frames 6"], Float32[np.ndarray, " frames"]]:
    """Return mouth coefficients and lip gap [IOD] of every frame, relative to the clip's rest.

    Raises:
        DataError: If the clip shows the lips at rest in too few frames.
    """
    rows = np.flatnonzero(track.found)
    faces = register(track.landmarks[rows].astype(np.float64), basis.neutral)
    gap = faces[:, LOWER_LIP_INNER, 1] - faces[:, UPPER_LIP_INNER, 1]
    resting = silent_frames(clip, len(track.found))[rows] & (gap < CLOSED_GAP)
    if resting.sum() < MIN_REST_FRAMES:
        raise DataError(f"{clip.name} shows the lips at rest in {resting.sum()} frames only.")
    rest = np.median(faces[resting], 0)
    mouth = np.zeros((len(track.found), NUM_MOUTH), np.float32)
    mouth[rows] = basis.project(faces, rest=rest)
    lip_gap = np.zeros(len(track.found), np.float32)
    lip_gap[rows] = gap - (rest[LOWER_LIP_INNER, 1] - rest[UPPER_LIP_INNER, 1])
    return mouth, lip_gap


def add_stress(phones: Sequence[Phone], words: Sequence[str]) -> tuple[Phone, ...]:
    """Mark the stressed vowel of each word; an unstressed /ah/ becomes /ax/."""
    marked = []
    vowels_seen: dict[int, int] = {}
    for phone in phones:
        if phone.name in _VOWELS and phone.word >= 0:
            count = vowels_seen[phone.word] = vowels_seen.get(phone.word, 0) + 1
            stressed = count == (2 if words[phone.word] in _SECOND_SYLLABLE else 1)
            name = "ax" if phone.name == "ah" and not stressed else phone.name
            phone = replace(phone, stress=int(stressed), name=name)
        marked.append(phone)
    return tuple(marked)


def read_mouth_clips(
    clips: Sequence[GridClip], tracks: Path, basis: MouthBasis
) -> tuple[list[MouthClip], list[str]]:
    """Measure and align all clips; return them with the reasons for those left out.

    Raises:
        DataError: If no clip can be used.
    """
    aligner = PhoneAligner(PRONUNCIATIONS)
    ready, left_out = [], []
    for clip in clips:
        spoken = sentence_words(clip)
        try:
            track = read_track(tracks / f"{clip.name}.npz")
            if track.found.mean() < 0.9:
                raise DataError(f"{clip.name} shows the face in {track.found.mean():.0%} only.")
            mouth, lip_gap = measure_mouth(clip, track, basis)
            phones = add_stress(align_phones(clip, aligner), spoken)
        except DataError as error:
            left_out.append(str(error))
            continue
        hops = np.arange(round(len(mouth) * HOP_RATE / VIDEO_FPS), dtype=np.float32) / HOP_RATE
        ready.append(
            MouthClip(
                name=clip.name,
                phones=phones,
                loudness=loudness(read_sound(clip, SAMPLE_RATE), SAMPLE_RATE, hops),
                mouth=mouth,
                lip_gap=lip_gap,
                found=track.found,
            )
        )
    if not ready:
        raise DataError(f"None of {len(clips)} clips can be used; the first: {left_out[:1]}.")
    return ready, left_out


def sentence_words(clip: GridClip) -> tuple[str, ...]:
    """Return the spoken words of a clip, without the silences."""
    return tuple(word.text for word in clip.words if word.text not in ("sil", "sp"))


def mouth_numbers(clip: MouthClip) -> Float32[np.ndarray, "frames 9"]:
    """Return the measured mouth, with tongue and lip roll by the laws of the motion model.

    They are the channels mouth (6), lip_gap, tongue and lip_roll of `core.motion.Motion`.
    """
    frame = 1 / clip.fps
    times = (np.arange(len(clip.mouth)) + 0.5) * frame
    closed = mouth_laws.closed(times, clip.phones, frame)
    free = np.minimum(mouth_laws.activity(times, clip.phones), 1) * (1 - closed)
    labiodental = dict.fromkeys(mouth_laws.LABIODENTAL, 1.0)
    tongue = mouth_laws.phone_level(times, clip.phones, mouth_laws.TONGUE, _TONGUE_RAMP)
    roll = mouth_laws.phone_level(times, clip.phones, labiodental, _ROLL_RAMP)
    columns = [clip.mouth, clip.lip_gap, tongue * free, roll * free]
    return np.column_stack(columns).astype(np.float32)
