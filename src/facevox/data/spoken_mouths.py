"""Speech beside the mouth and the head that go with it.

Layout of a folder, made by `facevox.recipes.spoken_mouths`:

    plan.json                   what the folder is made of: a row for each utterance
    utterances/NAME.safetensors features, mouth, known; of filmed people also others

An utterance is there once its file is; a row whose file is not there was left out.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float16, Float32
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from facevox.core.errors import DataError
from facevox.core.files import temporary_twin, write_atomically
from facevox.models.face.ttsf.codes import MOUTH_NUMBERS, OTHER_NUMBERS

PLAN = "plan.json"
FILMED = "grid"
"""Kind of the utterances whose mouth and head were measured; others are kinds of speech."""

MAKE_IT = "make it with python -m facevox.recipes.spoken_mouths"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenMouth:
    """One utterance.

    Attributes:
        name: Unique in the folder.
        kind: `FILMED`, or the engine that spoke.
        features: What the speech is made from, at 100 Hz (`AcousticFeatures.joined`).
        mouth: Mouth (6), lip_gap, tongue and lip_roll of `Motion`, at 25 fps.
        known: Frames in which the face was found; in the others the numbers mean nothing.
        others: Head pose (3), breath, eyelids, gaze (2), brows and smile, relative to the
            utterance's median; None where nobody was filmed.
    """

    name: str
    kind: str
    features: Float16[np.ndarray, "mel_frames channels"]
    mouth: Float32[np.ndarray, "frames 9"]
    known: Bool[np.ndarray, " frames"]
    others: Float32[np.ndarray, "frames 9"] | None = None


def utterance_path(folder: Path, name: str) -> Path:
    """Return where an utterance lies."""
    return folder / "utterances" / f"{name}.safetensors"


def write_plan(folder: Path, plan: dict[str, Any]) -> None:
    """Write what a folder is to be made of, or check that it is what was written before.

    Args:
        folder: The folder; exists.
        plan: `utterances`, each with `name`, `kind`, `held` and whatever tells how it is made,
            and anything that holds for all.

    Raises:
        DataError: If the folder was begun with another plan.
    """
    path = folder / PLAN
    if path.exists():
        if read_plan(folder) != plan:
            raise DataError(f"{folder} was begun with other data or options; take a new folder.")
        return
    write_atomically(path, f"{json.dumps(plan, indent=1)}\n".encode())


def read_plan(folder: Path) -> dict[str, Any]:
    """Return what `write_plan` wrote.

    Raises:
        DataError: If there is no plan or it makes no sense.
    """
    path = folder / PLAN
    if not path.exists():
        raise DataError(f"{folder} holds no spoken mouths; {MAKE_IT}.")
    try:
        plan = json.loads(path.read_text("utf-8"))
        for row in plan["utterances"]:
            kinds = {"name": str, "kind": str, "held": bool}
            if not all(isinstance(row[field], kind) for field, kind in kinds.items()):
                raise ValueError(f"no utterance: {str(row)[:60]}")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"{path} cannot be read ({error}); {MAKE_IT}.") from error
    return plan


def write_utterance(folder: Path, spoken: SpokenMouth) -> None:
    """Write one utterance, whole or not at all."""
    arrays = {"features": spoken.features, "mouth": spoken.mouth, "known": spoken.known}
    if spoken.others is not None:
        arrays["others"] = spoken.others
    with temporary_twin(utterance_path(folder, spoken.name)) as twin:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, twin)


def read_utterance(folder: Path, name: str, kind: str) -> SpokenMouth:
    """Return one utterance.

    Raises:
        DataError: If its file is damaged or holds other arrays.
    """
    path = utterance_path(folder, name)
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read ({error}); remove it and {MAKE_IT}.") from error
    if not _fit_together(arrays):
        shapes = {place: list(array.shape) for place, array in arrays.items()}
        raise DataError(f"{path} holds {shapes}, no utterance; remove it and {MAKE_IT}.")
    return SpokenMouth(
        name=name,
        kind=kind,
        features=arrays["features"],
        mouth=arrays["mouth"],
        known=arrays["known"],
        others=arrays.get("others"),
    )


def _fit_together(arrays: dict[str, np.ndarray]) -> bool:
    try:
        features, mouth, known = (arrays[name] for name in ("features", "mouth", "known"))
    except KeyError:
        return False
    others = arrays.get("others")
    return (
        (features.dtype, mouth.dtype, known.dtype) == (np.float16, np.float32, np.bool_)
        and features.ndim == 2
        and min(len(features), len(mouth)) > 0
        and mouth.shape == (len(mouth), MOUTH_NUMBERS)
        and known.shape == (len(mouth),)
        and (others is None or others.dtype == np.float32)
        and (others is None or others.shape == (len(mouth), OTHER_NUMBERS))
    )


def read_spoken_mouths(folder: Path, *, held: bool) -> list[SpokenMouth]:
    """Return all utterances to train on, or all that are held out, in the order of the plan.

    Raises:
        DataError: If the folder holds none of them, or one is damaged.
    """
    rows = [row for row in read_plan(folder)["utterances"] if row["held"] == held]
    found = [
        read_utterance(folder, row["name"], row["kind"])
        for row in rows
        if utterance_path(folder, row["name"]).exists()
    ]
    if not found:
        which = "held out" if held else "to train on"
        raise DataError(f"{folder} holds no utterance {which}; {MAKE_IT}.")
    widths = {spoken.features.shape[1] for spoken in found}
    if len(widths) > 1:
        raise DataError(f"{folder} holds features of {sorted(widths)} channels; take a new one.")
    return found
