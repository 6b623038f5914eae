"""MediaPipe's attention mesh: a face mesh with refined lips, lids and irises.

The network finds 468 points, then looks again at the lips and at each eye in its own
feature map.  That second look uses three operations which no TFLite runtime has built
in, so the graph is cut around them and they are done here in NumPy.

Reference: Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in
Real-time", 2020, arXiv:2006.10962.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from facevox.core.portrait.mediapipe_model import MediapipeModel
from facevox.core.portrait.tflite_graph import cut_graph

SIDE = 192
"""Side of the network's input, and the unit of its points [px]."""

_MAP_SIDE, _PATCH_SIDE = 48, 16
_PATCH_MARGIN = 1.5

LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),  # outer edge: lower, then upper
    *(185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),  # inner edge
    *(191, 80, 81, 82, 13, 312, 311, 310, 415),
    *(76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),  # ring inside the outer edge
    *(184, 74, 73, 72, 11, 302, 303, 304, 408),
    *(62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),  # ring outside the inner edge
    *(183, 42, 41, 38, 12, 268, 271, 272, 407),
)
RIGHT_EYE = (
    *(33, 7, 163, 144, 145, 153, 154, 155, 133),  # lids: lower, then upper
    *(246, 161, 160, 159, 158, 157, 173),
    *(130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190),  # around them
    *(226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189),
    *(35, 124, 46, 53, 52, 65),  # lower edge of the brow
    *(143, 111, 117, 118, 119, 120, 121, 128, 245),
    *(156, 70, 63, 105, 66, 107, 55, 193),  # upper edge of the brow
)
LEFT_EYE = (
    *(263, 249, 390, 373, 374, 380, 381, 382, 362),
    *(466, 388, 387, 386, 385, 384, 398),
    *(359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414),
    *(446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413),
    *(265, 353, 276, 283, 282, 295),
    *(372, 340, 346, 347, 348, 349, 350, 357, 465),
    *(383, 300, 293, 334, 296, 336, 285, 417),
)
NUM_LIDS = 16
"""So many points of each eye, from the first, are the edges of its lids."""


@dataclass(frozen=True)
class _Region:
    """What the second look refines.

    Attributes:
        points: Landmarks of the region; their bounding box is looked at.
        start: The landmark at its left end in the picture.
        end: The landmark at its right end.
    """

    points: tuple[int, ...]
    start: int
    end: int


_REGIONS = (_Region(LIPS, 61, 291), _Region(RIGHT_EYE, 33, 133), _Region(LEFT_EYE, 362, 263))


def _trunk(content: bytes) -> bytes:
    """Cut off all that comes after the mesh: outputs mesh, feature map, face feature."""
    return cut_graph(content, range(192), inputs=[0], outputs=[186, 35, 183])


def _heads(content: bytes) -> bytes:
    """Cut out what turns three patches and the face feature into points and a score."""
    patches, matrices, face = [199, 200, 201], [196, 197, 198], 183
    points, scaled, score = [697, 700, 704, 703, 707], [699, 702, 706], 710
    return cut_graph(
        content, range(198, 701), [*patches, *matrices, face], [*points, *scaled, score]
    )


_TRUNK = MediapipeModel("face_landmark_with_attention", _trunk)
_HEADS = MediapipeModel("face_landmark_with_attention", _heads)


def attention_mesh(
    face: Float32[np.ndarray, "192 192 3"],
) -> tuple[Float32[np.ndarray, "478 3"], float]:
    """Find the landmarks in the crop of a face.

    Args:
        face: RGB, 0 to 1, eyes level, with a quarter of the face as margin.

    Returns:
        x, y, z of the landmarks [px of the crop], and the logit of there being a face.

    Raises:
        MissingPiece: If the network is not installed.
    """
    mesh, features, face_feature = _TRUNK(face)
    mesh = mesh.reshape(468, 3)
    matrices = [_region_matrix(mesh * (_MAP_SIDE / SIDE), region) for region in _REGIONS]
    patches = [_sample(features, matrix) for matrix in matrices]
    lips, right, left, right_iris, left_iris, *scaled, logit = _HEADS(
        *patches, *matrices, face_feature
    )
    to_lips, to_right, to_left = scaled
    points = np.concatenate([mesh, np.zeros((10, 3), np.float32)])
    points[LIPS, :2] = _transform(lips, to_lips)
    points[RIGHT_EYE, :2] = _transform(right, to_right)
    points[LEFT_EYE, :2] = _transform(left, to_left)
    points[468:473, :2] = _transform(right_iris, to_right)
    points[473:478, :2] = _transform(left_iris, to_left)
    points[468:473, 2] = points[RIGHT_EYE[:NUM_LIDS], 2].mean()
    points[473:478, 2] = points[LEFT_EYE[:NUM_LIDS], 2].mean()
    return points, float(logit.reshape(()))


def _region_matrix(points: np.ndarray, region: _Region) -> Float32[np.ndarray, "4 4"]:
    """Return the map from a patch to the feature map (operation Landmarks2TransformMatrix)."""
    flat = points[:, :2].astype(np.float64)
    angle = np.arctan2(*(flat[region.end] - flat[region.start])[::-1])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    level = flat[list(region.points)] @ turn
    low, high = level.min(0), level.max(0)
    affine = turn * ((high - low) * _PATCH_MARGIN / _PATCH_SIDE)
    matrix = np.eye(4, dtype=np.float32)
    matrix[:2, :2] = affine
    matrix[:2, 3] = turn @ ((low + high) / 2) - affine @ np.full(2, _PATCH_SIDE / 2)
    return matrix


def _sample(
    features: Float32[np.ndarray, "48 48 channels"], matrix: Float32[np.ndarray, "4 4"]
) -> Float32[np.ndarray, "16 16 channels"]:
    """Read a patch bilinearly, zero outside (operation TransformTensorBilinear)."""
    ticks = np.arange(_PATCH_SIDE) + 0.5
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    places = grid @ matrix[:2, :2].T + matrix[:2, 3] - 0.5
    inside = ((places >= 0) & (places <= _MAP_SIDE - 1)).all(-1)
    first = np.clip(np.floor(places).astype(int), 0, _MAP_SIDE - 2)
    (fx, fy), (x, y) = np.moveaxis(places - first, -1, 0)[..., None], np.moveaxis(first, -1, 0)
    upper = features[y, x] * (1 - fx) + features[y, x + 1] * fx
    lower = features[y + 1, x] * (1 - fx) + features[y + 1, x + 1] * fx
    return ((upper * (1 - fy) + lower * fy) * inside[..., None]).astype(np.float32)


def _transform(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Carry points of a patch to the crop (operation TransformLandmarks)."""
    return points @ matrix[:2, :2].T + matrix[:2, 3]
