"""The way of one face through a clip, and the squares that follow it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from scipy.ndimage import gaussian_filter1d

from facevox.core.portrait.attention_mesh import SIDE, attention_mesh
from facevox.core.portrait.face_crop import FaceCrop
from facevox.core.portrait.face_detector import Detection, find_faces
from facevox.core.portrait.face_mesh import VIEWS
from facevox.core.portrait.face_search import MIN_CONFIDENCE
from facevox.core.portrait.face_tracker import CropTracker
from facevox.data.talking.pictures import CLOCK
from facevox.models.face.lia.view import view_of

BORDER = 0.04
"""A face nearer than this to the border of the square makes the square move [sides]."""

STEADY = 1.0
"""Width of the Gaussian over which a moving square is smoothed [s]."""

_PATIENCE = 5
_PREVIEW = 24
_SKIN = 468


@dataclass(frozen=True, kw_only=True, slots=True)
class FacePath:
    """What is seen of a face at 25 fps.

    Attributes:
        landmarks: Face mesh of every picture [px]; NaN where the face was lost.
        changes: Change of the whole picture since the one before [grey levels]; 0 at first.
        looks: Once a second, number of the picture and all faces in it.
    """

    landmarks: Float32[np.ndarray, "frames 478 3"]
    changes: Float32[np.ndarray, " frames"]
    looks: list[tuple[int, list[Detection]]]

    @property
    def found(self) -> Bool[np.ndarray, " frames"]:
        """Pictures that show the face."""
        return np.asarray(np.isfinite(self.landmarks).all((1, 2)))


def follow_face(pictures: Iterable[UInt8[np.ndarray, "h w 3"]]) -> FacePath:
    """Follow the largest face through pictures.

    The detector looks only where the face was lost; else the mesh of the picture before tells
    where it is.

    Raises:
        MissingPiece: If the face models are not installed.
    """
    tracker = CropTracker(
        look=attention_mesh,
        side=SIDE,
        min_confidence=MIN_CONFIDENCE,
        views=VIEWS,
        patience=_PATIENCE,
    )
    changes: list[float] = []
    looks: list[tuple[int, list[Detection]]] = []

    def watched() -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        before: np.ndarray | None = None
        for number, pixels in enumerate(pictures):
            small = cv2.resize(pixels, (_PREVIEW, _PREVIEW), interpolation=cv2.INTER_AREA)
            small = small.astype(np.float32)
            changes.append(0.0 if before is None else float(np.abs(small - before).mean()))
            before = small
            if number % int(CLOCK.fps) == 0:
                looks.append((number, find_faces(pixels)))
            yield pixels

    landmarks = tracker.track(watched())
    return FacePath(landmarks=landmarks, changes=np.array(changes, np.float32), looks=looks)


def bridge(
    landmarks: Float32[np.ndarray, "frames 478 3"],
) -> Float32[np.ndarray, "frames 478 3"]:
    """Return landmarks without holes: straight lines where the face was lost."""
    rows = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))
    filled = landmarks.copy()
    for number in np.flatnonzero(~np.isfinite(landmarks).all((1, 2))):
        after = int(np.searchsorted(rows, number))
        low, high = rows[max(after - 1, 0)], rows[min(after, len(rows) - 1)]
        part = (number - low) / (high - low) if high > low else 0.0
        filled[number] = (1 - part) * landmarks[low] + part * landmarks[high]
    return filled


def squares_around(landmarks: Float32[np.ndarray, "frames 478 3"]) -> list[FaceCrop]:
    """Return the square of every picture: one for all, or one that moves slowly.

    Size and turn are those of the whole clip; the middle follows the face, smoothed over about
    a second, only if a square that stands still would cut it off.

    Args:
        landmarks: Without holes [px].
    """
    views = [view_of(points) for points in landmarks]
    middles = np.array([view.center for view in views])
    size = float(np.median([view.size for view in views]))
    turn = float(np.angle(np.exp(1j * np.array([view.angle for view in views])).mean()))
    middle = np.median(middles, axis=0)
    still = FaceCrop((float(middle[0]), float(middle[1])), size, turn)
    if _holds(still, landmarks):
        return [still] * len(landmarks)
    return [replace(still, center=(float(x), float(y))) for x, y in _smooth(middles)]


def held_share(squares: list[FaceCrop], landmarks: Float32[np.ndarray, "frames 478 3"]) -> float:
    """Return in which share of the pictures the whole face lies inside its square."""
    held = [
        _holds(square, points[None], border=0.0)
        for square, points in zip(squares, landmarks, strict=True)
    ]
    return float(np.mean(held))


def outside_share(squares: list[FaceCrop], height: int, width: int) -> float:
    """Return which share of the squares lies beyond the picture.

    Args:
        squares: One a picture.
        height: Of the video [px].
        width: Of the video [px].
    """
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inside = 0.0
    for square in (part for part in squares[:: int(CLOCK.fps)]):
        matrix = square.matrix(1)
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) @ matrix[:, :2].T + matrix[:, 2]
        area, _ = cv2.intersectConvexConvex(corners.astype(np.float32), frame)
        inside += float(area) / square.size**2
    return 1 - inside / len(squares[:: int(CLOCK.fps)])


def _smooth(middles: Float64[np.ndarray, "frames 2"]) -> Float64[np.ndarray, "frames 2"]:
    """Return a way without haste; at both ends it goes on as it came."""
    width = STEADY * float(CLOCK.fps)
    reach = min(len(middles) - 1, round(4 * width))
    before = 2 * middles[0] - middles[reach:0:-1]
    after = 2 * middles[-1] - middles[-2 : -reach - 2 : -1]
    long = np.concatenate([before, middles, after])
    smooth = gaussian_filter1d(long, width, axis=0, mode="nearest")
    return np.asarray(smooth[reach : reach + len(middles)], np.float64)


def _holds(
    square: FaceCrop, landmarks: Float32[np.ndarray, "n 478 3"], border: float = BORDER
) -> bool:
    flat = np.concatenate([square.to_square(points[:_SKIN], 1)[:, :2] for points in landmarks])
    return bool(flat.min() >= border and flat.max() <= 1 - border)
