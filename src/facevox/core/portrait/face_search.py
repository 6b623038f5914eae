"""From a photo to the meshes of the faces in it, whichever way up they are."""

import numpy as np
from jaxtyping import UInt8

from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.portrait.face_detector import Detection, find_faces
from facevox.core.portrait.face_mesh import MARGIN, FaceMesh, crop_around, fit_mesh
from facevox.core.portrait.head_pose import estimate_head_pose

MIN_CONFIDENCE = 8.0
"""Confidence of a mesh below which there is no face.  Highest on 60 pictures of noise: 6."""

SURE_CONFIDENCE = 20.0
"""Confidence from which a face is certain and upright.  Lowest of 240 portraits: 28;
highest of 40 portraits upside down: 19."""

MIN_IOD = 10.0
"""Distance between the irises below which nothing can be recognised [px]."""

MAX_FACES = 24

LYING_ROLL = 60.0
"""Tilt of a head from which the photo is taken to lie on its side [deg]."""


def find_meshes(pixels: UInt8[np.ndarray, "h w 3"]) -> tuple[int, list[FaceMesh]]:
    """Find all faces, and how the photo must be turned for them to be upright.

    Args:
        pixels: The photo, RGB.

    Returns:
        Quarter turns clockwise that make the photo upright, 0 to 3, and the meshes in
        the photo turned so, the largest face first.

    Raises:
        MissingPiece: If the face models are not installed.
    """
    turns, meshes = 0, _meshes(pixels)
    if not _is_sure(meshes):
        meshes = _meshes(pixels, closer=True)
    for other in (1, 2, 3) if not _is_sure(meshes) else ():
        found = _meshes(turned(pixels, other))
        if _is_sure(found) and (not meshes or found[0].confidence > meshes[0].confidence):
            turns, meshes = other, found
    if lying := _lying(meshes):
        upright = (turns + lying) % 4
        if found := _meshes(turned(pixels, upright)):
            turns, meshes = upright, found
    return turns, meshes


def turned(pixels: UInt8[np.ndarray, "h w 3"], turns: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Return the photo turned clockwise by quarter turns."""
    return np.ascontiguousarray(np.rot90(pixels, -turns))


def mesh_in_box(
    pixels: UInt8[np.ndarray, "h w 3"], box: tuple[float, float, float, float]
) -> FaceMesh | None:
    """Lay the mesh over the face in a box; None if there is none.

    The box may be loose: if the mesh does not fit the box at once, the detector looks
    for the face inside it.

    Args:
        pixels: The photo, RGB.
        box: Corners x0, y0, x1, y1 [px].

    Raises:
        MissingPiece: If the face models are not installed.
    """
    x0, y0, x1, y1 = box
    size, center = max(x1 - x0, y1 - y0), ((x0 + x1) / 2, (y0 + y1) / 2)
    first = fit_mesh(pixels, FaceCrop(center, size * MARGIN, 0.0))
    found = [fit_mesh(pixels, crop_around(first.landmarks))]
    if found[0].confidence < SURE_CONFIDENCE:
        left, top = (max(0, int(low - size / 2)) for low in (x0, y0))
        around = pixels[top : int(y1 + size / 2), left : int(x1 + size / 2)]
        for face in find_faces(np.ascontiguousarray(around), closer=True):
            found.append(fit_mesh(pixels, crop_of(face.moved(x=left, y=top))))
    inside = [mesh for mesh in found if _is_inside(mesh, box) and _is_face(mesh)]
    return max(inside, key=lambda mesh: mesh.confidence, default=None)


def _is_sure(meshes: list[FaceMesh]) -> bool:
    return bool(meshes) and meshes[0].confidence >= SURE_CONFIDENCE


def _lying(meshes: list[FaceMesh]) -> int:
    """Return the quarter turns clockwise that bring the largest face nearest to upright."""
    roll = estimate_head_pose(meshes[0].landmarks)[2] if meshes else 0.0
    return -round(roll / 90) % 4 if abs(roll) > LYING_ROLL else 0


def _meshes(pixels: np.ndarray, *, closer: bool = False) -> list[FaceMesh]:
    """Return the mesh of every face once, the largest first."""
    detections = sorted(find_faces(pixels, closer=closer), key=lambda face: -face.size)[:MAX_FACES]
    candidates = [fit_mesh(pixels, crop_of(face)) for face in detections]
    meshes: list[FaceMesh] = []
    for mesh in sorted(candidates, key=lambda mesh: -mesh.confidence):
        if _is_face(mesh) and not any(_is_same(mesh, other) for other in meshes):
            meshes.append(mesh)
    return sorted(meshes, key=lambda mesh: -_area(mesh))


def _is_face(mesh: FaceMesh) -> bool:
    x0, y0, x1, y1 = mesh.box
    upright = 0.4 < (x1 - x0) / max(y1 - y0, 1e-6) < 2.5
    return upright and mesh.confidence >= MIN_CONFIDENCE and mesh.iod >= MIN_IOD


def _is_same(one: FaceMesh, other: FaceMesh) -> bool:
    distance = np.linalg.norm(one.landmarks[:, :2] - other.landmarks[:, :2], axis=1).mean()
    return bool(distance < 0.5 * max(one.iod, other.iod))


def _is_inside(mesh: FaceMesh, box: tuple[float, float, float, float]) -> bool:
    x, y = mesh.landmarks[:468, :2].mean(0)
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _area(mesh: FaceMesh) -> float:
    x0, y0, x1, y1 = mesh.box
    return (x1 - x0) * (y1 - y0)


def crop_of(face: Detection) -> FaceCrop:
    """Return the crop in which a landmark network is to look for a detected face."""
    (x, y), (right, left) = (face.box[:2] + face.box[2:]) / 2, face.points[:2]
    angle = np.arctan2(*(left - right)[::-1])
    return FaceCrop((float(x), float(y)), face.size * MARGIN, float(angle))
