"""Fit what a generator lacks at the mouth: the fine fields of its mean flows.

    python -m facevox.recipes.mouth_fields --head S0/export --data ../shared/data --faces FACES \
        -o S0F

Photos say something by the warp renderer, the head still.  What the generator lacks to make the
same pictures (displacement, mask and colour), in the window of the source's own mouth, is
explained linearly by the mouth's numbers and by steps of the lip gap.  Training goes on from
there: `facevox train ttsf-warmup --set model.start_from=S0F`.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor
from torch.nn import functional

from facevox.core.checkpoint import load_card, load_module, save_checkpoint
from facevox.core.errors import ConfigError, DataError
from facevox.core.processor import cpu_computes_in_bf16
from facevox.data.portraits import LabelledPortrait, hold_out, list_portraits
from facevox.models.face.lia.generator import FaceGenerator, Source
from facevox.models.face.lia.mean_flow import FIELD_SIDE, LOGIT_UNIT, MOUTH, MeanFlow
from facevox.models.face.lia.synthesis import Synthesis
from facevox.models.face.ttsf.codes import MouthCode
from facevox.recipes.growing import load_generator
from facevox.recipes.head_parts import PARTS, copy_parts, part_path
from facevox.recipes.spoken_photos import Photos, Spoken, read_pool

_COMMAND = "python -m facevox.recipes.mouth_fields --head HEAD --data DATA --faces FACES -o OUT"
_LIP_GAP = 6
_NEUTRAL_STEP, _SMILING_STEP = 2, 6
"""Every so manieth photo is used."""

_TOLERANCE, _STEEPNESS = 0.07, 8.0
_LEAST, _MOST, _LEAST_HELD = 0.01, 0.985, 0.02
_EDGE = 0.2
_SHAPE_RIDGE, _GAP_RIDGE, _STEP_RIDGE = 8.0, 2.0, 1.0
_KINDS = {"displacement": slice(0, 2), "mask": slice(2, 3), "colour": slice(3, 6)}


class Speaker:
    """A generator that says what photos say.

    Args:
        generator: With mean flows.
        mouth: Numbers of a mouth to f_lip.
        name: What messages call the generator.

    Raises:
        ConfigError: If it has no mean flows.
    """

    def __init__(self, generator: FaceGenerator, mouth: MouthCode, name: str) -> None:
        found = generator.synthesis.mean_flow
        if found is None:
            raise ConfigError(
                f"{name} has no mean flows (mean_flow is false), so it takes no mouth fields."
            )
        self.fields: MeanFlow = found
        self._generator, self._mouth = generator.eval(), mouth
        self._dtype = torch.bfloat16 if cpu_computes_in_bf16() else torch.float32

    @property
    def side(self) -> int:
        """Length of a side of the pictures [px]."""
        return self._generator.config.size

    @torch.no_grad()
    def take_fields_away(self) -> None:
        """Forget what is to be fitted: the fine fields, and the mouth's paint in the coarse."""
        self.fields.mouth_fields.zero_()
        self.fields.fields[:MOUTH, _KINDS["displacement"].stop :] = 0.0

    def read(self, spoken: Spoken) -> Source:
        """Return what the network takes from the photo."""
        shown = spoken.source.to(self._dtype).contiguous(memory_format=torch.channels_last)
        return replace(self._generator.read(shown), pictures=spoken.source)

    @torch.no_grad()
    def say(self, spoken: Spoken, source: Source) -> Synthesis:
        """Return the same mouths as the generator makes them."""
        f_m = source.parts.f_m.expand(len(spoken.mouth), -1)
        return self._generator(source, f_m, self._mouth(spoken.mouth), spoken.controls)


def lacking(spoken: Spoken, made: Synthesis) -> Float[Tensor, "mouths 6 side side"]:
    """Return what the flow, the mask and the paint lack, in the units of the fields.

    The mask shall let through what the photo shows: where the photo, moved rightly, is not like
    the target, it shall be shut.

    Args:
        spoken: What it should be.
        made: What the generator made.
    """
    source = spoken.source.expand(len(spoken.target), -1, -1, -1)
    shown = functional.grid_sample(
        source, spoken.origin, align_corners=False, padding_mode="border"
    )
    error = (shown - spoken.target).abs().mean(1, keepdim=True)
    hidden = ((error - _TOLERANCE) * _STEEPNESS).clamp(_LEAST, _MOST)
    wanted = torch.logit(1 - hidden)
    mask = (wanted - torch.logit(made.mask.clamp(_LEAST_HELD, _MOST))) / LOGIT_UNIT
    displacement = (spoken.origin - made.flow).permute(0, 3, 1, 2)
    return torch.cat([displacement, mask, spoken.target - made.painted], 1)


