"""`facevox prepare`: a corpus of speech becomes checked shards."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facevox.app import options

if TYPE_CHECKING:
    from facevox.data.speech.settings import PrepareSettings
    from facevox.data.speech.utterance import Utterance


def prepare(
    corpus: Annotated[
        str,
        typer.Argument(
            help="Layout: facevox-shared, libritts, librispeech, vctk, ljspeech, lrs2, lrs3, "
            "voxceleb2, hdtf or grid."
        ),
    ],
    folder: Annotated[Path, typer.Argument(help="Root of the corpus.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the shards.")],
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    engine: Annotated[str, typer.Option(help="process, or ray (a cluster by RAY_ADDRESS).")] = (
        "process"
    ),
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many recordings, spread over the corpus.")
    ] = None,
    hold_out: Annotated[
        Path | None,
        typer.Option(help="Names or sentences that no reading of may be learnt, one a line."),
    ] = None,
    transcripts: Annotated[
        Path | None, typer.Option(help="Texts for recordings without: lines name|text.")
    ] = None,
    transcribe: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Recognise words; keep texts this sure, such as 0.9."),
    ] = None,
    speaker_encoder: Annotated[
        Path | None, typer.Option(help="Checkpoint that tells speakers apart.")
    ] = None,
    faces: Annotated[
        bool,
        typer.Option(
            "--faces", help="Follow the face through every clip; keep its pictures and landmarks."
        ),
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of a setting, such as longest=15."),
    ] = None,
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Check, cut, level and align the recordings of a corpus and write WebDataset shards.

    Run it again with the same options to go on where it stopped. report.md in the output folder
    says what was dropped and why.
    """
    from facevox.app.report import progress_bar
    from facevox.data.speech.corpus import prepare_corpus
    from facevox.data.speech.hold_out import read_hold_out
    from facevox.data.speech.layouts import list_utterances

    chosen: dict[str, Any] = {"transcribe": transcribe}
    if faces:
        chosen["faces"] = True
    if speaker_encoder is not None:
        chosen["speaker_encoder"] = str(speaker_encoder)
    settings = _settings(chosen, set_ or [])
    held_out = read_hold_out(hold_out) if hold_out else ()
    utterances = _some(_with_texts(list_utterances(corpus, folder), transcripts), limit)
    with progress_bar(f"Preparing {corpus}", quiet=quiet or as_json) as show:
        manifest = prepare_corpus(
            utterances,
            output,
            settings,
            corpus=corpus,
            held_out=held_out,
            engine=engine,
            jobs=jobs,
            progress=show,
        )
    if as_json:
        sys.stdout.write(json.dumps(manifest, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_summary(manifest, output))


def _settings(chosen: dict[str, Any], changes: list[str]) -> "PrepareSettings":
    """Return the settings of the options and of `--set`.

    Raises:
        ConfigError: If there is no such setting or a value is impossible.
    """
    from pydantic import ValidationError

    from facevox.core.errors import ConfigError
    from facevox.data.speech.settings import PrepareSettings

    values = dict(chosen)
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign:
            raise ConfigError(f"--set takes NAME=VALUE, got {change!r}.")
        try:
            values[name.strip()] = json.loads(value)
        except ValueError:
            values[name.strip()] = value.strip()
    try:
        return PrepareSettings(**values)
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(map(str, fault["loc"]))
        known = ", ".join(PrepareSettings.model_fields)
        raise ConfigError(
            f"The setting {name!r} cannot be {fault['input']!r}: {fault['msg']}; "
            f"there are: {known}."
        ) from None


def _with_texts(utterances: "tuple[Utterance, ...]", table: Path | None) -> "list[Utterance]":
    from facevox.data.speech.transcripts import read_transcripts, with_transcripts

    if table is None:
        return list(utterances)
    return with_transcripts(utterances, read_transcripts(table))


def _some(utterances: "list[Utterance]", limit: int | None) -> "list[Utterance]":
    """Return at most `limit` utterances, evenly spread."""
    if limit is None or limit >= len(utterances):
        return utterances
    return [utterances[k * len(utterances) // limit] for k in range(limit)]


def _summary(manifest: dict[str, Any], output: Path) -> str:
    lines = [
        f"{split}: {part['samples']} samples, {part['hours']:.2f} h, {part['speakers']} speakers, "
        f"{part['hours_with_text']:.2f} h with text"
        + (f", {part['pictures']} pictures" if "pictures" in part else "")
        for split, part in manifest["splits"].items()
    ]
    dropped = sum(manifest["dropped"].values())
    why = ", ".join(f"{count} {reason}" for reason, count in manifest["dropped"].items())
    lines.append(f"dropped: {dropped}{f' ({why})' if why else ''}; see {output / 'report.md'}")
    return "\n".join(lines) + "\n"
