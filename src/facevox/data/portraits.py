"""Portraits with known sex and age: the London, Canada and generated sets.

Layout: `london/{neutral,smiling}/ID.jpg` with `london/people.csv` (id, age_years, gender,
ethnicity), `canada/ID.jpg` with `canada/people.csv` (face_id, face_age, face_gender) and
`generated/{man,woman}/*.jpg`.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facevox.core.errors import DataError

SETS = ("london", "canada", "generated")

HELD_OUT = frozenset(
    [f"london-{number}" for number in "021 034 038 042 045 063 086 099 115 122 125 136".split()]
    + [f"generated-{number}" for number in "0017 0057 0252 0253".split()]
)
"""People of the evaluation suite `standard`: nothing that we ship is trained on them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledPortrait:
    """One picture of one person.

    Attributes:
        path: The picture.
        person: Who it is, unique over all sets.
        source: One of `SETS`.
        female: Whether the person is a woman.
        age: [years], None where it is unknown.
        smiling: Whether the person smiles.
        group: Ethnicity as the set states it, "" where it does not.
    """

    path: Path
    person: str
    source: str
    female: bool
    age: float | None
    smiling: bool = False
    group: str = ""


def list_portraits(folder: Path) -> tuple[LabelledPortrait, ...]:
    """Return all pictures under a folder with the three sets, in a fixed order.

    Raises:
        DataError: If a set is absent, a picture has no entry, or an entry makes no sense.
    """
    return (*_london(folder / "london"), *_canada(folder / "canada"), *_generated(folder))


def hold_out(
    portraits: Sequence[LabelledPortrait],
) -> tuple[tuple[LabelledPortrait, ...], tuple[LabelledPortrait, ...]]:
    """Split pictures into those to train on and those of `HELD_OUT` people."""
    return (
        tuple(row for row in portraits if row.person not in HELD_OUT),
        tuple(row for row in portraits if row.person in HELD_OUT),
    )


def _london(folder: Path) -> list[LabelledPortrait]:
    people = _read_people(folder / "people.csv", "id")
    found = []
    for expression in ("neutral", "smiling"):
        for path in _pictures(folder / expression):
            row = _row(people, path)
            found.append(
                LabelledPortrait(
                    path=path,
                    person=f"london-{path.stem}",
                    source="london",
                    female=_is_female(row, "gender", path),
                    age=_age(row, "age_years", path),
                    smiling=expression == "smiling",
                    group=row.get("ethnicity", ""),
                )
            )
    return found


def _canada(folder: Path) -> list[LabelledPortrait]:
    people = _read_people(folder / "people.csv", "face_id")
    return [
        LabelledPortrait(
            path=path,
            person=f"canada-{path.stem}",
            source="canada",
            female=_is_female(_row(people, path), "face_gender", path),
            age=_age(_row(people, path), "face_age", path),
        )
        for path in _pictures(folder)
    ]


def _generated(folder: Path) -> list[LabelledPortrait]:
    return [
        LabelledPortrait(
            path=path,
            person=f"generated-{path.stem}",
            source="generated",
            female=kind == "woman",
            age=None,
        )
        for kind in ("man", "woman")
        for path in _pictures(folder / "generated" / kind)
    ]


def _pictures(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.jpg"))
    if not found:
        raise DataError(f"There are no pictures (*.jpg) in {folder}.")
    return found


def _read_people(path: Path, key: str) -> dict[str, dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return {row[key]: row for row in csv.DictReader(lines)}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a table with a column {key!r} ({error!r}).") from error


def _row(people: dict[str, dict[str, str]], path: Path) -> dict[str, str]:
    if path.stem not in people:
        raise DataError(f"{path} has no entry in people.csv.")
    return people[path.stem]


def _is_female(row: dict[str, str], column: str, path: Path) -> bool:
    if row.get(column) not in ("female", "male"):
        raise DataError(f"{path}: {column} must be female or male, got {row.get(column)!r}.")
    return row[column] == "female"


def _age(row: dict[str, str], column: str, path: Path) -> float | None:
    text = row.get(column, "")
    if text in ("", "NA"):
        return None
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{path}: {column} must be a number, got {text!r}.") from None
