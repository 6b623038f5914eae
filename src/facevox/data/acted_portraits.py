"""Portraits that act: frames of many people whose motion is known, made by the warp renderer.

A few hundred photos show a face once or twice; a generator that shall move anybody's face
needs to see many of them move.  Each sample is a pair of frames with the same head, eyes and
expression and two different mouths, so that a network can learn what the mouth is apart from
everything else.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float16, Float32, UInt8

from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.models.face.lia.view import view_of
from facevox.models.face.ttsf.codes import motion_of
from facevox.models.face.warp.renderer import WarpRenderer

FLOW_STEP = 4
"""Pixels of a picture between two places where the flow is known."""

_RENDERED_SIDE = 320


@dataclass(frozen=True, kw_only=True, slots=True)
class ActedPortrait:
    """Frames of one photo.

    Attributes:
        frames: Pairs of pictures that differ in the mouth only, RGB.
        mouth: Numbers of `codes.MOUTH_CHANNELS` for both.
        others: Numbers of `codes.OTHER_CHANNELS`, the same for both.
        flow: How far away in the photo at rest every fourth pixel comes from, x and y [px].
    """

    frames: UInt8[np.ndarray, "samples 2 side side 3"]
    mouth: Float32[np.ndarray, "samples 2 9"]
    others: Float32[np.ndarray, "samples 9"]
    flow: Float16[np.ndarray, "samples 2 cells cells 2"]


def draw_others(count: int, generator: np.random.Generator) -> Float32[np.ndarray, "count 9"]:
    """Return head poses, blinks, glances, brows and smiles, somewhat wider than people's.

    Args:
        count: How many.
        generator: Source of randomness.
    """
    normal = generator.standard_normal
    pose = np.clip(normal((count, 3)) * (8.0, 5.0, 4.5), -18, 18)
    breath = generator.random((count, 1))
    kinds = generator.random(count)
    shut = np.where(kinds < 0.6, 0.0, np.where(kinds < 0.85, generator.random(count), 1.0))
    gaze = np.clip(normal((count, 2)) * (6.0, 4.0), -14, 14)
    brows = np.clip(0.5 * normal(count), -1, 1) * (generator.random(count) < 0.7)
    smile = np.where(generator.random(count) < 0.5, 0.0, generator.uniform(-0.7, 1.0, count))
    columns = [pose, breath, shut[:, None], gaze, brows[:, None], smile[:, None]]
    return np.concatenate(columns, 1).astype(np.float32)


def act(
    portrait: Portrait,
    mouths: Float32[np.ndarray, "pool 9"],
    num_samples: int,
    side: int,
    generator: np.random.Generator,
) -> ActedPortrait:
    """Render random motion of a portrait.

    The first sample is the photo at rest.

    Args:
        portrait: The photo.
        mouths: Mouths of speech to draw from.
        num_samples: Pairs of frames.
        side: Length of a side of the pictures [px].
        generator: Source of randomness.

    Raises:
        InputError: If the face is too small to be rendered.
    """
    others = draw_others(num_samples, generator)
    mouth = mouths[generator.integers(0, len(mouths), (num_samples, 2))]
    mouth[generator.random(num_samples) < 0.15, 0] = 0.0
    others[0], mouth[0, 0] = 0.0, 0.0
    frames, flow = perform(portrait, mouth.reshape(-1, 9), np.repeat(others, 2, 0), side)
    return ActedPortrait(
        frames=frames.reshape(num_samples, 2, side, side, 3),
        mouth=mouth,
        others=others,
        flow=flow.reshape(num_samples, 2, *flow.shape[1:]),
    )


def perform(
    portrait: Portrait,
    mouth: Float32[np.ndarray, "frames 9"],
    others: Float32[np.ndarray, "frames 9"],
    side: int,
    step: int = FLOW_STEP,
) -> tuple[UInt8[np.ndarray, "frames side side 3"], Float16[np.ndarray, "frames cells cells 2"]]:
    """Render given motion of a portrait; return the pictures and where they come from [px].

    Args:
        portrait: The photo.
        mouth: Numbers of `codes.MOUTH_CHANNELS`.
        others: Numbers of `codes.OTHER_CHANNELS`.
        side: Length of a side of the pictures [px].
        step: Pixels between two places where the flow is known.

    Raises:
        InputError: If the face is too small to be rendered.
    """
    renderer, matrix = _stage(portrait, side)
    motion = motion_of(mouth, others)
    frames = np.stack([cut_square(frame, matrix, side) for frame in renderer.frames(motion)])
    return frames, _flow(renderer, motion, matrix, side, step)


def act_flows(
    portrait: Portrait,
    mouth: Float32[np.ndarray, "samples 9"],
    others: Float32[np.ndarray, "samples 9"],
    side: int,
) -> Float16[np.ndarray, "samples cells cells 2"]:
    """Return where every fourth pixel comes from, without rendering pictures.

    Args:
        portrait: The photo.
        mouth: Numbers of `codes.MOUTH_CHANNELS`.
        others: Numbers of `codes.OTHER_CHANNELS`.
        side: Length of a side of the pictures [px].

    Raises:
        InputError: If the face is too small to be rendered.
    """
    renderer, matrix = _stage(portrait, side)
    return _flow(renderer, motion_of(mouth, others), matrix, side, FLOW_STEP)


def _stage(portrait: Portrait, side: int) -> tuple[WarpRenderer, np.ndarray]:
    """Return a renderer, and where the generator's square lies in its pictures."""
    view = view_of(portrait.landmarks)
    longest = max(portrait.pixels.shape[:2])
    size = int(np.clip(longest * _RENDERED_SIDE * side / 256 / view.size, 64, 2 * longest))
    renderer = WarpRenderer(portrait, size=size)
    photo = np.array([portrait.pixels.shape[1], portrait.pixels.shape[0]])
    scale = np.array([renderer.width, renderer.height]) / photo
    return renderer, view.matrix(side) * scale[:, None]


def _flow(
    renderer: WarpRenderer, motion: Motion, matrix: np.ndarray, side: int, step: int
) -> Float16[np.ndarray, "frames cells cells 2"]:
    line = (np.arange(side // step) + 0.5) * step - 0.5
    cells = np.stack(np.meshgrid(line, line), -1)
    points = (cells @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    back = np.linalg.inv(matrix[:, :2]).T
    moved = [(found - points) @ back for found in renderer.origins(motion, points)]
    return np.stack(moved).astype(np.float16)


def cut_square(frame: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """Return a `side` x `side` picture whose pixels lie in a frame where an affine map says."""
    import cv2

    return cv2.warpAffine(
        frame,
        matrix,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def write_acted(folder: Path, name: str, acted: ActedPortrait) -> None:
    """Write one photo's frames as arrays that can be read in place."""
    np.save(folder / f"{name}.mouth.npy", acted.mouth)
    np.save(folder / f"{name}.others.npy", acted.others)
    np.save(folder / f"{name}.flow.npy", acted.flow)
    np.save(folder / f"{name}.frames.npy", acted.frames)
