"""Items of suites that name photos."""

from pathlib import Path
from typing import Any

from facevox.core.errors import ConfigError, DataError, MissingPiece
from facevox.evaluation.suites.item import Item, spread

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

        Image.fromarray(getattr(pictures, path.stem)()).save(path)
    return path
