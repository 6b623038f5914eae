"""Mouths and eyes of many people, close up: windows of photos that the warp renderer moved.

The head is still, so that a window lies in the photo's own pose.  Layout of a folder, made by
`facevox.recipes.close_up_pictures`: `NAME.REGION0.npz` for each window of each photo, with

    pictures (2 + samples, side, side, 3)   at rest, the region's second picture, then the samples
    numbers  (samples, numbers)             what moves them (`Region.numbers`)
    flow     (samples, cells, cells, 2)     where they come from in the first [halves of the window]
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float16, Float32, UInt8
from torch import Tensor
from torch.nn import functional

from facevox.core.errors import DataError
from facevox.core.portrait.portrait import Portrait
from facevox.data.acted_portraits import cut_square, perform
from facevox.data.face_augmentation import mirrored_mouth
from facevox.data.face_pairs import person_of
from facevox.data.portraits import HELD_OUT
from facevox.models.face.lia.view import view_of
from facevox.models.face.ttsf.close_up_regions import REGIONS, Region
from facevox.models.face.ttsf.codes import flow_controls, numbers_of

SIDE = 144
"""Pixels of a window, both ways."""

MARGIN = 1.15
"""Windows on disk are wider than those to learn from, which are shaken in them."""

_VIEW, _STEP, _CELLS = 512, 2, 48
_FIRST_OF_FACE = 4  # before it among the numbers of head and expression: the head and breath


@dataclass(frozen=True, kw_only=True)
class CloseUpPictures:
    """One window of one photo; see the module."""

    pictures: UInt8[np.ndarray, "all side side 3"]
    numbers: Float32[np.ndarray, "samples numbers"]
    flow: Float16[np.ndarray, "samples cells cells 2"]


def film_close_ups(
    region: Region,
    portrait: Portrait,
    mouth: Float32[np.ndarray, "samples 9"],
    others: Float32[np.ndarray, "samples 9"],
) -> list[CloseUpPictures]:
    """Render what a region of a portrait does; return its windows.

    Args:
        region: Mouth or eyes.
        portrait: The photo.
        mouth: Numbers of the mouth.
        others: Those of the eyes; head poses are left out.

    Raises:
        InputError: If the face is too small to be rendered.
    """
    second = numbers_of(region.second)
    still = np.where(np.arange(others.shape[1]) < _FIRST_OF_FACE, 0, others).astype(np.float32)
    numbers = [
        np.concatenate([np.zeros_like(known), known, moved])
        for known, moved in zip(second, (mouth, still), strict=True)
    ]
    frames, flow = perform(portrait, numbers[0], numbers[1], _VIEW, _STEP)
    moved = torch.from_numpy(mouth), torch.from_numpy(still)
    controls = flow_controls(*moved, torch.zeros(3))
    found = []
    for window in region.windows(portrait.landmarks, view_of(portrait.landmarks)):
        middle, half = window.place[:2], MARGIN * float(window.place[2])
        pictures = np.stack([_window(frame, middle, half, SIDE) for frame in frames])
        # pixels of the view -> halves of the window that is learned from
        unit = 2 / _VIEW * MARGIN / half
        cells = np.stack(
            [_window(rows.astype(np.float32), middle, half, _CELLS) * unit for rows in flow[2:]]
        )
        if window.mirrored:
            pictures, cells = pictures[:, :, ::-1], cells[:, :, ::-1] * [-1, 1]
        found.append(
            CloseUpPictures(
                pictures=np.ascontiguousarray(pictures),
                numbers=region.numbers(controls, window.mirrored).numpy(),
                flow=cells.astype(np.float16),
            )
        )
    return found


def write_close_up(path: Path, found: CloseUpPictures) -> None:
    """Write one window of one photo."""
    with path.open("wb") as file:
        np.savez(file, pictures=found.pictures, numbers=found.numbers, flow=found.flow)


class CloseUpSampler:
    """Draws batches of windows.

    Args:
        folder: Where the windows are.
        region: Name in `REGIONS`.
        side: Pixels of the pictures of a batch.
        held: Whether to open the people kept from training, instead of all others.

    Raises:
        DataError: If there is nobody, or a file cannot be read.
    """

    def __init__(self, folder: Path, region: str, *, side: int, held: bool = False) -> None:
        self.side, self._mirrors = side, region == "mouth"
        found = {path: path.name.split(".")[0] for path in sorted(folder.glob(f"*.{region}?.npz"))}
        paths = [path for path, name in found.items() if (person_of(name) in HELD_OUT) == held]
        if not paths:
            raise DataError(
                f"{folder} holds no close-ups of {region}{' of held-out people' if held else ''}; "
                f"make them with python -m facevox.recipes.close_up_pictures --region {region}."
            )
        self._photos = [_opened(path, REGIONS[region]) for path in paths]
        photos = {found[path] for path in paths}
        people = {person_of(name) for name in photos}
        self.description = f"{len(photos)} photos of {len(people)} people, {region} moved"

    def draw(self, batch: int, generator: np.random.Generator) -> dict[str, Tensor]:
        """Return a batch: windows at random, mirrored, shifted, lit and blurred by chance.

        Args:
            batch: How many.
            generator: Source of randomness.

        Returns:
            `first`, `second`, `target` (batch, 3, side, side) in about [-1, 1]; `numbers`
            (batch, numbers); `flow` (batch, 2, cells, cells), as `CloseUpFields.first`.
        """
        rows = [self._row(self._photos[k], generator) for k in
                generator.integers(0, len(self._photos), batch)]  # fmt: skip
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def of_each(self, samples: int) -> dict[str, Tensor]:
        """Return the first samples of every window as they are."""
        rows = [
            self._cut(photo, number, np.zeros(2), 1.0)
            for photo in self._photos
            for number in range(min(samples, len(photo.numbers)))
        ]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def _row(self, photo: CloseUpPictures, generator: np.random.Generator) -> dict[str, Tensor]:
        number = int(generator.integers(len(photo.numbers)))
        shift = generator.uniform(-0.06, 0.06, 2)
        row = self._cut(photo, number, shift, float(generator.uniform(0.92, 1.06)))
        names = ("first", "second", "target")
        # eyes are right eyes already
        if self._mirrors and generator.random() < 0.5:
            row = {n: v.flip(-1) if n in (*names, "flow") else v for n, v in row.items()}
            row["flow"] = row["flow"] * torch.tensor([-1.0, 1.0])[:, None, None]
            row["numbers"] = torch.from_numpy(mirrored_mouth(row["numbers"].numpy()))
        gain = torch.from_numpy(np.exp(generator.normal(0, 0.12, (3, 1, 1)))).float()
        lift = torch.from_numpy(generator.normal(0, 0.08, (3, 1, 1))).float()
        blurred = generator.random() < 0.25
        for name in names:
            lit = (row[name] * gain + lift).clamp(-1, 1)
            row[name] = _blur(lit) if blurred else lit
        return row

    def _cut(
        self, photo: CloseUpPictures, number: int, shift: np.ndarray, scale: float
    ) -> dict[str, Tensor]:
        shown = torch.from_numpy(photo.pictures[[0, 1, 2 + number]]).permute(0, 3, 1, 2)
        flow = torch.from_numpy(photo.flow[number].astype(np.float32)).permute(2, 0, 1)[None]
        pixels = _resample(shown.float() / 127.5 - 1, shift, scale, self.side)
        names = ("first", "second", "target")
        cells = _resample(flow, shift, scale, flow.shape[-1])[0] / scale
        row = dict(zip(names, pixels, strict=True))
        return row | {"numbers": torch.from_numpy(photo.numbers[number].copy()), "flow": cells}


def _resample(x: Tensor, shift: np.ndarray, scale: float, side: int) -> Tensor:
    """Return the inner part of windows that were cut with a margin."""
    part = scale / MARGIN
    turn = torch.tensor([[part, 0, shift[0] / MARGIN], [0, part, shift[1] / MARGIN]])
    grid = functional.affine_grid(
        turn.float()[None].expand(len(x), -1, -1), [len(x), 1, side, side], align_corners=False
    )
    return functional.grid_sample(x, grid, align_corners=False, padding_mode="border")


def _blur(x: Tensor) -> Tensor:
    small = functional.avg_pool2d(x[None], 2)
    return functional.interpolate(small, x.shape[-2:], mode="bilinear", align_corners=False)[0]


def _window(picture: np.ndarray, place: np.ndarray, half: float, side: int) -> np.ndarray:
    """Cut a square out of a view; places in halves of the view."""
    whole = picture.shape[0]
    pixel = half * whole / side
    first = (place + 1 - half) * whole / 2 + pixel / 2 - 0.5
    matrix = np.array([[pixel, 0, first[0]], [0, pixel, first[1]]])
    return cut_square(picture, matrix, side)


def _opened(path: Path, region: Region) -> CloseUpPictures:
    wanted = region.columns.stop - region.columns.start
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = CloseUpPictures(**{name: arrays[name] for name in arrays.files})
        if found.numbers.shape[1] != wanted:
            raise ValueError(f"{found.numbers.shape[1]} numbers, expected {wanted}")
        return found
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} cannot be read ({error}); make it again.") from error
