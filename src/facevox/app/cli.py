"""The command line: names and options only; the work is in `app/commands`.

Heavy libraries are imported by a command when it runs, so that `--help` answers
at once.
"""

import signal
import sys
from typing import Annotated

import typer

from facevox import __version__
from facevox.app.commands import (
    batch,
    bench,
    compare,
    doctor,
    evaluate,
    evaluate_speech,
    info,
    judges,
    prepare,
    score,
    speak,
    train,
    voices,
)

USER_MISTAKE, BUG, STOPPED = 2, 1, 130

app = typer.Typer(
    name="facevox",
    help="A portrait photo and a text become a video in which that face speaks the text.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool | None) -> None:
    if asked:
        typer.echo(f"facevox {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = None,
) -> None:
    """Hold the options that stand before a command."""


app.command("speak")(speak.speak)
app.command("voices")(voices.voices)
app.command("batch")(batch.batch)
app.command("doctor")(doctor.doctor)
app.command("info")(info.info)
app.command("bench")(bench.bench)
app.command("compare")(compare.compare)
app.command("evaluate")(evaluate.evaluate)
app.command("evaluate-speech")(evaluate_speech.evaluate_speech)
app.command("prepare")(prepare.prepare)
app.command("score")(score.score)
app.command("train")(train.train)
app.add_typer(judges.judges, name="judges", help="The networks that score videos: list, get, add.")


class Stopped(BaseException):
    """Ctrl-C or a polite kill; unlike KeyboardInterrupt, typer lets it pass."""


def _stop(*_: object) -> None:
    raise Stopped


def main() -> None:
    """Run the command line; exit with 0, 1 (bug), 2 (user's mistake) or 130 (stopped)."""
    from facevox.core.errors import FacevoxError

    handlers = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        app()
    except FacevoxError as error:
        typer.echo(f"facevox: {error}", err=True)
        sys.exit(USER_MISTAKE)
    except Stopped:
        typer.echo("facevox: stopped; nothing half-written is left.", err=True)
        sys.exit(STOPPED)
    except BrokenPipeError:
        sys.exit(BUG)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    main()
