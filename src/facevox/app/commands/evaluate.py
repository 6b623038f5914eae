"""`facevox evaluate`: systems speak a suite, and every metric looks at them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facevox.app import options

if TYPE_CHECKING:
    from facevox.evaluation.suite import Suite

MetricsOption = Annotated[
    str | None, typer.Option(help="Names of metrics, separated by commas; all of them.")
]
LandmarksOption = Annotated[
    str, typer.Option(help="Judge that lays landmarks: attention-mesh or face-landmarker.")
]


def evaluate(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for report, videos and observations.")
    ],
    suite: Annotated[
        str | None,
        typer.Option(help="standard, smoke, grid, lrs2, hdtf, voxceleb2, or a .json; standard."),
    ] = None,
    system: Annotated[
        list[str] | None, typer.Option(help="System to measure; may be given several times.")
    ] = None,
    videos: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FOLDER: videos made elsewhere, called after the suite's items."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with the suite's photos.")] = None,
    photo: Annotated[
        list[Path] | None, typer.Option(help="Photos or folders of your own instead of a suite.")
    ] = None,
    text_file: Annotated[
        Path | None, typer.Option(help="One text a line, for --photo; Harvard sentences.")
    ] = None,
    texts_per_photo: Annotated[int, typer.Option(min=1, help="For --photo.")] = 8,
    size: Annotated[
        int | None, typer.Option(min=64, max=4096, help="Longest side in pixels, for --photo.")
    ] = None,
    metrics: MetricsOption = None,
    landmarks: LandmarksOption = "attention-mesh",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many items, spread over the suite.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that look at clips.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of intervals and random choices.")] = 0,
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Generate a suite with systems, score everything, write report.json, report.md, index.html.

    Run it again with the same output to go on where it stopped.
    """
    from facevox.app.report import print_evaluation, progress_bar
    from facevox.evaluation.harness import evaluate as run

    _check_source(suite, photo, text_file, size)
    chosen = _own_suite(photo, text_file, texts_per_photo, size) if photo else suite or "standard"
    folders = _named_folders(videos or [])
    systems = system if system is not None else ([] if folders else ["lite"])
    with progress_bar("Evaluating", quiet=quiet or as_json) as show:
        run(
            chosen,
            systems,
            output=output,
            data=data,
            videos=folders,
            metrics=split_names(metrics),
            tracker=landmarks,
            limit=limit,
            jobs=jobs,
            seed=seed,
            progress=lambda done, _: show(done),
        )
    print_evaluation(output, as_json=as_json)


def split_names(names: str | None) -> list[str] | None:
    """Return names that were given with commas between them."""
    if names is None:
        return None
    return [part.strip() for part in names.split(",") if part.strip()]


def _named_folders(values: list[str]) -> dict[str, Path]:
    from facevox.core.errors import InputError

    folders: dict[str, Path] = {}
    for value in values:
        name, sign, folder = value.partition("=")
        if not (name and sign and folder):
            raise InputError(f"--videos takes NAME=FOLDER, got {value!r}.")
        if name in folders:
            raise InputError(f"--videos names {name!r} twice; every folder needs its own name.")
        folders[name] = Path(folder)
    return folders


def _check_source(
    suite: str | None, photo: list[Path] | None, text_file: Path | None, size: int | None
) -> None:
    """Raise if options are given that would have no effect."""
    from facevox.core.errors import InputError

    if photo and suite is not None:
        raise InputError("Give either --suite or --photo, not both.")
    for name, value in (("--text-file", text_file), ("--size", size)):
        if value is not None and not photo:
            raise InputError(f"{name} belongs to --photo; a suite brings its own.")


def _own_suite(
    photos: list[Path], text_file: Path | None, per_photo: int, size: int | None
) -> "Suite":
    from facevox.evaluation.suite import suite_of_photos
    from facevox.evaluation.texts import HARVARD_SENTENCES

    texts = list(HARVARD_SENTENCES)
    if text_file is not None:
        texts = options.read_text(None, str(text_file)).splitlines()
    return suite_of_photos(photos, texts, per_photo=per_photo, size=size)
