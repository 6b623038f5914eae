"""A recording from which a voice is taken: is it usable speech of one person?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Float64

from facevox.core.errors import InputError
from facevox.core.voice import Voice
from facevox.core.waveform import active_level, normalise_level, read_waveform
from facevox.models.speech.kaldi_fbank import SAMPLE_RATE
from facevox.models.speech.pitch_track import pitch_track
from facevox.models.speech.speaker_encoder import SpeakerEncoder
from facevox.models.speech.speech_statistics import without_pauses

SHORTEST, LONGEST = 2.0, 60.0
"""Least speech that is needed, and how much of a long recording is used [s]."""

ENGINE = "matcha"

F0_LIMITS = (70.0, 330.0)
"""Mean fundamental frequencies that the neural voice can have [Hz]."""

SILENT, QUIET = -60.0, -45.0
"""Levels of active sound that are refused and warned of [dB]."""

LEAST_VOICED, LEAST_SWING, MOST_STEADY = 0.1, 2.0, 0.4
"""Limits of speech: share of voiced frames, spread of the level [dB], share of held notes."""

NOISY = 12.0
"""Distance of the quietest from the active parts below which noise is warned of [dB]."""

CLIPPED, RUINED = 0.001, 0.03
"""Shares of samples at the ceiling that are warned of and refused."""

_FRAME = 160
_HELD_FRAMES, _HELD_OCTAVES = 12, 0.006
_TONAL = 0.03
_CEILING, _SHORTEST_CLIP = 0.998, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A checked recording of a voice.

    Attributes:
        waveform: The speech at 16 kHz and the usual level.
        f0_mean: Median fundamental frequency [Hz].
        warnings: What may spoil the voice, a sentence each.
    """

    waveform: Float32[np.ndarray, " samples"]
    f0_mean: float
    warnings: tuple[str, ...] = ()


def read_reference(path: str | Path) -> Reference:
    """Read a recording from which a voice is to be taken.

    Raises:
        MediaError: If the file cannot be read.
        InputError: If it is silent, too short, distorted, or not the voice of a person.
    """
    waveform, _ = read_waveform(path, SAMPLE_RATE)
    return check_reference(waveform, str(path))


def check_reference(
    waveform: Float32[np.ndarray, " samples"], origin: str = "The recording"
) -> Reference:
    """Return a usable recording.

    Args:
        waveform: Mono at 16 kHz.
        origin: What messages call it.

    Raises:
        InputError: If it is silent, too short, distorted, or not the voice of a person.
    """
    waveform = waveform[: int(LONGEST * SAMPLE_RATE)]
    level = active_level(waveform, SAMPLE_RATE)
    if level < SILENT:
        raise InputError(f"{origin} is silent; a recording of a person who speaks is needed.")
    clipped = clipped_share(waveform)
    if clipped > RUINED:
        raise InputError(
            f"{origin} is distorted: {100 * clipped:.0f} % of it is cut off at the loudest "
            "level; record it again, less loud."
        )
    warnings = []
    if clipped > CLIPPED:
        warnings.append(f"{origin} is cut off at its loudest places; the voice may sound rough.")
    if level < QUIET:
        warnings.append(f"{origin} is very quiet ({level:.0f} dB); the voice may sound noisy.")
    sound = normalise_level(waveform, SAMPLE_RATE)
    speech = without_pauses(sound)
    seconds = len(speech) / SAMPLE_RATE
    if seconds < SHORTEST:
        raise InputError(
            f"{origin} holds {seconds:.1f} s of sound besides pauses; at least {SHORTEST:g} s "
            "of speech are needed, 10 s are good."
        )
    voiced = _check_speech(speech, origin)
    if (distance := _noise_distance(sound)) < NOISY:
        warnings.append(
            f"{origin} is noisy (the pauses are {distance:.0f} dB below the speech); the voice "
            "may sound rough."
        )
    f0_mean = float(np.median(voiced))
    return Reference(waveform=sound, f0_mean=f0_mean, warnings=tuple(warnings))


def voice_of(reference: Reference, encoder: SpeakerEncoder, origin: str) -> Voice:
    """Return the neural voice that sounds like a recording.

    Args:
        reference: The recording.
        encoder: Tells who speaks.
        origin: Where the recording came from, in words.
    """
    return Voice(
        engine=ENGINE,
        base="",
        f0_mean=round(float(np.clip(reference.f0_mean, *F0_LIMITS)), 2),
        vocal_tract=1.0,
        origin=origin,
    ).with_embedding(encoder.embed(reference.waveform))


def clipped_share(waveform: Float32[np.ndarray, " samples"]) -> float:
    """Return the share of samples that lie in a row at the highest level."""
    if not len(waveform):
        return 0.0
    peak = float(np.abs(waveform).max())
    high = np.abs(waveform) >= _CEILING * peak
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(int)))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= _SHORTEST_CLIP].sum() / len(waveform))


def _check_speech(speech: Float32[np.ndarray, " samples"], origin: str) -> np.ndarray:
    """Return the F0 of the voiced frames [Hz], or raise if this is no person's voice."""
    f0 = pitch_track(speech, SAMPLE_RATE, len(speech) // _FRAME)
    voiced = f0 > 0
    levels = _levels(speech)
    swing = float(levels[levels > levels.max() - 40].std())
    tonal = spectral_flatness(speech) < _TONAL
    if swing < LEAST_SWING or voiced.mean() < LEAST_VOICED:
        kind = "music or a tone" if tonal else "noise"
        raise InputError(f"{origin} sounds like {kind}, not like speech; use a clean recording.")
    if held_notes(f0).sum() > MOST_STEADY * voiced.sum():
        raise InputError(
            f"{origin} sounds like music: its pitch stands still; use a recording of speech."
        )
    return f0[voiced]


def held_notes(f0: Float32[np.ndarray, " frames"]) -> Bool[np.ndarray, " frames"]:
    """Return the voiced frames around which the pitch stands still for 0.12 s."""
    octaves = np.where(f0 > 0, np.log2(np.maximum(f0, 1.0)), np.nan)
    held = np.zeros(len(f0), bool)
    if len(f0) < _HELD_FRAMES:
        return held
    windows = np.lib.stride_tricks.sliding_window_view(octaves, _HELD_FRAMES)
    # a frame without pitch makes the range not a number, which is not small
    steady = windows.max(1) - windows.min(1) < _HELD_OCTAVES
    for start in np.flatnonzero(steady):
        held[start : start + _HELD_FRAMES] = True
    return held


def spectral_flatness(waveform: Float32[np.ndarray, " samples"]) -> float:
    """Return geometric over arithmetic mean of the power from 100 Hz to 4 kHz, by median."""
    size = 1024
    count = len(waveform) // size
    frames = waveform[: count * size].astype(np.float64).reshape(count, size)
    power = np.abs(np.fft.rfft(frames * np.hanning(size)))[:, 6:256] ** 2 + 1e-12
    return float(np.median(np.exp(np.log(power).mean(1)) / power.mean(1)))


def _noise_distance(sound: Float32[np.ndarray, " samples"]) -> float:
    return active_level(sound, SAMPLE_RATE) - float(np.percentile(_levels(sound), 3))


def _levels(sound: Float32[np.ndarray, " samples"]) -> Float64[np.ndarray, " windows"]:
    """Return the level of every 20 ms [dB]."""
    count = len(sound) // (2 * _FRAME)
    parts = sound[: count * 2 * _FRAME].astype(np.float64).reshape(count, 2 * _FRAME)
    return 10 * np.log10(np.mean(parts**2, axis=1) + 1e-12)
