"""From any picture to a `Portrait`: the face that shall speak, found and measured."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from facevox.core.errors import InputError, NoFaceFound
from facevox.core.portrait.attention_mesh import SIDE
from facevox.core.portrait.drawn_face import looks_drawn
from facevox.core.portrait.face_mesh import FaceMesh, crop_around
from facevox.core.portrait.face_search import SURE_CONFIDENCE, find_meshes, mesh_in_box, turned
from facevox.core.portrait.head_pose import estimate_head_pose
from facevox.core.portrait.picture import Source, read_picture
from facevox.core.portrait.portrait import TURN_LIMIT, TURN_WARNING, Portrait

SMALL_IOD = 32.0
"""Distance between the irises below which the mouth comes out blurred [px]."""

MIN_SHARPNESS = 0.1
"""Of 31 portraits the least sharp has 0.23, and 0.1 after blurring by 3 % of the IOD."""

MIN_BOX = 24.0
"""Shorter side of a box below which no face can be in it [px]."""

Box = Sequence[float | int]


def read_portrait(
    source: Source | Portrait, *, face: int | None = None, box: Box | None = None
) -> Portrait:
    """Read a photo and find the face in it that shall speak.

    A photo in which the face lies on its side or upside down is turned.

    Args:
        source: Anything `read_picture` takes; a `Portrait` is returned as it is.
        face: Which face when there are several, 0 = the largest (the default).
        box: Corners x0, y0, x1, y1 around the face in the upright photo [px]; the rest of
            the photo is not searched then.

    Raises:
        InputError: If the source, `face` or `box` cannot be used, or the face is
            turned too far to the side.
        NoFaceFound: If there is no face.
        MediaError: If the file cannot be read.
        MissingPiece: If the face models are not installed.
    """
    if isinstance(source, Portrait):
        return source
    pixels, turns = read_picture(source), 0
    if box is None:
        turns, meshes = find_meshes(pixels)
        pixels = turned(pixels, turns) if turns else pixels
    else:
        mesh = mesh_in_box(pixels, _checked_box(box, pixels.shape[1], pixels.shape[0]))
        meshes = [mesh] if mesh else []
    if not meshes:
        raise NoFaceFound(_no_face_message(box))
    mesh = meshes[_chosen(face, len(meshes))]
    portrait = Portrait(
        pixels=pixels,
        face_box=mesh.box,
        landmarks=mesh.landmarks,
        head_pose=estimate_head_pose(mesh.landmarks),
        face_index=face or 0,
        face_count=len(meshes),
        drawn=looks_drawn(pixels, mesh.landmarks),
    )
    _refuse_side_face(portrait.head_pose[0])
    warnings = [*_choice_warnings(len(meshes), face), *_turn_warnings(turns)]
    return replace(portrait, warnings=(*warnings, *_quality_warnings(portrait, mesh)))


def _no_face_message(box: Box | None) -> str:
    if box is not None:
        return (
            f"There is no face in the box {box}; draw it around the whole face, from the hair to "
            "the chin."
        )
    return (
        "No face was found in the photo; use one where the whole face is visible, lit and turned "
        "to the camera, or say where the face is with a box."
    )


def _checked_box(box: Box, width: int, height: int) -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(value) for value in box)
    except (TypeError, ValueError) as error:
        raise InputError(f"A box is four numbers x0, y0, x1, y1 [px]; got {box!r}.") from error
    clipped = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    if not (x0 < x1 and y0 < y1 and clipped[0] < clipped[2] and clipped[1] < clipped[3]):
        raise InputError(
            "A box is x0, y0, x1, y1 with x0 < x1 and y0 < y1 inside the photo of "
            f"{width}x{height} pixels; got {box!r}."
        )
    if min(clipped[2] - clipped[0], clipped[3] - clipped[1]) < MIN_BOX:
        raise InputError(f"The box {box!r} is too small; a face needs {MIN_BOX:.0f} pixels.")
    return clipped


def _chosen(face: int | None, count: int) -> int:
    index = 0 if face is None else face
    if not isinstance(index, int | np.integer) or not 0 <= index < count:
        known = "only face 0" if count == 1 else f"faces 0 (the largest) to {count - 1}"
        raise InputError(f"There is no face {face!r}; the photo shows {known}.")
    return int(index)


def _refuse_side_face(yaw: float) -> None:
    if abs(yaw) > TURN_LIMIT:
        raise InputError(
            f"The face is turned {abs(yaw):.0f} degrees to the side; at most {TURN_LIMIT:.0f} can "
            "be animated: use a photo taken more from the front."
        )


def _choice_warnings(count: int, face: int | None) -> list[str]:
    if count == 1 or face is not None:
        return []
    others = "face 1" if count == 2 else f"face 1 to {count - 1}"
    return [f"The photo shows {count} faces and the largest, face 0, speaks; or ask for {others}."]


def _turn_warnings(turns: int) -> list[str]:
    if not turns:
        return []
    how = {1: "clockwise by 90", 2: "by 180", 3: "counter-clockwise by 90"}[turns]
    return [f"The photo was turned {how} degrees, so that the face is upright."]


def _quality_warnings(portrait: Portrait, mesh: FaceMesh) -> list[str]:
    """Say what may make the result look worse, the gravest first."""
    warnings = []
    yaw = abs(portrait.head_pose[0])
    if yaw > TURN_WARNING:
        warnings.append(
            f"The face is turned {yaw:.0f} degrees to the side; a photo from the front looks "
            "better."
        )
    if portrait.iod < SMALL_IOD:
        warnings.append(
            f"The face is small, {portrait.iod:.0f} pixels between the eyes; from "
            f"{SMALL_IOD:.0f} on the mouth comes out sharp."
        )
    elif _sharpness(portrait) < MIN_SHARPNESS:
        warnings.append("The face is blurred; a sharper photo gives a sharper video.")
    if mesh.confidence < SURE_CONFIDENCE:
        warnings.append(
            "The face is hard to make out, so its outlines may be off; a clearer photo would help."
        )
    return warnings


def _sharpness(portrait: Portrait) -> float:
    """Return the fine detail of the face relative to its contrast."""
    grey = crop_around(portrait.landmarks).cut(portrait.pixels, SIDE).mean(2)
    middle = grey[SIDE // 6 : -SIDE // 6, SIDE // 6 : -SIDE // 6]
    return float(cv2.Laplacian(middle, cv2.CV_32F).std() / max(middle.std(), 1e-6))