def in_window(
    layers: Float[Tensor, "mouths channels side side"], place: Float[Tensor, " 3"]
) -> Float64[np.ndarray, "mouths channels cells cells"]:
    """Return pictures in the window of the source's mouth, fading to its edge.

    Args:
        layers: Over the whole view.
        place: Where the mouth lies.
    """
    line = (torch.arange(FIELD_SIDE) + 0.5) * (2 / FIELD_SIDE) - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    window = torch.stack([x, y], -1) * place[2] + place[:2]
    seen = functional.grid_sample(
        layers, window.expand(len(layers), -1, -1, -1), align_corners=False
    )
    inside = ((1 - torch.maximum(x.abs(), y.abs())) / _EDGE).clamp(0, 1)
    return (seen * inside.square() * (3 - 2 * inside)).double().numpy()


class FieldSums:
    """Sums of a ridge regression of fields on the steps of a mouth."""

    def __init__(self) -> None:
        self._squares: np.ndarray | None = None
        self._products: np.ndarray | None = None

    def add(
        self,
        steps: Float64[np.ndarray, "mouths steps"],
        fields: Float64[np.ndarray, "mouths channels cells cells"],
    ) -> None:
        """Take in some mouths."""
        squares, products = steps.T @ steps, np.tensordot(steps, fields, (0, 0))
        self._squares = squares if self._squares is None else self._squares + squares
        self._products = products if self._products is None else self._products + products

    def solve(
        self, ridge: Float64[np.ndarray, " steps"]
    ) -> Float32[np.ndarray, "steps channels cells cells"]:
        """Return the field of each step.

        Args:
            ridge: Of the squared field of each step.

        Raises:
            DataError: If nothing was taken in.
        """
        if self._squares is None or self._products is None:
            raise DataError("None of the photos can be used for the mouth fields; give others.")
        flat = self._products.reshape(len(ridge), -1)
        found = np.linalg.solve(self._squares + np.diag(ridge), flat)
        return found.reshape(self._products.shape).astype(np.float32)


def fit_mouth_fields(
    speaker: Speaker, photos: Photos
) -> Float32[np.ndarray, "steps channels cells cells"]:
    """Return the fine fields that the generator lacks, and let it have them.

    Args:
        speaker: Loses its fine fields, and gets the new ones.
        photos: Fitted on.

    Raises:
        DataError: If none of the photos can be used.
    """
    speaker.take_fields_away()
    sums = FieldSums()
    for spoken in photos:
        with torch.no_grad():
            made = speaker.say(spoken, speaker.read(spoken))
        sums.add(spoken.steps, in_window(lacking(spoken, made), spoken.place))
    steps = len(speaker.fields.mouth_fields)
    ridge = np.full(steps, _STEP_RIDGE)
    ridge[:MOUTH], ridge[_LIP_GAP] = _SHAPE_RIDGE, _GAP_RIDGE
    found = sums.solve(ridge)
    with torch.no_grad():
        speaker.fields.mouth_fields.copy_(torch.from_numpy(found))
    return found


