"""`facevox speak`: one photo and one text become one mp4."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from facevox.app import options


def speak(
    portrait: options.PortraitArgument,
    text: Annotated[str | None, typer.Argument(help="What to say.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Video to write (.mp4).")] = Path(
        "facevox.mp4"
    ),
    text_file: Annotated[
        str | None, typer.Option("--text-file", "-f", help="File with the text; - for stdin.")
    ] = None,
    system: options.SystemOption = "lite",
    seed: options.SeedOption = 0,
    voice: options.VoiceOption = None,
    voice_from: options.VoiceFromOption = None,
    speech: options.SpeechOption = None,
    weights: options.WeightsOption = None,
    save_voice: options.SaveVoiceOption = None,
    pitch: options.PitchOption = None,
    rate: options.RateOption = None,
    pitch_range: options.PitchRangeOption = None,
    vocal_tract: options.VocalTractOption = None,
    energy: options.EnergyOption = None,
    brightness: options.BrightnessOption = None,
    mouth: options.MouthOption = 1.0,
    head: options.HeadOption = 1.0,
    blink: options.BlinkOption = 1.0,
    gaze: options.GazeOption = 1.0,
    brows: options.BrowsOption = 1.0,
    breath: options.BreathOption = 1.0,
    expression: options.ExpressionOption = 0.0,
    fps: options.FpsOption = "25",
    size: options.SizeOption = None,
    face: options.FaceOption = None,
    box: options.BoxOption = None,
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Make a video in which the face on the photo speaks the text.

    Example: facevox speak portrait.jpg "Hello there." -o hello.mp4
    """
    from facevox.app.report import print_warnings, save_with_report
    from facevox.core.clock import parse_fps
    from facevox.core.controls import Controls
    from facevox.core.video import check_video_path

    words = options.read_text(text, text_file)
    controls = Controls(
        mouth=mouth, head=head, blink=blink, gaze=gaze, brows=brows, breath=breath,
        expression=expression,
    )  # fmt: skip
    rate_of_frames = parse_fps(fps)
    check_video_path(output)
    started = time.monotonic()
    loaded = options.load_system(system, speech, weights)
    load_seconds = time.monotonic() - started

    started = time.monotonic()
    person = options.read_photo(portrait, face, box)
    chosen = options.choose_voice(
        loaded, person, voice, seed, voice_from=voice_from, pitch=pitch, rate=rate,
        pitch_range=pitch_range, vocal_tract=vocal_tract, energy=energy, brightness=brightness,
    )  # fmt: skip
    made = loaded.generate(
        person, words, seed=seed, voice=chosen, controls=controls, fps=rate_of_frames, size=size
    )
    report = save_with_report(
        made, output, started=started, load_seconds=load_seconds, quiet=quiet or as_json
    )
    if save_voice:
        made.voice.save(save_voice)
    print_warnings(report.warnings)
    sys.stdout.write(report.as_json() if as_json else report.as_text())
