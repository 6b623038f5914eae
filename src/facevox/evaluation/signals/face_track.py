"""A face followed through a clip and cut out as SyncNet's own pipeline cuts it out.

That pipeline finds faces with S3FD; here landmarks are there already, and the box that S3FD
would draw is worked out from five of them.  Everything after the box is as published:
tracks, smoothing, margins, grey borders, size.

Reference:
    Chung and Zisserman, Out of time: automated lip sync in the wild, 2016, and the crop of
    joonson/syncnet_python; Zhang et al., S3FD: Single shot scale-invariant face detector,
    ICCV 2017; Yang et al., WIDER FACE, CVPR 2016 (the boxes S3FD learnt).
"""

import cv2
import numpy as np
from jaxtyping import Float, Float64, UInt8
from scipy.signal import medfilt

EYES, NOSE, MOUTH = ((33, 133), (362, 263)), 1, (61, 291)
"""Landmarks: corners of the eyes, tip of the nose, corners of the mouth."""

BOX_HEIGHT = 4.73
"""Height of the box, in root mean square distances of the five points from their mean.

This and the next two are means over 30 faces of WIDER FACE (press conferences, larger than
130 px, upright), whose boxes S3FD was trained to draw and whose five points RetinaFace
published: 4.73 +- 0.23, -0.28 +- 0.17 and -1.99, the middle then 2.3 % of the height off.
The box reaches from the hair line to just below the chin.
"""

BOX_ABOVE = -0.28
"""Middle of the box below the mean of the five points, in the same unit."""

BOX_AGAINST_NOSE = -1.99
"""How far the box's middle moves to the side as the nose leaves the mean of the points: a
turned head has more cheek on the other side."""

BOX_ASPECT = 0.73
"""Width over height of those boxes, +- 0.05."""

CROP_SCALE = 0.40
"""Margin of the crop, in sides of the box."""

GREY = 110
"""What lies beyond the picture's edge."""

CROP_SIDE = 224
"""Width and height of a crop [px]."""

SMALLEST_FACE = 100
"""Mean height of the box below which a face is left out [px]."""

_SMOOTHING = 13
_LONGEST_GAP = 25
_SAME_FACE = 0.5

Boxes = Float64[np.ndarray, "frames 3"]
"""Middle x, middle y and half the height [px]; NaN where there is no face."""


def face_boxes(landmarks: Float[np.ndarray, "frames 478 3"]) -> Boxes:
    """Return the box that S3FD would draw around each face."""
    flat = landmarks[:, :, :2].astype(np.float64)
    eyes = [flat[:, list(corners)].mean(1) for corners in EYES]
    points = np.stack([*eyes, flat[:, NOSE], *(flat[:, k] for k in MOUTH)], 1)
    mean = points.mean(1)
    unit = np.sqrt(((points - mean[:, None]) ** 2).sum(2).mean(1))
    x = mean[:, 0] + BOX_AGAINST_NOSE * (flat[:, NOSE, 0] - mean[:, 0])
    return np.stack([x, mean[:, 1] + BOX_ABOVE * unit, BOX_HEIGHT / 2 * unit], 1)


def longest_track(boxes: Boxes) -> tuple[int, Float64[np.ndarray, "track 3"]]:
    """Return the first frame of the longest run of one face, and its smoothed boxes.

    A face that is lost for at most 25 frames goes on where a box overlaps its last one by
    more than half (IoU); boxes between are interpolated.  Middle and size then pass a median
    of 13 frames.

    Returns:
        First frame, and one row per frame without gaps; no rows if there is no face.
    """
    waiting = [int(index) for index in np.flatnonzero(np.isfinite(boxes).all(1))]
    best: list[int] = []
    while len(waiting) > len(best):
        track = _grown(waiting, boxes)
        if not best or track[-1] - track[0] > best[-1] - best[0]:
            best = track
        used = set(track)
        waiting = [index for index in waiting if index not in used]
    if not best:
        return 0, np.zeros((0, 3))
    frames = np.arange(best[0], best[-1] + 1)
    filled = np.stack([np.interp(frames, best, boxes[best, k]) for k in range(3)], 1)
    return best[0], np.stack([medfilt(column, _SMOOTHING) for column in filled.T], 1)


def cut_face(
    pixels: UInt8[np.ndarray, "h w 3"], face: Float64[np.ndarray, "3"]
) -> UInt8[np.ndarray, "224 224 3"]:
    """Return the face with its margins, 224x224.

    The crop is 1 + 2 x 0.4 boxes high, from the top of the box to 0.4 boxes below it, and
    as wide, around its middle.
    """
    x, y, half = face
    wide = half * (1 + CROP_SCALE)
    left, right = int(np.floor(x - wide)), int(np.floor(x + wide))
    top, bottom = int(np.floor(y - half)), int(np.floor(y + half * (1 + 2 * CROP_SCALE)))
    crop = np.full((max(bottom - top, 1), max(right - left, 1), 3), GREY, np.uint8)
    height, width = pixels.shape[:2]
    rows = slice(max(top, 0), min(bottom, height))
    columns = slice(max(left, 0), min(right, width))
    if rows.start < rows.stop and columns.start < columns.stop:
        inside = pixels[rows, columns]
        above, before = rows.start - top, columns.start - left
        crop[above : above + len(inside), before : before + inside.shape[1]] = inside
    return squeeze(crop)


def squeeze(pixels: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "224 224 3"]:
    """Return the whole picture at 224x224, bilinear, its aspect ratio not kept."""
    return np.asarray(cv2.resize(pixels, (CROP_SIDE, CROP_SIDE)), np.uint8)


def _grown(waiting: list[int], boxes: Boxes) -> list[int]:
    track = [waiting[0]]
    for index in waiting[1:]:
        if index - track[-1] > _LONGEST_GAP:
            break
        if _overlap(boxes[track[-1]], boxes[index]) > _SAME_FACE:
            track.append(index)
    return track


def _overlap(one: Float64[np.ndarray, "3"], other: Float64[np.ndarray, "3"]) -> float:
    """Return the area in both boxes over the area in either."""
    halves = np.array([BOX_ASPECT, 1.0]) * np.array([[one[2]], [other[2]]])
    centres = np.stack([one[:2], other[:2]])
    low, high = (centres - halves).max(0), (centres + halves).min(0)
    shared = float(np.prod(np.clip(high - low, 0, None)))
    return shared / (float(np.prod(2 * halves, axis=1).sum()) - shared)