def measure(
    speaker: Speaker,
    photos: Photos,
    given: tuple[Tensor, Tensor],
    fitted: tuple[Tensor, Tensor],
) -> dict[str, Any]:
    """Return errors on other people, in the window of the mouth.

    Fields are compared as they are and without any; pictures (L1 in [-1, 1]) as copied from the
    photo, and as made with the fields that were given, without, and with the new ones.

    Args:
        speaker: Has the new fields, afterwards too.
        photos: Measured on.
        given: Coarse and fine fields that it had before.
        fitted: Those that it has now.
    """
    lack: dict[str, list[tuple[float, float]]] = {kind: [] for kind in _KINDS}
    shown: dict[str, list[float]] = {}
    empty = (fitted[0], torch.zeros_like(fitted[1]))
    for spoken in photos:
        with torch.no_grad():
            source = speaker.read(spoken)
        pictures = {"copied": spoken.source.expand_as(spoken.target)}
        for name, fields in (("given", given), ("without", empty), ("fitted", fitted)):
            _put(speaker, fields)
            made = speaker.say(spoken, source)
            pictures[name] = made.picture
            if name == "without":
                true = in_window(lacking(spoken, made), spoken.place)
        told = np.tensordot(spoken.steps, fitted[1].double().numpy(), (1, 0))
        for kind, part in _KINDS.items():
            errors = np.abs(told - true)[:, part].mean(), np.abs(true[:, part]).mean()
            lack[kind].append((float(errors[0]), float(errors[1])))
        for name, picture in pictures.items():
            away = in_window((picture - spoken.target).abs(), spoken.place)
            shown.setdefault(name, []).append(float(away.mean()))
    _put(speaker, fitted)
    if not shown:
        return {}
    results: dict[str, Any] = {}
    for kind, rows in lack.items():
        error, size = np.mean(rows, 0)
        results[kind] = {"error": round(float(error), 5), "without": round(float(size), 5)}
    return results | {
        "picture": {name: round(float(np.mean(rows)), 4) for name, rows in shown.items()}
    }


def refit(
    head: Path,
    portraits: Sequence[LabelledPortrait],
    faces: Path,
    out: Path,
    say: Callable[[str], None],
) -> None:
    """Write the parts of a head again, the generator with fitted mouth fields.

    Args:
        head: Export of `ttsf-warmup`.
        portraits: Photos; some that are not held out are fitted on, all held-out neutral ones
            measured.
        faces: Folder of `recipes/acted_portraits.py`, for its pool of mouths.
        out: Folder for the result.
        say: Told what was measured.

    Raises:
        InputError: If `out` is the folder of the head.
        ConfigError: If the generator has no mean flows.
        CheckpointError: If a part is absent or damaged.
        DataError: If there is no pool of mouths, or no photo can be used.
    """
    path = part_path(head, PARTS[0])
    copy_parts(head, out, (PARTS[0],))
    generator = load_generator(path)
    mouth = MouthCode(generator.config.style_dim)
    load_module(mouth, part_path(head, "mouth"))
    speaker, pool = Speaker(generator, mouth, str(path)), read_pool(faces)
    training, held = hold_out(portraits)
    chosen = [row for row in training if not row.smiling][::_NEUTRAL_STEP]
    chosen += [row for row in training if row.smiling][::_SMILING_STEP]
    given = _copies(speaker)
    fit_mouth_fields(speaker, Photos(chosen, pool, speaker.side, say))
    unseen = Photos([row for row in held if not row.smiling], pool, speaker.side, say)
    results = measure(speaker, unseen, given, _copies(speaker))
    say(f"fitted on {len(chosen)} photos; held-out people, at the mouth: {results}")
    fitting = {"command": _COMMAND, "date": date.today().isoformat(), "photos": len(chosen)}
    card = {**load_card(path), "mouth_fields": {**fitting, "held-out people": results}}
    save_checkpoint(part_path(out, PARTS[0]), generator.state_dict(), card)


@torch.no_grad()
def _put(speaker: Speaker, fields: tuple[Tensor, Tensor]) -> None:
    speaker.fields.fields.copy_(fields[0])
    speaker.fields.mouth_fields.copy_(fields[1])


def _copies(speaker: Speaker) -> tuple[Tensor, Tensor]:
    fields = speaker.fields
    return fields.fields.detach().clone(), fields.mouth_fields.detach().clone()


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description="Fit what a generator lacks at the mouth.")
    parser.add_argument("--head", type=Path, required=True, help="export of ttsf-warmup")
    parser.add_argument("--data", type=Path, required=True, help="folder with faces")
    parser.add_argument("--faces", type=Path, required=True, help="folder of acted_portraits")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the parts")
    arguments = parser.parse_args()
    portraits = list_portraits(arguments.data / "faces")
    refit(arguments.head, portraits, arguments.faces, arguments.output, print)


if __name__ == "__main__":
    main()
