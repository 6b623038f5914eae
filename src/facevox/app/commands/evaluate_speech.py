"""`facevox evaluate-speech`: voices speak sentences, and every metric of speech listens."""

from pathlib import Path
from typing import Annotated

import typer

from facevox.app import options
from facevox.app.commands.evaluate import split_names


def evaluate_speech(
    voices: Annotated[
        list[str],
        typer.Argument(
            help="Columns: ENGINE:BASE (flite:rms), a voice file, or a folder of them; NAME=... "
            "names the column."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for report, sound and observations.")
    ],
    sentences: Annotated[
        str,
        typer.Option(help="tune, test, hard, speech-80, speech-200, or a file, one a line."),
    ] = "test",
    metrics: Annotated[
        str | None, typer.Option(help="Names of metrics, separated by commas; all of them.")
    ] = None,
    people: Annotated[
        Path | None, typer.Option(help="Recordings of people whom no voice may be.")
    ] = None,
    originals: Annotated[
        Path | None,
        typer.Option(help="Recordings of those whom voices were cloned from, named alike."),
    ] = None,
    encoder: Annotated[str, typer.Option(help="Judge that tells voices apart.")] = "resemblyzer",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many sentences, spread over the list.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that listen.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of intervals.")] = 0,
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Let voices speak, score the sound, write report.json, report.md, index.html.

    Run it again with the same output to go on where it stopped.

    Example: facevox evaluate-speech flite:rms flite:slt --sentences test -o REPORT
    """
    from facevox.app.report import print_evaluation, progress_bar
    from facevox.evaluation.comparison import compare
    from facevox.evaluation.report.comparison_markdown import difference_lines
    from facevox.evaluation.speech.harness import evaluate_speech as run

    with progress_bar("Listening", quiet=quiet or as_json) as show:
        report = run(
            voices,
            sentences,
            output=output,
            metrics=split_names(metrics),
            people=people,
            originals=originals,
            encoder=encoder,
            limit=limit,
            jobs=jobs,
            seed=seed,
            progress=lambda done, _: show(done),
        )
    lines: list[str] = []
    if len(report.systems) > 1 and not as_json:
        lines = difference_lines(compare([report], seed=seed))
    print_evaluation(output, as_json=as_json, more=lines)
