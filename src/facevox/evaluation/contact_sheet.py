"""Contact sheets: what a face looks like in every kind of motion, to be looked at.

`python -m facevox.evaluation.contact_sheet PHOTO... -o SHEET.png` draws a row of
stills for each photo; `--strip TEXT` draws frames of a spoken text over time, `--grid`
every mouth in every pose; `--system ttsf` shows another renderer.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from facevox.core.controls import Controls
from facevox.core.errors import FacevoxError
from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.core.portrait.reader import read_portrait
from facevox.core.text.reader import read_sentences
from facevox.core.voice import Voice
from facevox.models.face.ttsf.flow_renderer import FlowRenderer
from facevox.models.face.warp.renderer import WarpRenderer
from facevox.systems.lite import Lite
from facevox.systems.registry import load
from facevox.systems.system import System
from facevox.systems.ttsf import Ttsf

SOUNDS = {
    "aa": "Father.",
    "iy": "Seat.",
    "uw": "Food.",
    "ow": "Boat.",
    "f": "Coffee.",
    "m": "Summer.",
    "th": "Nothing.",
    "l": "Hello.",
}
"""Phones to show and a word in which each stands in the middle."""

POSES: dict[str, dict[str, float | tuple[float, ...]]] = {
    "smile": {"smile": 1.0},
    "half blink": {"eyelids": 0.5},
    "blink": {"eyelids": 1.0},
    "gaze": {"gaze": (4.0, 0.0)},
    "brows": {"brows": 1.0},
    "yaw -6": {"head_pose": (-6.0, 0.0, 0.0)},
    "yaw +6": {"head_pose": (6.0, 0.0, 0.0)},
    "pitch +5": {"head_pose": (0.0, 5.0, 0.0)},
    "roll +4": {"head_pose": (0.0, 0.0, 4.0)},
}
GRID_SOUNDS = ("m", "aa", "iy", "uw", "f")
GRID_POSES = ("yaw -6", "rest", "yaw +6")
CELL = 224  # px
FACE_IN_CELL = 1.5
"""Side of a cell over the height of the face."""


def sound_motions(system: Lite) -> dict[str, Motion]:
    """Return one row of motion for the middle of each phone in `SOUNDS`."""
    motions = {}
    for name, word in SOUNDS.items():
        speech = system.speech.speak(next(read_sentences(word)), Voice())
        phone = next(phone for phone in speech.phones if phone.name == name)
        stream = system.motion.start(0, Controls.still(), Fraction(100))
        count = int(speech.duration * 100)
        motion = stream.advance(speech, 0, count, 0.0)
        middle = min(count - 1, int(50 * (phone.start + phone.end)))
        motions[name] = motion[middle : middle + 1]
    return motions


def pose_motions() -> dict[str, Motion]:
    """Return one row of motion for each of `POSES`."""
    return {
        name: Motion.rest(1).with_channels(
            **{channel: np.array([value], np.float32) for channel, value in channels.items()}
        )
        for name, channels in POSES.items()
    }


def grid_motions(
    sounds: dict[str, Motion], poses: dict[str, Motion], factor: float = 1.5
) -> dict[str, Motion]:
    """Return every mouth of `GRID_SOUNDS` in every pose of `GRID_POSES`, turned by a factor."""
    return {
        f"{sound} {pose}": sounds[sound].with_channels(
            head_pose=factor * {**poses, "rest": Motion.rest(1)}[pose].head_pose
        )
        for pose in GRID_POSES
        for sound in GRID_SOUNDS
    }


def stills(
    portrait: Portrait, motions: dict[str, Motion], cell: int, system: Ttsf | None = None
) -> list[UInt8[np.ndarray, "cell cell 3"]]:
    """Return the photo, the face at rest, and one still per motion.

    Args:
        portrait: The photo.
        motions: One row each.
        cell: Side of a cell [px].
        system: Renders with its flow generator; None renders as `lite` does.
    """
    renderer: WarpRenderer | FlowRenderer = (
        WarpRenderer(portrait) if system is None else system.renderer(portrait)
    )
    crop = _Crop(portrait, cell)
    rows = [Motion.rest(1), *motions.values()]
    return [crop(portrait.pixels), *(crop(next(renderer.frames(row))) for row in rows)]


def strip_over_time(
    system: System, portrait: Portrait, text: str, *, columns: int, cell: int, seed: int = 0
) -> list[UInt8[np.ndarray, "cell cell 3"]]:
    """Return evenly spaced frames of a spoken text."""
    face = system.generate(portrait, text, seed=seed)
    frames = face.clock.num_frames(len(face.waveform()))
    wanted = set(np.linspace(0, frames - 1, columns).round().astype(int).tolist())
    crop = _Crop(portrait, cell)
    return [crop(frame) for index, frame in enumerate(face.frames()) if index in wanted]


class _Crop:
    """Cuts the face out of a picture, always at the same place."""

    def __init__(self, portrait: Portrait, cell: int) -> None:
        photo_height, photo_width = portrait.pixels.shape[:2]
        x0, y0, x1, y1 = portrait.face_box
        side = FACE_IN_CELL * max(x1 - x0, y1 - y0)
        center = np.array([(x0 + x1) / 2 / photo_width, (y0 + y1) / 2 / photo_height])
        self._center, self._side, self._cell = center, side / photo_width, cell

    def __call__(self, picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "cell cell 3"]:
        import cv2

        height, width = picture.shape[:2]
        scale = self._cell / (self._side * width)
        shift = self._cell / 2 - scale * self._center * (width, height)
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        if scale < 0.7:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=mode)
            matrix[:, :2] = np.eye(2)
        return cv2.warpAffine(
            picture, matrix, (self._cell, self._cell), flags=cv2.INTER_CUBIC, borderValue=(40,) * 3
        )


def in_lines(
    cells: list[UInt8[np.ndarray, "cell cell 3"]], columns: int
) -> UInt8[np.ndarray, "h w 3"]:
    """Return the cells in lines of so many columns; the last line is filled with white."""
    missing = -len(cells) % columns
    cells = cells + [np.full_like(cells[0], 255)] * missing
    lines = [np.hstack(cells[k : k + columns]) for k in range(0, len(cells), columns)]
    return np.vstack(lines)


def labelled(cell: UInt8[np.ndarray, "h w 3"], name: str) -> UInt8[np.ndarray, "h w 3"]:
    """Return the cell with a name in its corner."""
    import cv2

    cell = cell.copy()
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(cell, name, (5, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, width, cv2.LINE_AA)
    return cell


def main() -> None:
    """Draw a sheet; see the module's docstring."""
    import argparse

    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--strip", help="draw this text over time instead of stills")
    parser.add_argument("--grid", action="store_true", help="draw every mouth in every pose")
    parser.add_argument("--system", choices=("lite", "ttsf"), default="lite")
    parser.add_argument("--weights", type=Path, help="folder of weights for ttsf")
    parser.add_argument("--columns", type=int, default=10, help="cells in a line")
    parser.add_argument("--lines", type=int, default=1, help="lines of a strip")
    parser.add_argument("--cell", type=int, default=CELL)
    options = parser.parse_args()
    lite = load("lite")
    assert isinstance(lite, Lite)
    weights = {"weights": options.weights} if options.weights else {}
    ttsf = load("ttsf", **weights) if options.system == "ttsf" else None
    assert ttsf is None or isinstance(ttsf, Ttsf)
    sounds, poses = sound_motions(lite), pose_motions()
    motions = grid_motions(sounds, poses) if options.grid else {**sounds, **poses}
    names = ["photo", "rest", *motions]
    rows = []
    for photo in options.photos:
        try:
            portrait = read_portrait(photo)
        except FacevoxError as error:
            print(f"{photo}: {error}")
            continue
        if options.strip:
            count = options.columns * options.lines
            cells = strip_over_time(
                ttsf or lite, portrait, options.strip, columns=count, cell=options.cell
            )
        else:
            cells = stills(portrait, motions, options.cell, ttsf)
            cells = [labelled(cell, name) for cell, name in zip(cells, names, strict=True)]
        rows.append(in_lines(cells, options.columns or len(cells)))
    sheet = np.vstack(rows)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(options.output, quality=90)


if __name__ == "__main__":
    main()
