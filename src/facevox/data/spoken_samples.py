"""Samples of prepared speech as arrays: sound, melody, symbols and who speaks."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import DataError
from facevox.data.resized_speaker import AlignedSpeech
from facevox.data.shards import Shards
from facevox.data.speech.settings import HOP, SAMPLE_RATE


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenSample:
    """One transcribed recording.

    Attributes:
        name: Its name.
        speaker: Who speaks.
        corpus: Where it is from.
        speech: Sound, melody and durations.
        symbols: Phones with stress, and pauses.
        tags: Kind of each symbol.
        speaker_embedding: As prepared; None without.
        faces: JPEG files of the speaker's face; empty without video.
    """

    name: str
    speaker: str
    corpus: str
    speech: AlignedSpeech
    symbols: tuple[str, ...]
    tags: tuple[int, ...]
    speaker_embedding: Float32[np.ndarray, " dim"] | None
    faces: tuple[bytes, ...]


def transcribed(shards: Shards) -> list[int]:
    """Return the numbers of the samples that have symbols.

    Raises:
        DataError: If there are none.
    """
    found = [number for number, entry in enumerate(shards.entries) if entry["tokens"] > 0]
    if not found:
        raise DataError(
            f"{shards.folder} holds no transcribed speech; prepare a corpus that has texts."
        )
    return found


def read_spoken(members: Mapping[str, bytes], name: str) -> SpokenSample:
    """Return a transcribed sample of a shard.

    Raises:
        DataError: If a part is missing or parts do not fit each other.
    """
    import soundfile

    try:
        waveform, rate = soundfile.read(io.BytesIO(members["flac"]), dtype="float32")
        f0, durations = _array(members["f0.npy"]), _array(members["durations.npy"])
        said = json.loads(members["json"])
        symbols, tags = tuple(said["symbols"]), tuple(said["tags"])
        speaker, corpus = said["speaker"], said["corpus"]
    except (KeyError, ValueError, TypeError, OSError, soundfile.SoundFileError) as error:
        raise DataError(f"The sample {name} cannot be read ({error}); prepare it again.") from error
    fits = len(symbols) == len(tags) == len(durations) and rate == SAMPLE_RATE
    if not fits or not len(f0) == durations.sum() == len(waveform) // HOP:
        raise DataError(
            f"The parts of the sample {name} do not fit: {len(symbols)} symbols, "
            f"{len(durations)} durations of {durations.sum()} frames, {len(f0)} values of F0, "
            f"{len(waveform)} samples at {rate} Hz; prepare it again."
        )
    speech = AlignedSpeech(
        waveform=waveform[: len(f0) * HOP], f0=f0, durations=durations.astype(np.int64)
    )
    return SpokenSample(
        name=name,
        speaker=speaker,
        corpus=corpus,
        speech=speech,
        symbols=symbols,
        tags=tags,
        speaker_embedding=_array(members["speaker.npy"]) if "speaker.npy" in members else None,
        faces=tuple(members[key] for key in sorted(members) if key.startswith("face")),
    )


def _array(content: bytes) -> np.ndarray:
    return np.load(io.BytesIO(content), allow_pickle=False)
