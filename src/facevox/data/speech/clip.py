"""One utterance -> one checked sample, or why not.

`prepare_clip` depends on nothing but its arguments: in this process, in others or on another
machine it returns the same bytes.
"""

import hashlib
import io
import json
import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import DataError, InputError, MediaError
from facevox.core.waveform import SPEECH_LEVEL, normalise_level
from facevox.data.speech.alignment import align_words
from facevox.data.speech.checks import (
    check_alignment,
    fault_of_sound,
    fault_of_voice,
    measure_sound,
)
from facevox.data.speech.edges import cut_frames, speech_span
from facevox.data.speech.face_frames import face_frames
from facevox.data.speech.recognition import recognise
from facevox.data.speech.settings import HOP, SAMPLE_RATE, PrepareSettings
from facevox.data.speech.sound import read_sound
from facevox.data.speech.tokens import Tokens, make_tokens
from facevox.data.speech.transcript import Transcript, read_transcript
from facevox.data.speech.utterance import Utterance
from facevox.data.talking.checks import UnusableFace
from facevox.data.talking.film import Film, Take, film_face, to_npy
from facevox.data.talking.pictures import CLOCK, MEL_PER_PICTURE, SAMPLES_PER_PICTURE
from facevox.data.talking.sound_lag import phones_of_tokens
from facevox.models.speech.pitch_track import pitch_track

if TYPE_CHECKING:
    from facevox.models.speech.speaker_encoder import SpeakerEncoder

_MARGIN = 25
"""Frames of silence that are added at both ends before aligning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A sample as it goes into a shard.

    Attributes:
        name: Name of the utterance.
        entry: What the index of the shard says of it.
        members: Files by suffix.
        kept_without_text: Why its text is not used: reason and detail; None if it is, or if
            there is none.
    """

    name: str
    entry: dict[str, Any]
    members: dict[str, bytes]
    kept_without_text: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """An utterance that is not used.

    Attributes:
        name: Name of the utterance.
        reason: A few words, alike for all of a kind.
        detail: What was found.
    """

    name: str
    reason: str
    detail: str


