"""Other framings, other faces and other light for pictures that belong together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.mouth_basis import MouthBasis

_USUAL_SIDE = 256
_MIRRORED_OTHERS = np.array([-1, 1, -1, 1, 1, -1, 1, 1, 1], np.float32)
"""Signs of yaw, pitch, roll, breath, eyelids, gaze (x, y), brows and smile in a mirror."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shaken:
    """Pictures that were all changed alike.

    Attributes:
        pictures: In [-1, 1].
        flow: Displacements to the source, x and y [px]; None if they were not known.
        place: Where the first picture's mouth lies: x, y and size, in halves of the side.
        mirrored: Whether left is right.
    """

    pictures: Float32[np.ndarray, "pictures side side 3"]
    flow: Float32[np.ndarray, "cells cells 2"] | None
    place: Float32[np.ndarray, " 3"]
    mirrored: bool


def shake(
    pictures: Sequence[UInt8[np.ndarray, "side side 3"]],
    flow: Float32[np.ndarray, "cells cells 2"] | None,
    place: Float32[np.ndarray, " 3"],
    generator: np.random.Generator,
) -> Shaken:
    """Return pictures of a slightly different face, differently framed and lit.

    A smooth random warp changes the person's proportions, so that a few hundred people become
    many.

    Args:
        pictures: Pictures of one person, all changed alike.
        flow: Displacement from each cell of the second picture to the first [px].
        place: Where the first picture's mouth lies: x, y and size, in halves of the side.
        generator: Source of randomness.
    """
    frames = list(pictures)
    if generator.random() < 0.75:
        frames, flow, place = _warped(frames, flow, place, generator)
    mirrored = bool(generator.random() < 0.5)
    if mirrored:
        frames = [frame[:, ::-1] for frame in frames]
        if flow is not None:
            flow = flow[:, ::-1] * np.array([-1, 1], np.float32)
        place = place * np.array([-1, 1, 1], np.float32)
    values = np.stack(frames).astype(np.float32) / 255
    if generator.random() < 0.7:
        values = _relit(values, generator)
    values = np.clip(values, 0, 1) * 2 - 1
    return Shaken(
        pictures=values.astype(np.float32),
        flow=flow,
        place=place.astype(np.float32),
        mirrored=mirrored,
    )


def mirrored_mouth(mouth: Float32[np.ndarray, "9"]) -> Float32[np.ndarray, "9"]:
    """Return the numbers of a mouth as a mirror shows it."""
    changed = mouth.copy()
    changed[:6] = mouth[:6] @ _mirror_of_mouths()
    return changed


def mirrored_others(others: Float32[np.ndarray, "9"]) -> Float32[np.ndarray, "9"]:
    """Return the numbers of head, eyes and expression as a mirror shows them."""
    return others * _MIRRORED_OTHERS


@lru_cache(maxsize=1)
def _mirror_of_mouths() -> Float32[np.ndarray, "6 6"]:
    basis = MouthBasis.load()
    displacement = basis.displacement.astype(np.float64)
    mirror = displacement[:, basis.mirror].copy()
    mirror[..., 0] *= -1
    flat = displacement.reshape(len(displacement), -1).T
    found = np.linalg.lstsq(flat, mirror.reshape(len(mirror), -1).T, rcond=None)[0]
    return found.T.astype(np.float32)


def _warped(
    frames: list[np.ndarray],
    flow: Float32[np.ndarray, "cells cells 2"] | None,
    mouth: Float32[np.ndarray, " 3"],
    generator: np.random.Generator,
) -> tuple[list[np.ndarray], Float32[np.ndarray, "cells cells 2"] | None, np.ndarray]:
    """Turn, scale, stretch, move and bend pictures."""
    import cv2

    side = frames[0].shape[0]
    unit, middle = side / _USUAL_SIDE, side / 2
    angle, size, stretch = generator.normal(size=3) * (0.04, 0.04, 0.03) + (0, 1, 1)
    cos, sin = np.cos(angle), np.sin(angle)
    affine = np.array([[cos, -sin], [sin, cos]]) @ np.diag([size * stretch, size / stretch])
    bend = cv2.resize(
        (generator.normal(size=(5, 5, 2)) * 3 * unit).astype(np.float32),
        (side, side),
        interpolation=cv2.INTER_CUBIC,
    )
    line = np.arange(side) - middle
    grid = np.stack(np.meshgrid(line, line), -1)
    place = grid @ affine.T + middle + generator.normal(size=2) * 6 * unit + bend
    place = place.astype(np.float32)
    moved = [_remap(np.ascontiguousarray(frame), place) for frame in frames]
    mouth = _found(mouth, place, float(size))
    if flow is None:
        return moved, None, mouth
    step = side // len(flow)
    centres = ((place[step // 2 :: step, step // 2 :: step] + 0.5) / step - 0.5).astype(np.float32)
    there = _remap(flow, centres) @ np.linalg.inv(affine).T
    return moved, there.astype(np.float32), mouth


def _found(
    mouth: Float32[np.ndarray, " 3"], place: Float32[np.ndarray, "side side 2"], size: float
) -> Float32[np.ndarray, " 3"]:
    """Return where a place of the old pictures lies in the new ones."""
    side = len(place)
    pixel = (mouth[:2] + 1) * side / 2 - 0.5
    nearest = int(np.square(place - pixel).sum(-1).argmin())
    y, x = divmod(nearest, side)
    halves = [(x + 0.5) * 2 / side - 1, (y + 0.5) * 2 / side - 1, mouth[2] / size]
    return np.array(halves, np.float32)


def _remap(picture: np.ndarray, place: Float32[np.ndarray, "h w 2"]) -> np.ndarray:
    import cv2

    x, y = np.ascontiguousarray(place[..., 0]), np.ascontiguousarray(place[..., 1])
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _relit(
    values: Float32[np.ndarray, "pictures side side 3"], generator: np.random.Generator
) -> np.ndarray:
    gamma = np.exp(generator.normal() * 0.2)
    tint = np.exp(generator.normal(size=3) * 0.07).astype(np.float32)
    values = np.clip(values, 1e-4, 1) ** gamma * tint * np.exp(generator.normal() * 0.08)
    if generator.random() < 0.15:
        values = values.mean(-1, keepdims=True).repeat(3, -1)
    return values
