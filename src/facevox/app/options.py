"""Options that several commands share, and how their text becomes values."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from facevox.core.portrait.portrait import Portrait
    from facevox.core.voice import Voice
    from facevox.systems.system import System

PortraitArgument = Annotated[str, typer.Argument(help="Photo with a face; - for stdin.")]
SystemOption = Annotated[str, typer.Option(help="System; `facevox info` lists them.")]
SeedOption = Annotated[
    int, typer.Option(min=0, help="Draws voice and motion; same seed, same video.")
]
VoiceOption = Annotated[
    Path | None,
    typer.Option(help="Saved voice instead of one drawn."),
]

VoiceFromOption = Annotated[
    Path | None,
    typer.Option(help="Recording whose speaker is imitated, with consent (neural voice)."),
]

SpeechOption = Annotated[
    str | None, typer.Option(help="Speech engine of voices drawn from the face: flite or matcha.")
]

WeightsOption = Annotated[
    Path | None, typer.Option(help="Folder of other weights, for systems that are trained (ttsf).")
]

SaveVoiceOption = Annotated[
    Path | None,
    typer.Option(help="Keep the voice in a file for the next time."),
]


def _slider(help_text: str) -> Any:
    return Annotated[float | None, typer.Option(help=help_text)]


def _strength(help_text: str) -> Any:
    return Annotated[float, typer.Option(help=help_text)]


PitchOption = _slider("Semitones up or down, -12 to 12.")
RateOption = _slider("Speaking rate, 0.5 to 2.")
PitchRangeOption = _slider("Melody, 0 (monotone) to 2.")
VocalTractOption = _slider("Vocal-tract length, 0.75 (small) to 1.33 (large).")
EnergyOption = _slider("Loudness in dB, -24 to 12.")
BrightnessOption = _slider("Spectral tilt in dB, -12 to 12.")
MouthOption = _strength("Mouth opening, 0 to 2.")
HeadOption = _strength("Head motion, 0 to 3.")
BlinkOption = _strength("Blinks, 0 to 4.")
GazeOption = _strength("Eye movement, 0 to 3.")
BrowsOption = _strength("Brow raises, 0 to 3.")
BreathOption = _strength("Breathing, 0 to 3.")
ExpressionOption = _strength("-1 serious, 0 as in the photo, 1 smiling.")
FpsOption = Annotated[str, typer.Option(help="Frames per second; 30000/1001 works.")]
SizeOption = Annotated[
    int | None,
    typer.Option(min=64, max=4096, help="Longest side in pixels; the photo's own."),
]
FaceOption = Annotated[
    int | None,
    typer.Option(min=0, help="Which face of several, 0 = largest."),
]
BoxOption = Annotated[
    str | None,
    typer.Option(help="Face box X0,Y0,X1,Y1 in pixels instead of detection."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]


def load_system(name: str, speech: str | None = None, weights: Path | None = None) -> "System":
    """Return the system of that name, ready to generate.

    Args:
        name: Its name.
        speech: Its speech engine; None takes the system's own.
        weights: Folder of its weights; None takes those in the package.

    Raises:
        InputError: If there is no such system, or it has no weights to choose.
        CheckpointError: If weights are absent or damaged.
        MissingPiece: If something that it needs is not installed.
    """
    from facevox.systems.registry import load

    chosen = {"speech": speech, "weights": weights}
    return load(name, **{option: value for option, value in chosen.items() if value is not None})


def read_photo(portrait: str, face: int | None, box: str | None) -> "Portrait":
    """Return the portrait of a path, or of the bytes on stdin for `-`.

    Raises:
        InputError: If photo, face number or box cannot be used.
    """
    from facevox.core.portrait.reader import read_portrait

    source = sys.stdin.buffer.read() if portrait == "-" else portrait
    return read_portrait(source, face=face, box=parse_box(box))


def read_text(text: str | None, text_file: str | None) -> str:
    """Return the text given as an argument, in a file, or on stdin (`-`).

    Raises:
        InputError: If there is none, there are two, or the file is not UTF-8 text.
    """
    from facevox.core.errors import InputError

    if (text is None) == (text_file is None):
        raise InputError(
            "Give the text either as the second argument or with --text-file FILE (- for stdin)"
            f"{', not both' if text is not None else ''}."
        )
    if text is not None:
        return text
    assert text_file is not None
    try:
        content = sys.stdin.buffer.read() if text_file == "-" else Path(text_file).read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"Cannot read the text file {text_file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"The text file {text_file} is not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from error


def parse_box(box: str | None) -> tuple[float, float, float, float] | None:
    """Return the four numbers of `X0,Y0,X1,Y1`.

    Raises:
        InputError: If there are not four numbers.
    """
    from facevox.core.errors import InputError

    if box is None:
        return None
    try:
        x0, y0, x1, y1 = (float(part) for part in box.replace(" ", ",").split(",") if part)
    except ValueError:
        raise InputError(f"--box takes four numbers X0,Y0,X1,Y1 in pixels, got {box!r}.") from None
    return x0, y0, x1, y1


def choose_voice(
    system: "System",
    portrait: "Portrait",
    voice: Path | None,
    seed: int,
    voice_from: Path | None = None,
    **sliders: float | None,
) -> "Voice":
    """Return the saved voice, or the recording's, or one drawn from the face, with its sliders.

    Raises:
        InputError: If the voice file or the recording cannot be used, or both are given.
        ConfigError: If a slider is out of range.
    """
    from facevox.core.errors import InputError
    from facevox.core.voice import Voice

    if voice and voice_from:
        raise InputError(
            "Give a voice file with --voice or a recording with --voice-from, not both."
        )
    if voice_from:
        chosen = system.voice_from(voice_from)
    else:
        chosen = Voice.load(voice) if voice else system.voices(portrait, 1, seed=seed)[0]
    return chosen.with_controls(
        **{name: value for name, value in sliders.items() if value is not None}
    )