class _Unusable(Exception):
    """Reason and detail of an utterance that is not used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """What is known of the words: none, or tokens with transcript."""

    first: int
    last: int
    text: str | None = None
    transcript: Transcript | None = None
    tokens: Tokens | None = None
    fit: float = 0.0
    refused: tuple[str, str] | None = None


def prepare_clip(utterance: Utterance, settings: PrepareSettings) -> Prepared | Dropped:
    """Read, check, cut, level, align and encode one utterance."""
    try:
        return _prepare(utterance, settings)
    except (_Unusable, UnusableFace) as fault:
        reason, detail = fault.args
    except MediaError as error:
        reason, detail = "unreadable", str(error)
    return Dropped(name=utterance.name, reason=reason, detail=detail)


def _prepare(utterance: Utterance, settings: PrepareSettings) -> Prepared:
    generator = _generator(utterance, settings)
    if settings.faces:
        utterance = _on_pictures(utterance)
    waveform = read_sound(utterance.sound, utterance.span)
    seconds = len(waveform) / SAMPLE_RATE
    if seconds < settings.shortest:
        raise _Unusable("too short", f"{seconds:.2f} s")
    if seconds > 3 * settings.longest:
        raise _Unusable("too long", f"{seconds:.1f} s")
    facts = measure_sound(waveform)
    if fault := fault_of_sound(facts, settings):
        raise _Unusable(*fault)
    waveform = normalise_level(waveform, SAMPLE_RATE, SPEECH_LEVEL)
    # silence at both ends lets the aligner find where the first and the last phone stop
    waveform = cut_frames(waveform, -_MARGIN, len(waveform) // HOP + _MARGIN, generator)
    reading = _read_words(waveform, utterance, settings)
    waveform = cut_frames(waveform, reading.first, reading.last, generator)
    frames = len(waveform) // HOP
    _check_length(frames, settings)
    f0 = pitch_track(waveform, SAMPLE_RATE, frames)
    edge = _edge(settings)
    other = fault_of_voice(f0[edge : frames - edge], facts.change)
    if other is not None and reading.tokens is None:
        raise _Unusable("no speech", other)
    members = _encode(waveform, f0, reading.tokens) | _speaker(waveform, settings)
    film = _film(utterance, reading, waveform, settings, generator)
    members |= film.members
    description = _describe(utterance, reading, f0) | {
        **film.description,
        "source_level": round(facts.level, 2),
        "snr": round(facts.snr, 2),
        "bandwidth": round(facts.bandwidth),
        "frames": frames,
    }
    members["json"] = json.dumps(description, ensure_ascii=False).encode()
    entry = {
        "name": utterance.name,
        "speaker": utterance.speaker,
        "corpus": utterance.corpus,
        "language": utterance.language,
        "frames": frames,
        "tokens": len(reading.tokens.symbols) if reading.tokens else 0,
        "snr": round(facts.snr, 1),
        "digest": hashlib.sha256(members["flac"]).hexdigest()[:16],
        **film.entry,
    }
    return Prepared(
        name=utterance.name, entry=entry, members=members, kept_without_text=reading.refused
    )


def _generator(utterance: Utterance, settings: PrepareSettings) -> np.random.Generator:
    stamp = hashlib.sha256(f"{settings.seed}/{utterance.corpus}/{utterance.name}".encode())
    return np.random.default_rng(list(stamp.digest()[:8]))


def _on_pictures(utterance: Utterance) -> Utterance:
    """Return the utterance, its part of the video beginning with a picture."""
    if utterance.video is None:
        raise _Unusable("no video", "the corpus shows no face with it")
    if utterance.span is None:
        return utterance
    first = math.floor(max(0.0, utterance.span[0]) * CLOCK.fps)
    return replace(utterance, span=(CLOCK.frame_time(first), utterance.span[1]))


def _edge(settings: PrepareSettings) -> int:
    return round(settings.edge * SAMPLE_RATE / HOP)


def _with_edges(first: int, last: int, settings: PrepareSettings) -> tuple[int, int]:
    """Return speech with silence around; with a face it begins and ends with a picture."""
    edge = _edge(settings)
    first, last = first - edge, last + edge
    if settings.faces:
        first -= (first - _MARGIN) % MEL_PER_PICTURE
        last += (first - last) % MEL_PER_PICTURE
    return first, last


def _read_words(
    waveform: Float32[np.ndarray, " samples"], utterance: Utterance, settings: PrepareSettings
) -> _Reading:
    """Align the text if there is one and it fits, else find the speech by its level."""
    refused = None
    text = utterance.text
    if text is None and settings.transcribe is not None and utterance.language == "en":
        heard = recognise(waveform)
        text = heard.text if heard.confidence >= settings.transcribe else None
        if text is None:
            refused = ("not sure what is said", f"confidence {heard.confidence:.2f}")
    if text is not None:
        try:
            transcript = read_transcript(text, utterance.language, utterance.pronunciations)
        except DataError as error:
            refused = ("text cannot be read", str(error))
        else:
            try:
                return _aligned(waveform, text, transcript, settings)
            except DataError as error:
                refused = ("text does not fit", str(error))
    if settings.need_text:
        raise _Unusable(*(refused or ("no text", "the corpus does not say what is said")))
    first, last = speech_span(waveform)
    if last <= first:
        raise _Unusable("no speech", "no stretch is louder than the rest")
    first, last = _with_edges(first, last, settings)
    return _Reading(first=first, last=last, refused=refused)


def _aligned(
    waveform: Float32[np.ndarray, " samples"],
    text: str,
    transcript: Transcript,
    settings: PrepareSettings,
) -> _Reading:
    segments = align_words(waveform, transcript.words)
    spoken = [segment for segment in segments if segment.word >= 0]
    fit = check_alignment(spoken, settings)
    first, last = _with_edges(spoken[0].start, spoken[-1].end, settings)
    tokens = make_tokens(spoken, transcript, first, last)
    return _Reading(
        first=first, last=last, text=text, transcript=transcript, tokens=tokens, fit=fit
    )


def _check_length(frames: int, settings: PrepareSettings) -> None:
    seconds = frames * HOP / SAMPLE_RATE
    speech = seconds - 2 * settings.edge
    if speech < settings.shortest:
        raise _Unusable("too short", f"{speech:.2f} s of speech")
    if seconds > settings.longest:
        raise _Unusable("too long", f"{seconds:.1f} s")


def _encode(
    waveform: Float32[np.ndarray, " samples"],
    f0: Float32[np.ndarray, " frames"],
    tokens: Tokens | None,
) -> dict[str, bytes]:
    import soundfile

    flac = io.BytesIO()
    soundfile.write(flac, waveform, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    members = {"flac": flac.getvalue(), "f0.npy": to_npy(f0)}
    if tokens is not None:
        members["durations.npy"] = to_npy(np.array(tokens.durations, np.int32))
    return members


def _speaker(
    waveform: Float32[np.ndarray, " samples"], settings: PrepareSettings
) -> dict[str, bytes]:
    if settings.speaker_encoder is None:
        return {}
    try:
        return {"speaker.npy": to_npy(_encoder(settings.speaker_encoder).embed(waveform))}
    except InputError as error:
        raise _Unusable("too short", str(error)) from error


@lru_cache(maxsize=1)
def _encoder(path: str) -> "SpeakerEncoder":
    from facevox.models.speech.speaker_encoder import SpeakerEncoder

    return SpeakerEncoder.load(Path(path))


def _film(
    utterance: Utterance,
    reading: _Reading,
    waveform: Float32[np.ndarray, " samples"],
    settings: PrepareSettings,
    generator: np.random.Generator,
) -> Film:
    """Return the face: followed through all pictures, or a few stills, or nothing."""
    if settings.faces:
        assert utterance.video is not None
        begin = round((utterance.span or (0.0,))[0] * float(CLOCK.fps))
        take = Take(
            video=utterance.video,
            start=begin + (reading.first - _MARGIN) // MEL_PER_PICTURE,
            count=len(waveform) // SAMPLES_PER_PICTURE,
            waveform=waveform,
            phones=phones_of_tokens(reading.tokens) if reading.tokens else (),
        )
        return film_face(take, settings, generator)
    stills: list[tuple[int, bytes]] = []
    if utterance.video is not None and settings.face_frames:
        stills = face_frames(
            utterance.video, settings.face_frames, settings.face_size, generator, utterance.span
        )
    return Film(
        members={f"face{number}.jpg": jpeg for number, (_, jpeg) in enumerate(stills)},
        entry={"faces": len(stills)},
        description={"face_frames": [number for number, _ in stills]},
    )


def _describe(
    utterance: Utterance, reading: _Reading, f0: Float32[np.ndarray, " frames"]
) -> dict[str, Any]:
    voiced = f0[f0 > 0]
    described: dict[str, Any] = {
        "name": utterance.name,
        "speaker": utterance.speaker,
        "corpus": utterance.corpus,
        "language": utterance.language,
        "text": reading.text or utterance.text,
        "median_f0": round(float(np.median(voiced)), 2) if len(voiced) else 0.0,
    }
    if reading.tokens is not None and reading.transcript is not None:
        described |= {
            "words": [word.text for word in reading.transcript.words],
            "symbols": list(reading.tokens.symbols),
            "tags": list(reading.tokens.tags),
            "token_words": list(reading.tokens.words),
            "fit": round(reading.fit, 2),
        }
    return described
