"""A voice: what a speech model needs to speak as one person, and its sliders.

A voice is drawn from a face (or picked by name), kept in a small JSON file, and
gives the same sound again.
"""

import base64
import binascii
import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import ConfigError, InputError
from facevox.core.files import write_atomically
from facevox.core.ranges import Ranges, check_ranges

FORMAT, NEURAL_FORMAT = 1, 2
"""Of files without and with a speaker embedding."""

EMBEDDING_DIM = 192
_LENGTH_ERROR = 0.01

_FIELD_RANGES: Ranges = {
    "f0_mean": (50.0, 400.0),
    "f0_range": (0.0, 3.0),
    "vocal_tract": (0.75, 1.33),
    "rate": (0.5, 2.0),
    "brightness": (-12.0, 12.0),
}

_CONTROL_RANGES: Ranges = {
    "pitch": (-12.0, 12.0),
    "rate": (0.5, 2.0),
    "pitch_range": (0.0, 2.0),
    "vocal_tract": (0.75, 1.33),
    "energy": (-24.0, 12.0),
    "brightness": (-12.0, 12.0),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class VoiceControls:
    """Sliders of a voice, relative to the voice itself; the defaults change nothing.

    Attributes:
        pitch: Shift of the mean fundamental frequency [semitones], -12 to 12.
        rate: Speaking rate, 0.5 (half as fast) to 2.
        pitch_range: Liveliness of the melody, 0 (monotone) to 2.
        vocal_tract: Length of the vocal tract as a ratio; above 1 sounds larger, below 1 smaller.
        energy: Loudness [dB], -24 to 12.
        brightness: Spectral tilt [dB at 4 kHz], -12 (dull) to 12 (bright).

    Raises:
        ConfigError: If a value is outside its range or not a number.
    """

    pitch: float = 0.0
    rate: float = 1.0
    pitch_range: float = 1.0
    vocal_tract: float = 1.0
    energy: float = 0.0
    brightness: float = 0.0

    def __post_init__(self) -> None:
        """Check every range."""
        values = {name: getattr(self, name) for name in _CONTROL_RANGES}
        check_ranges(values, _CONTROL_RANGES, "Voice control ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """One voice of one speech engine.

    Attributes:
        engine: Name of the speech engine that understands `base`.
        base: Name of the engine's voice that this one starts from; empty if it has none.
        f0_mean: Mean fundamental frequency [Hz].
        f0_range: Spread of the melody relative to the base voice's own.
        vocal_tract: Vocal-tract length relative to the base voice's speaker.
        rate: Speaking rate relative to the base voice's own.
        brightness: Spectral tilt [dB at 4 kHz].
        controls: The user's sliders on top.
        origin: Where the voice came from, in words ("face", "preset", a file name).
        seed: Seed with which it was drawn, None for a preset.
        speaker_embedding: Who speaks, for engines that are conditioned on it: 192 numbers of
            length one, kept in half precision; None for others.
    """

    engine: str = "flite"
    base: str = "slt"
    f0_mean: float = 190.0
    f0_range: float = 1.0
    vocal_tract: float = 1.05
    rate: float = 1.0
    brightness: float = 0.0
    controls: VoiceControls = VoiceControls()
    origin: str = "preset"
    seed: int | None = None
    speaker_embedding: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Round the embedding as a file does, so that a voice read back is the same voice."""
        if self.speaker_embedding is not None:
            rounded = np.array(self.speaker_embedding, np.float16)
            object.__setattr__(self, "speaker_embedding", tuple(rounded.astype(float).tolist()))

    def with_embedding(self, embedding: Float32[np.ndarray, " dim"]) -> "Voice":
        """Return the same voice of another speaker."""
        return replace(self, speaker_embedding=tuple(embedding.tolist()))

    def embedding(self) -> Float32[np.ndarray, " dim"]:
        """Return the speaker embedding as an array of length one.

        Raises:
            InputError: If the voice has none.
        """
        if self.speaker_embedding is None:
            raise InputError(
                f"A voice of {self.engine} has no speaker embedding; draw one from a face or "
                "take it from a recording."
            )
        vector = np.array(self.speaker_embedding, np.float32)
        return vector / np.linalg.norm(vector)

    def with_controls(self, **sliders: float) -> "Voice":
        """Return the same voice with some sliders set (see `VoiceControls`).

        Raises:
            ConfigError: If a slider is unknown or outside its range.
        """
        known = {field.name for field in fields(VoiceControls)}
        if unknown := sorted(set(sliders) - known):
            raise ConfigError(
                f"Unknown voice control {unknown[0]!r}; there are {', '.join(sorted(known))}."
            )
        return replace(self, controls=replace(self.controls, **sliders))

    def describe(self) -> str:
        """Return the voice in words."""
        sliders = ", ".join(
            f"{field.name} {getattr(self.controls, field.name):+g}"
            for field in fields(VoiceControls)
            if getattr(self.controls, field.name) != field.default
        )
        name = f"{self.engine} {self.base}".strip()
        return (
            f"{name}, {self.f0_mean:.0f} Hz, vocal tract x "
            f"{self.vocal_tract:.2f}, rate x {self.rate:.2f}" + (f", {sliders}" if sliders else "")
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as `save` writes them."""
        values = asdict(self)
        numbers = values.pop("speaker_embedding")
        if numbers is None:
            return {"kind": "facevox-voice", "format": FORMAT, **values}
        packed = base64.b64encode(np.array(numbers, "<f2").tobytes()).decode()
        packed_values = {**values, "speaker_embedding": packed}
        return {"kind": "facevox-voice", "format": NEURAL_FORMAT, **packed_values}

    @classmethod
    def from_dict(cls, values: Any, origin: str = "a voice") -> "Voice":
        """Build a voice from `to_dict`'s values.

        Raises:
            InputError: If a field is missing a value, unknown, or of the wrong kind.
        """
        if not isinstance(values, dict) or values.get("kind") != "facevox-voice":
            raise InputError(f"{origin} is not a facevox voice file; `facevox voices` makes them.")
        if values.get("format") not in (FORMAT, NEURAL_FORMAT):
            raise InputError(
                f"{origin} has voice format {values.get('format')!r}; this facevox reads "
                f"{FORMAT} and {NEURAL_FORMAT}."
            )
        given = {k: v for k, v in values.items() if k not in ("kind", "format")}
        if unknown := sorted(set(given) - {field.name for field in fields(cls)}):
            raise InputError(f"{origin} has the unknown field {unknown[0]!r}.")
        try:
            given["controls"] = VoiceControls(**given.get("controls", {}))
        except TypeError as error:
            raise InputError(f"{origin} has unusable controls: {error}.") from error
        except ConfigError as error:
            raise InputError(f"{origin}: {error}") from error
        for name in ("engine", "base", "origin"):
            if not isinstance(given.get(name, ""), str):
                raise InputError(f"{origin}: {name} must be a word, got {given[name]!r}.")
        try:
            check_ranges(given, _FIELD_RANGES)
        except ConfigError as error:
            raise InputError(f"{origin}: {error}") from error
        if (packed := given.get("speaker_embedding")) is not None:
            given["speaker_embedding"] = _unpack(packed, origin)
        return cls(**given)

    def save(self, path: str | Path) -> Path:
        """Write the voice to a small JSON file, whole or not at all.

        Raises:
            MediaError: If the file cannot be written.
        """
        text = json.dumps(self.to_dict(), indent=2) + "\n"
        return write_atomically(Path(path), text.encode())

    @classmethod
    def load(cls, path: str | Path) -> "Voice":
        """Read a voice file.

        Raises:
            InputError: If the file is absent or is not a voice file.
        """
        path = Path(path)
        try:
            values = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise InputError(
                f"There is no voice file {path}; `facevox voices` makes them."
            ) from None
        except (OSError, ValueError) as error:
            raise InputError(f"{path} is not a facevox voice file ({error}).") from error
        return cls.from_dict(values, origin=str(path))


def _unpack(packed: Any, origin: str) -> tuple[float, ...]:
    """Return the numbers of base64 text of little-endian half-precision floats."""
    wanted = f"{EMBEDDING_DIM} half-precision numbers in base64"
    try:
        numbers = np.frombuffer(base64.b64decode(packed, validate=True), "<f2").astype(float)
    except (TypeError, ValueError, binascii.Error):
        raise InputError(f"{origin}: speaker_embedding must be {wanted}.") from None
    if len(numbers) != EMBEDDING_DIM:
        raise InputError(f"{origin}: speaker_embedding must be {wanted}, got {len(numbers)}.")
    length = float(np.linalg.norm(numbers))
    if not abs(length - 1) <= _LENGTH_ERROR:
        raise InputError(f"{origin}: speaker_embedding must have the length 1, got {length:.3g}.")
    return tuple(numbers.tolist())
