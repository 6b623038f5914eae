"""Voices of speech engines that are measured together: a column of the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from facevox.core.errors import InputError
from facevox.core.voice import Voice
from facevox.evaluation.suites.item import check_file_name
from facevox.models.speech.engine import SpeechEngine
from facevox.models.speech.registry import ENGINES, load_engine

SEXES = ("female", "male")


@dataclass(frozen=True, kw_only=True)
class VoiceSet:
    """Voices that are measured together.

    Attributes:
        name: Of the column.
        engine: Speaks with them.
        voices: Name, unique and fit for a file -> voice.
        sexes: Name of a voice -> `female` or `male`, whom it was made for; may lack voices.
    """

    name: str
    engine: SpeechEngine
    voices: Mapping[str, Voice]
    sexes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check names and engines."""
        check_file_name(self.name, "a set of voices")
        if not self.voices:
            raise InputError(f"The set of voices {self.name!r} is empty; give at least one voice.")
        for name, voice in self.voices.items():
            check_file_name(name, "a voice")
            if voice.engine != self.engine.name:
                raise InputError(
                    f"The voice {name!r} belongs to the engine {voice.engine!r}, not to "
                    f"{self.engine.name!r}; measure it in a set of its own."
                )
        for name, sex in self.sexes.items():
            if name not in self.voices or sex not in SEXES:
                raise InputError(
                    f"sexes must give {' or '.join(SEXES)} for voices of the set, got "
                    f"{sex!r} for {name!r}."
                )


@runtime_checkable
class BringsVoices(Protocol):
    """An engine that has voices of its own, ready to speak."""

    def base_voice(self, name: str) -> Voice:
        """Return one of `base_voices` as it is."""
        ...


def read_voice_set(wanted: str, engines: Mapping[str, SpeechEngine] | None = None) -> VoiceSet:
    """Return the voices that a few letters ask for.

    Args:
        wanted: `ENGINE:BASE`, a voice that the engine brings, as it is; `ENGINE` for the first
            of them; a voice file; or a folder of voice files, those of women and men in
            `female` and `male` within it if that is known.  `NAME=` before it names the column.
        engines: Engines that are loaded already, by name.

    Raises:
        InputError: If there is no such engine, voice, file or folder.
        MissingPiece: If the engine is not installed.
    """
    name, sign, rest = wanted.partition("=")
    where = rest if sign else wanted
    if not (path := Path(where)).exists():
        return _brought(where, name if sign else where.replace(":", " "), engines or {})
    files = _voice_files(path)
    voices = {file.stem: Voice.load(file) for file in files}
    if len(voices) < len(files):
        raise InputError(f"Two voice files in {path} have one name; rename one.")
    engine_name = next(iter(voices.values())).engine
    engine = (engines or {}).get(engine_name) or load_engine(engine_name)
    for voice in voices.values():
        if voice.base and voice.base not in engine.base_voices():
            raise _no_such_base(engine, voice.base)
    return VoiceSet(
        name=name if sign else path.stem,
        engine=engine,
        voices=voices,
        sexes={file.stem: file.parent.name for file in files if file.parent.name in SEXES},
    )


def _brought(where: str, name: str, engines: Mapping[str, SpeechEngine]) -> VoiceSet:
    """Return the set of one voice that an engine has of its own."""
    engine_name, _, base = where.partition(":")
    if engine_name not in engines and engine_name not in ENGINES:
        raise InputError(
            f"There are no voices {where!r}: it is neither a voice file, a folder of them, nor one "
            f"of the speech engines {', '.join(sorted(ENGINES))}."
        )
    engine = engines.get(engine_name) or load_engine(engine_name)
    known = engine.base_voices()
    if not isinstance(engine, BringsVoices) or not known:
        raise InputError(f"The engine {engine_name} brings no voices; give a voice file.")
    base = base or known[0]
    if base not in known:
        raise _no_such_base(engine, base)
    return VoiceSet(name=name, engine=engine, voices={base: engine.base_voice(base)})


def _no_such_base(engine: SpeechEngine, base: str) -> InputError:
    known = ", ".join(engine.base_voices()) or "none"
    return InputError(f"The engine {engine.name} has the voices {known}; got {base!r}.")


def _voice_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    folders = [path, *(path / sex for sex in SEXES)]
    files = [file for folder in folders for file in sorted(folder.glob("*.json"))]
    if not files:
        raise InputError(f"{path} holds no voice file (.json); `facevox voices` makes them.")
    return files
