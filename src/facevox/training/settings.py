"""Settings of a run: presets, `--set a.b=c`, and errors that name the field."""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facevox.core.errors import ConfigError

Config = TypeVar("Config", bound=BaseModel)


class Settings(BaseModel):
    """Base of all settings: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RunSettings(Settings):
    """Settings of the loop, alike for all recipes.

    Attributes:
        steps: Optimiser steps in all.
        minutes: Limit of the time trained, all calls together; None has none.
        seed: Of everything random.
        devices: Processes on this machine; `nodes` machines have as many each.
        nodes: Machines.
        accelerator: auto, cpu or cuda.
        precision: auto takes bf16 where the machine computes in it.
        threads: Threads of each process; None leaves it to torch.
        workers: Processes that read batches ahead; 0 reads in the training process.
        accumulate: Batches per step and process.
        clip: Largest norm of an optimiser's gradient; None does not clip.
        ema: Decay of the moving averages.
        log_steps: Steps between lines of the log.
        validate_steps: Steps between validations.
        checkpoint_minutes: Time between checkpoints; None saves by steps only.
        checkpoint_steps: Steps between checkpoints; None saves by time only.
        keep: Newest checkpoints that are kept, beside the best.
        start_from: Folder of another run; networks of the same name begin with its weights.
        export: Which weights are exported, those of the last step or of the best checkpoint.
        max_bad_steps: Updates with a gradient that is not finite are skipped; so many in a
            row end the run.
    """

    steps: int = Field(default=10_000, ge=1)
    minutes: float | None = Field(default=None, gt=0)
    seed: int = Field(default=0, ge=0)
    devices: int = Field(default=1, ge=1)
    nodes: int = Field(default=1, ge=1)
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    threads: int | None = Field(default=None, ge=1)
    workers: int = Field(default=0, ge=0)
    accumulate: int = Field(default=1, ge=1)
    clip: float | None = Field(default=1.0, gt=0)
    ema: float = Field(default=0.999, ge=0, lt=1)
    log_steps: int = Field(default=20, ge=1)
    validate_steps: int = Field(default=500, ge=1)
    checkpoint_minutes: float | None = Field(default=10.0, gt=0)
    checkpoint_steps: int | None = Field(default=None, ge=1)
    keep: int = Field(default=2, ge=1)
    start_from: str | None = None
    export: Literal["last", "best"] = "last"
    max_bad_steps: int = Field(default=10, ge=1)


class TaskSettings(Settings):
    """Base of a recipe's settings; recipes add `model`, `optim`, `data`, all with defaults."""

    run: RunSettings = RunSettings()


FREE_TO_CHANGE = frozenset(
    "steps minutes devices nodes threads workers log_steps validate_steps checkpoint_minutes "
    "checkpoint_steps keep export max_bad_steps".split()
)
"""Settings of `run` that a resumed run may change without being told."""


def parse_override(text: str) -> tuple[list[str], Any]:
    """Split `a.b=c`: the path, and c as JSON (a bare word is a string).

    Raises:
        ConfigError: If there is no `=` or no name.
    """
    path, sign, value = text.partition("=")
    names = path.strip().split(".")
    if not sign or not all(names):
        raise ConfigError(f"--set takes FIELD.FIELD=VALUE, got {text!r}.")
    try:
        return names, json.loads(value)
    except ValueError:
        return names, value.strip()


def merge(
    kind: type[BaseModel] | None, base: Mapping[str, Any], change: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `base` with the values of `change`: settings are merged, other mappings replaced.

    Args:
        kind: Class of the settings; None for a plain mapping.
        base: Values that stay where `change` says nothing.
        change: Values that win.
    """
    merged = dict(base)
    for name, value in change.items():
        inner, old = _settings_at(kind, name), merged.get(name)
        if inner is not None and isinstance(old, Mapping) and isinstance(value, Mapping):
            value = merge(inner, old, value)
        merged[name] = value
    return merged


def override(
    kind: type[BaseModel] | None, values: Mapping[str, Any], path: list[str], value: Any
) -> dict[str, Any]:
    """Return values with one changed at a path; all beside it stay."""
    name, *rest = path
    if rest:
        inner = values.get(name)
        inner = inner if isinstance(inner, Mapping) else {}
        return {**values, name: override(_settings_at(kind, name), inner, rest, value)}
    return merge(kind, values, {name: value})


def _settings_at(kind: type[BaseModel] | None, name: str) -> type[BaseModel] | None:
    """Return the class of the settings in a field; None if it holds anything else."""
    if kind is None or name not in kind.model_fields:
        return None
    annotation = kind.model_fields[name].annotation
    options = (annotation, *get_args(annotation))
    return next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)


def resolve(
    kind: type[Config],
    *,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    preset: str | None = None,
    base: Mapping[str, Any] | None = None,
    overrides: Iterable[str] = (),
) -> Config:
    """Return the settings: defaults, then `base`, then the preset, then the overrides.

    Args:
        kind: Class of the settings.
        presets: Presets by name.
        preset: Name of one; None takes none.
        base: Saved settings to start from.
        overrides: Texts `a.b=c`.

    Raises:
        ConfigError: If a preset or field is unknown, or a value is impossible.
    """
    # a recipe's own defaults of nested settings, not those of their classes
    values = merge(kind, kind().model_dump(mode="json"), base or {})
    if preset is not None:
        known = presets or {}
        if preset not in known:
            raise ConfigError(
                f"There is no preset {preset!r}{_nearest(preset, known)}; "
                f"there are: {', '.join(sorted(known)) or 'none'}."
            )
        values = merge(kind, values, known[preset])
    for text in overrides:
        values = override(kind, values, *parse_override(text))
    return check(kind, values)


def check(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Return settings of a class from plain values.

    Raises:
        ConfigError: If a field is unknown or a value is impossible.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(_explain(kind, error)) from None


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return `a.b` -> "old -> new" for every value that differs."""
    found: dict[str, str] = {}
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found |= differences(before, after, f"{prefix}{name}.")
        elif before != after:
            found[prefix + name] = f"{json.dumps(before)} -> {json.dumps(after)}"
    return found


def _explain(kind: type[BaseModel], error: ValidationError) -> str:
    """Return one sentence for the first fault, with the field's path."""
    fault = error.errors()[0]
    path = [str(part) for part in fault["loc"]]
    name = ".".join(path)
    if fault["type"] == "extra_forbidden":
        fields = _fields_at(kind, path[:-1])
        return (
            f"There is no setting {name!r}{_nearest(path[-1], fields, path[:-1])}; "
            f"there are: {', '.join(sorted(fields))}."
        )
    got = json.dumps(fault["input"], default=str)
    reason = fault["msg"].removeprefix("Input ").removeprefix("Value error, ")
    return f"The setting {name!r} {reason}, got {got}."


def _fields_at(kind: type[BaseModel], path: list[str]) -> list[str]:
    """Return the names of the fields below a path of nested settings."""
    here = kind
    for part in path:
        here = _settings_at(here, part) or here
    return list(here.model_fields)


def _nearest(name: str, known: Iterable[str], above: Iterable[str] = ()) -> str:
    match = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {'.'.join([*above, match[0]])!r}?)" if match else ""
