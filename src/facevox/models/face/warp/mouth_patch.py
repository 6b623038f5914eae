"""Drawing the lips: the upper and the lower sheet meet at a line, or part over the mouth."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.models.face.warp.linear_light import to_light, to_srgb

_SUBPIXEL, _FINER = 4, 4

Box = tuple[int, int, int, int]


def fill(polygon: Float32[np.ndarray, "points 2"], box: Box) -> Float32[np.ndarray, "h w"]:
    """Return how much of each pixel of a box a polygon covers, 0 to 1."""
    width, height = box[2] - box[0], box[3] - box[1]
    # OpenCV draws half a pixel of outline around what it fills: little, on finer pixels.
    mask = np.zeros((_FINER * height, _FINER * width), np.uint8)
    points = (polygon - np.array(box[:2]) + 0.5) * _FINER - 0.5
    fixed = np.round(points * (1 << _SUBPIXEL)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_8, _SUBPIXEL)
    mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return mask.astype(np.float32) * (1 / 255)


def blend(
    below: UInt8[np.ndarray, "h w 3"],
    above: UInt8[np.ndarray, "h w 3"],
    cover: Float32[np.ndarray, "h w"],
) -> UInt8[np.ndarray, "h w 3"]:
    """Lay a picture over another in linear light where `cover` is 1."""
    light = to_light(below)
    light += cover[..., None] * (to_light(above) - light)
    return to_srgb(light)


def shade(
    picture: UInt8[np.ndarray, "h w 3"], gain: Float32[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Multiply the light of a picture."""
    return to_srgb(to_light(picture) * gain[..., None])


def bounding_box(
    points: Float32[np.ndarray, "points 2"], margin: float, width: int, height: int
) -> Box:
    """Return the pixels around some points, within a picture."""
    low, high = points.min(0) - margin, points.max(0) + margin
    x0, y0 = (
        int(np.clip(np.floor(low[0]), 0, width - 1)),
        int(np.clip(np.floor(low[1]), 0, height - 1)),
    )
    x1, y1 = (
        int(np.clip(np.ceil(high[0]) + 1, x0 + 1, width)),
        int(np.clip(np.ceil(high[1]) + 1, y0 + 1, height)),
    )
    return x0, y0, x1, y1


def common(box: Box, other: Box) -> Box:
    """Return what two boxes share."""
    return (
        max(box[0], other[0]),
        max(box[1], other[1]),
        min(box[2], other[2]),
        min(box[3], other[3]),
    )


def within(box: Box, outer: tuple[int, ...]) -> Box:
    """Return a box in coordinates of the corner of another."""
    left, top = outer[:2]
    return box[0] - left, box[1] - top, box[2] - left, box[3] - top


def cut(picture: np.ndarray, box: Box) -> np.ndarray:
    """Return the view of a box."""
    return picture[box[1] : box[3], box[0] : box[2]]


def feather(box: Box, width: float) -> Float32[np.ndarray, "h w 3"]:
    """Return 1 inside a box and a rise from 0 along its border [px]."""
    ramps = []
    for count in (box[3] - box[1], box[2] - box[0]):
        edge = np.arange(count, dtype=np.float32) + 0.5
        ramps.append(np.clip(np.minimum(edge, edge[::-1]) / max(width, 1.0), 0.0, 1.0))
    plane = np.outer(ramps[0], ramps[1]).astype(np.float32)
    return cv2.merge([plane, plane, plane])
