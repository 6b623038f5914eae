"""Reports on disk: one JSON file, read back to the same report or refused."""

import json
import types
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from facevox.core.errors import ConfigError
from facevox.core.files import make_folder, write_atomically
from facevox.evaluation.report.report import Report

KIND = "facevox-report"
FORMAT = 1
FILE_NAME = "report.json"


def save_report(report: Report, folder: Path) -> Path:
    """Write `report.json` into a folder, whole or not at all, and return its path.

    Args:
        report: What to keep; `info` and `facts` hold plain values only.
        folder: Is made if absent.

    Raises:
        MediaError: If it cannot be written.
        ValueError: If a number in it is NaN or infinite, or a value is not plain; the
            sentence names the place.
    """
    values = {"kind": KIND, "format": FORMAT, **asdict(report)}
    _check_plain(values, "report")
    text = json.dumps(values, indent=1, allow_nan=False) + "\n"
    return write_atomically(make_folder(folder) / FILE_NAME, text.encode())


def load_report(path: Path) -> Report:
    """Read a report; `path` is its file, or the folder that holds it.

    Tuples in `info` and `facts` come back as lists; all else is as it was.

    Raises:
        ConfigError: If there is none, it is no report, has another format, or a field is
            unknown, missing or of the wrong kind.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        values = json.loads(
            file.read_text("utf-8"), parse_constant=_refuse_constant, parse_float=_finite
        )
    except FileNotFoundError:
        raise ConfigError(
            f"There is no report at {path}; give a folder that `facevox evaluate` "
            f"wrote, or its {FILE_NAME}."
        ) from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror or error}).") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file} is not a report: it is not valid JSON ({error}).") from None
    if not isinstance(values, dict) or values.pop("kind", None) != KIND:
        raise ConfigError(f"{file} is not a report; `facevox evaluate` writes them.")
    if (found := values.pop("format", None)) != FORMAT:
        raise ConfigError(
            f"{file} has report format {found!r}; this facevox reads {FORMAT}: evaluate again, "
            "or install the facevox that wrote it."
        )
    try:
        report: Report = _decode(Report, values, "report")
    except _Misfit as misfit:
        raise ConfigError(f"{file} cannot be used: {misfit}.") from None
    return report


class _Misfit(Exception):
    """A value that does not fit its field."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that a report may hold")


def _finite(digits: str) -> float:
    value = float(digits)
    return value if abs(value) < float("inf") else _refuse_constant(digits)


def _check_plain(value: Any, place: str) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{place} has the key {key!r}; a report takes text keys only.")
            _check_plain(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            _check_plain(inner, f"{place}[{index}]")
    elif isinstance(value, float):
        if value != value or abs(value) == float("inf"):
            raise ValueError(f"{place} is {value}; a report holds finite numbers only.")
    elif value is not None and not isinstance(value, str | int | bool):
        raise ValueError(f"{place} is a {type(value).__name__}; a report holds plain values only.")


def _decode(hint: Any, value: Any, place: str) -> Any:
    """Return the value as the annotated kind, or raise `_Misfit`."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if is_dataclass(hint):
        return _decode_fields(hint, value, place)
    if origin in (Union, types.UnionType):
        return _decode_union(inner, value, place)
    if origin is Literal:
        if value in inner:
            return value
        raise _Misfit(f"{place} is {value!r}, expected one of {', '.join(map(repr, inner))}")
    if origin is tuple and isinstance(value, list):
        return tuple(_decode(inner[0], item, f"{place}[{k}]") for k, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {key: _decode(inner[1], item, f"{place}.{key}") for key, item in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    plain = hint if isinstance(hint, type) else None
    if plain and isinstance(value, plain) and not (plain is int and isinstance(value, bool)):
        return value
    wanted = "a list" if origin is tuple else "an object" if origin is dict else hint.__name__
    raise _Misfit(f"{place} is {str(value)[:40]!r}, expected {wanted}")


def _decode_union(options: tuple[Any, ...], value: Any, place: str) -> Any:
    """Pick the option: None by value, a dataclass by its fields, else the plain kind."""
    if value is None and type(None) in options:
        return None
    options = tuple(option for option in options if option is not type(None))
    if isinstance(value, dict):
        known = [{field.name for field in fields(option)} for option in options]
        overlap = [len(names & value.keys()) for names in known]
        return _decode(options[overlap.index(max(overlap))], value, place)
    return _decode(options[0], value, place)


def _decode_fields(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise _Misfit(f"{place} is {str(value)[:40]!r}, expected an object")
    hints = get_type_hints(kind)
    if unknown := sorted(value.keys() - hints.keys()):
        raise _Misfit(f"{place} has the unknown field {unknown[0]!r}")
    needed = [
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    ]
    if missing := [name for name in needed if name not in value]:
        raise _Misfit(f"{place} lacks the field {missing[0]!r}")
    made = {name: _decode(hints[name], item, f"{place}.{name}") for name, item in value.items()}
    return kind(**made)
