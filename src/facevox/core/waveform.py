"""Sound as arrays: reading, writing, resampling and level.

Waveforms are mono, float32, in [-1, 1].  Levels are in dB relative to a full-scale
square wave, so that a full-scale sine has an RMS of -3.01 dB.
"""

from pathlib import Path

import numpy as np
import soxr
from jaxtyping import Float32

from facevox.core.errors import ConfigError, MediaError
from facevox.core.files import temporary_twin

Waveform = Float32[np.ndarray, " samples"]

_Resampled = Float32[np.ndarray, " resampled"]

SPEECH_LEVEL = -23.0
"""RMS of active speech that every engine aims at [dB]."""

_LEVEL_WINDOW = 0.02
_ACTIVE_BELOW_LOUDEST = 25.0
_SILENCE = 1e-5
_SHELF_CORNER, _SHELF_REFERENCE = 1500.0, 4000.0
_SHELF_TAIL = 4096  # samples, far longer than the shelf rings


def read_waveform(path: str | Path, sample_rate: int | None = None) -> tuple[Waveform, int]:
    """Read a sound file as mono.

    Args:
        path: WAV, FLAC, OGG or MP3.
        sample_rate: Resample to this rate [Hz]; None keeps the file's own.

    Returns:
        The waveform and its sample rate [Hz].

    Raises:
        MediaError: If the file is absent, is not a sound file, or holds no sound.
    """
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise MediaError(f"There is no sound file {path}.")
    try:
        channels, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise MediaError(
            f"{path} is not a sound file that can be read (WAV, FLAC, OGG or MP3 expected)."
        ) from error
    if not len(channels):
        raise MediaError(f"{path} holds no sound.")
    waveform = np.nan_to_num(channels.mean(axis=1, dtype=np.float32))
    if sample_rate is None:
        return waveform, rate
    return resample(waveform, rate, sample_rate), sample_rate


def write_waveform(path: str | Path, waveform: Waveform, sample_rate: int) -> Path:
    """Write a 16-bit WAV or FLAC file (by its suffix), whole or not at all.

    Samples outside [-1, 1] are clipped.

    Raises:
        MediaError: If the file cannot be written or the suffix is unknown.
    """
    import soundfile

    path = Path(path)
    if path.suffix.lower() not in (".wav", ".flac"):
        raise MediaError(f"Sound is written as .wav or .flac, got {path.name!r}.")
    with temporary_twin(path) as twin:
        try:
            soundfile.write(twin, np.clip(waveform, -1.0, 1.0), sample_rate, subtype="PCM_16")
        except soundfile.SoundFileError as error:
            raise MediaError(f"Cannot write {path}: {error}") from error
    return path


def resample(waveform: Waveform, from_rate: int | float, to_rate: int | float) -> _Resampled:
    """Convert the sample rate with soxr's high-quality filter.

    Rates need not be whole numbers: a voice is made larger or smaller by
    claiming another `from_rate`.

    Raises:
        ConfigError: If a rate is not positive.
    """
    if not (from_rate > 0 and to_rate > 0):
        raise ConfigError(f"Sample rates must be positive, got {from_rate:g} and {to_rate:g}.")
    if from_rate == to_rate or not len(waveform):
        return waveform
    return soxr.resample(waveform, from_rate, to_rate, quality="HQ").astype(np.float32)


def active_level(waveform: Waveform, sample_rate: int) -> float:
    """Return the RMS of the parts that hold speech [dB], -inf for silence.

    Windows of 20 ms count that are at most 25 dB below the loudest one, so that
    pauses do not make a sentence louder.
    """
    window = max(1, round(_LEVEL_WINDOW * sample_rate))
    padded = np.pad(waveform.astype(np.float64), (0, -len(waveform) % window))
    power = np.mean(padded.reshape(-1, window) ** 2, axis=1)
    if not len(power) or power.max() < _SILENCE**2:
        return float("-inf")
    active = power[power >= power.max() * 10 ** (-_ACTIVE_BELOW_LOUDEST / 10)]
    return float(10 * np.log10(active.mean()))


def normalise_level(
    waveform: Waveform, sample_rate: int, level: float = SPEECH_LEVEL, peak: float = 0.95
) -> Waveform:
    """Scale speech to an active RMS level; silence stays as it is.

    Args:
        waveform: Speech.
        sample_rate: Samples per second [Hz].
        level: Wanted RMS of active speech [dB].
        peak: Peaks that would pass this are bent below 1 instead of clipped.
    """
    present = active_level(waveform, sample_rate)
    if not np.isfinite(present):
        return waveform
    return soft_limit(waveform * np.float32(10 ** ((level - present) / 20)), knee=peak)


def soft_limit(waveform: Waveform, knee: float = 0.8) -> Waveform:
    """Bend samples beyond `knee` smoothly below 1; smaller ones are untouched."""
    excess = np.abs(waveform) - knee
    if not len(waveform) or excess.max() <= 0:
        return waveform
    room = 1.0 - knee
    bent = np.sign(waveform) * (knee + room * np.tanh(np.maximum(excess, 0.0) / room))
    return np.where(excess > 0, bent, waveform).astype(np.float32)


def tilt_spectrum(waveform: Waveform, sample_rate: int, decibels: float) -> Waveform:
    """Make a sound brighter (above 0) or duller with a first-order shelf.

    The gain is 0 dB at 0 Hz and `decibels` at 4 kHz; a cut undoes a boost exactly.
    """
    if decibels == 0 or not len(waveform):
        return waveform
    corner = np.tan(np.pi * _SHELF_CORNER / sample_rate)
    ratio = (np.tan(np.pi * _SHELF_REFERENCE / sample_rate) / corner) ** 2
    top = np.sqrt(((ratio + 1) * 10 ** (abs(decibels) / 10) - 1) / ratio)
    boost = np.array([top + corner, corner - top])
    plain = np.array([1 + corner, corner - 1])
    numerator, denominator = (boost, plain) if decibels > 0 else (plain, boost)
    # By FFT, with room for the filter to die away: importing scipy.signal costs a second.
    size = len(waveform) + _SHELF_TAIL
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response = (numerator[0] + numerator[1] * delay) / (denominator[0] + denominator[1] * delay)
    spectrum = np.fft.rfft(waveform, size) * response
    return np.fft.irfft(spectrum, size)[: len(waveform)].astype(np.float32)


def fade_edges(waveform: Waveform, fade_in: int, fade_out: int | None = None) -> Waveform:
    """Return a copy that rises from and falls to zero over some samples (raised cosine)."""
    faded = waveform.astype(np.float32, copy=True)
    fade_out = fade_in if fade_out is None else fade_out
    for count, part in ((fade_in, slice(None)), (fade_out, slice(None, None, -1))):
        count = min(count, len(faded))
        if count > 0:
            ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / count)
            faded[part][:count] *= ramp.astype(np.float32)
    return faded
