"""`facevox voices`: several voices that fit a face, to choose one from."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from facevox.app import options

SAMPLE_TEXT = "Hello. This is how I could sound. Do you think that the voice fits the face?"


def voices(
    portrait: options.PortraitArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")] = Path(
        "voices"
    ),
    count: Annotated[int, typer.Option(min=1, max=100, help="How many voices.")] = 4,
    text: Annotated[str, typer.Option(help="What each voice says.")] = SAMPLE_TEXT,
    system: options.SystemOption = "lite",
    speech: options.SpeechOption = None,
    seed: options.SeedOption = 0,
    face: options.FaceOption = None,
    box: options.BoxOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write voices that fit the face: a wav and a voice file each.

    Example: facevox voices portrait.jpg --count 4 -o voices
    """
    from facevox.app.report import print_warnings, progress_bar
    from facevox.core.files import make_folder
    from facevox.core.waveform import write_waveform

    make_folder(output)
    loaded = options.load_system(system, speech)
    person = options.read_photo(portrait, face, box)
    rows = []
    with progress_bar(f"{count} voices", quiet=as_json) as show:
        for number, voice in enumerate(loaded.voices(person, count, seed=seed), start=1):
            made = loaded.generate(person, text, voice=voice, seed=seed)
            sound, file = output / f"voice-{number}.wav", output / f"voice-{number}.json"
            write_waveform(sound, made.waveform(), made.clock.sample_rate)
            voice.save(file)
            rows.append({"voice_file": str(file), "sound": str(sound), "voice": voice.to_dict()})
            show(number / count)
            if not as_json:
                sys.stdout.write(f"{file}: {voice.describe()}\n")
    print_warnings(person.warnings)
    if as_json:
        sys.stdout.write(json.dumps({"portrait": portrait, "seed": seed, "voices": rows}) + "\n")
