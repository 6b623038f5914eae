"""Items of suites that name photos."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facevox.core.errors import ConfigError, DataError, MissingPiece
from facevox.core.files import temporary_twin
from facevox.evaluation.suites.item import Item, check_file_name, spread

BUNDLED = "skimage:"
"""Prefix of photos that come inside scikit-image instead of the data folder."""


def portrait_items(
    name: str, content: dict[str, Any], data: Path | None, work: Path, limit: int | None
) -> tuple[Item, ...]:
    """Return one item for each person, photo and text, in the order of the list.

    Raises:
        ConfigError: If the list is not well formed.
        DataError: If photos are missing; the message counts them and names the first.
    """
    try:
        rows = list(_rows(content))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ConfigError(f"The suite {name} is not well formed ({error!r}).") from error
    _check_rows(name, rows)
    chosen = spread(rows, limit)
    files = {row["photo_file"]: _find(row["photo_file"], data, work) for row in chosen}
    missing = sorted(str(path) for path in files.values() if not path.is_file())
    if missing:
        raise DataError(
            f"The suite {name} misses {len(missing)} of {len(files)} photos in {data}, "
            f"the first is {missing[0]}."
        )
    return tuple(
        Item(
            portrait=files[row["photo_file"]], **{k: v for k, v in row.items() if k != "photo_file"}
        )
        for row in chosen
    )


def _check_rows(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Raise if there is no row, two are called alike, or a value is not what it must be."""
    if not rows:
        raise ConfigError(f"The suite {name} asks for no video; give people, photos and texts.")
    seen = set()
    for row in rows:
        for key in ("identity", "photo", "photo_file", "text", "sex"):
            if not isinstance(row[key], str):
                raise ConfigError(f"The suite {name}: {key} must be text, got {row[key]!r}.")
        for key, kinds in (("size", (int,)), ("age", (int, float))):
            if row[key] is not None and type(row[key]) not in kinds:
                raise ConfigError(f"The suite {name}: {key} must be a number, got {row[key]!r}.")
        check_file_name(row["name"], f"a clip of the suite {name}")
        if row["name"] in seen:
            raise ConfigError(
                f"The suite {name} has two videos called {row['name']!r}; every person needs an "
                "identity of its own."
            )
        seen.add(row["name"])


def _rows(content: dict[str, Any]) -> Any:
    seed = 0
    for person in content["people"]:
        for photo, file in person["photos"].items():
            for number, text in enumerate(person["texts"][photo]):
                yield {
                    "name": f"{person['identity']}-{photo}-{number}",
                    "identity": person["identity"],
                    "photo": photo,
                    "photo_file": file,
                    "text": content["texts"][text],
                    "seed": seed,
                    "size": person.get("size", content["size"]),
                    "sex": person.get("sex") or "",
                    "age": person.get("age"),
                }
                seed += 1


def _find(file: str, data: Path | None, work: Path) -> Path:
    if not file.startswith(BUNDLED):
        return (data or Path()) / file
    path = work / f"{file.removeprefix(BUNDLED)}.png"
    if not path.exists():
        try:
            from skimage import data as pictures
        except ImportError as error:
            raise MissingPiece(
                "The photo comes inside scikit-image; run pip install 'facevox[evaluate]'."
            ) from error
        from PIL import Image

        if path.stem not in pictures.__all__:
            raise DataError(f"There is no photo {path.stem!r} inside scikit-image.")
        with temporary_twin(path) as twin:
            Image.fromarray(getattr(pictures, path.stem)()).save(twin)
    return path
