"""From any picture to a `Portrait`: the face that shall speak, found and measured."""

import numpy as np
from jaxtyping import UInt8

from facevox.core.errors import InputError, NoFaceFound
from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.portrait.face_detector import Detection, find_faces
from facevox.core.portrait.face_mesh import MARGIN, FaceMesh, fit_mesh
from facevox.core.portrait.head_pose import estimate_head_pose
from facevox.core.portrait.picture import Source, read_picture
from facevox.core.portrait.portrait import TURN_LIMIT, TURN_WARNING, Portrait

SMALL_IOD = 48
"""Distance between the irises below which the mouth comes out blurred [px]."""

MIN_PRESENCE = 0.5
"""Score of the mesh network below which a detection is not taken for a face."""

MAX_FACES = 16


def read_portrait(
    source: Source | Portrait,
    *,
    face: int | None = None,
    box: tuple[float, float, float, float] | None = None,
) -> Portrait:
    """Read a photo and find the face in it that shall speak.

    Args:
        source: Anything `read_picture` takes; a `Portrait` is returned as it is.
        face: Which face when there are several, 0 = the largest (the default).
        box: Corners x0, y0, x1, y1 of the face in the upright photo [px]; nothing is
            searched for then.

    Raises:
        InputError: If the source, `face` or `box` cannot be used, or the face is
            turned too far to the side.
        NoFaceFound: If there is no face.
        MediaError: If the file cannot be read.
        MissingPiece: If the face models are not installed.
    """
    if isinstance(source, Portrait):
        return source
    pixels = read_picture(source)
    meshes = _find_meshes(pixels) if box is None else [_mesh_in_box(pixels, box)]
    index = _chosen(face, len(meshes))
    return _portrait(pixels, meshes, index, asked=face is not None)


def _find_meshes(pixels: UInt8[np.ndarray, "h w 3"]) -> list[FaceMesh]:
    """Return a mesh for every face, the largest first."""
    meshes = [fit_mesh(pixels, _crop_of(found)) for found in find_faces(pixels)[:MAX_FACES]]
    meshes = [mesh for mesh in meshes if mesh.score >= MIN_PRESENCE]
    if not meshes:
        raise NoFaceFound(
            "No face was found in the photo; use one where the whole face is visible, lit and "
            "turned to the camera, or say where the face is with a box."
        )
    return sorted(meshes, key=lambda mesh: -_extent(mesh))


def _crop_of(found: Detection) -> FaceCrop:
    (x, y), (right, left) = (found.box[:2] + found.box[2:]) / 2, found.points[:2]
    angle = np.arctan2(*(left - right)[::-1])
    return FaceCrop((float(x), float(y)), found.size * MARGIN, float(angle))


def _mesh_in_box(
    pixels: UInt8[np.ndarray, "h w 3"], box: tuple[float, float, float, float]
) -> FaceMesh:
    """Lay the mesh over the face in a box that the user gave."""
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = _checked_box(box, width, height)
    crop = FaceCrop(((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0) * MARGIN, 0.0)
    mesh = fit_mesh(pixels, crop)
    if mesh.score < MIN_PRESENCE:
        raise NoFaceFound(
            f"There is no face in the box {box}; draw it around the face, from the brows to "
            "the chin."
        )
    return mesh


def _checked_box(box: tuple, width: int, height: int) -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(value) for value in box)
    except (TypeError, ValueError) as error:
        raise InputError(f"A box is four numbers x0, y0, x1, y1 [px]; got {box!r}.") from error
    inside = -width <= x0 < x1 <= 2 * width and -height <= y0 < y1 <= 2 * height
    if not inside or x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
        raise InputError(
            f"A box is x0, y0, x1, y1 with x0 < x1 and y0 < y1 inside the photo of "
            f"{width}x{height} pixels; got {box!r}."
        )
    if min(x1 - x0, y1 - y0) < 16:
        raise InputError(f"The box {box!r} is too small; a face needs at least 16 pixels.")
    return x0, y0, x1, y1


def _chosen(face: int | None, count: int) -> int:
    index = 0 if face is None else face
    if not 0 <= index < count:
        known = "only face 0" if count == 1 else f"faces 0 (the largest) to {count - 1}"
        raise InputError(f"There is no face {face}; the photo shows {known}.")
    return index


def _portrait(pixels: np.ndarray, meshes: list[FaceMesh], index: int, *, asked: bool) -> Portrait:
    landmarks = meshes[index].landmarks
    pose = estimate_head_pose(landmarks)
    portrait = Portrait(
        pixels=pixels,
        face_box=_box_of(landmarks),
        landmarks=landmarks,
        head_pose=pose,
        face_index=index,
        face_count=len(meshes),
    )
    if abs(pose[0]) > TURN_LIMIT:
        raise InputError(
            f"The face is turned {abs(pose[0]):.0f} degrees to the side; at most "
            f"{TURN_LIMIT:.0f} can be animated: use a photo taken from the front."
        )
    warnings = []
    if len(meshes) > 1 and not asked:
        warnings.append(
            f"The photo shows {len(meshes)} faces and the largest speaks; choose another with "
            f"face=1 to face={len(meshes) - 1}."
        )
    if abs(pose[0]) > TURN_WARNING:
        warnings.append(
            f"The face is turned {abs(pose[0]):.0f} degrees to the side; a photo from the front "
            "looks better."
        )
    if portrait.iod < SMALL_IOD:
        warnings.append(
            f"The face is small ({portrait.iod:.0f} pixels between the eyes); from {SMALL_IOD} "
            "on the mouth looks sharp."
        )
    return Portrait(
        **{name: getattr(portrait, name) for name in Portrait.__slots__ if name != "warnings"},
        warnings=tuple(warnings),
    )


def _box_of(landmarks: np.ndarray) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = landmarks[:468, :2].min(0), landmarks[:468, :2].max(0)
    return float(x0), float(y0), float(x1), float(y1)


def _extent(mesh: FaceMesh) -> float:
    x0, y0, x1, y1 = _box_of(mesh.landmarks)
    return (x1 - x0) * (y1 - y0)
