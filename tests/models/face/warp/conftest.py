"""A face drawn from ellipses, with the landmarks that the mouth and the eyes need."""

import cv2
import numpy as np
import pytest

IOD = 100.0
SIZE = 500

_EYES = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
_BROWS = (
    (46, 53, 52, 65, 55, 70, 63, 105, 66, 107),
    (285, 295, 282, 283, 276, 336, 296, 334, 293, 300),
)
_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)


@pytest.fixture
def draw_face():
    """Return the function that draws a face."""
    return _draw_face


def _draw_face(*, gain=1.0, grey=False, gap=0.0, openness=13.0):
    """Return crop, landmarks and iod of a frontal face."""
    skin, white, lip = (205, 160, 140), (225, 220, 215), (180, 100, 100)
    crop = np.full((SIZE, SIZE, 3), 90, np.uint8)
    crop[:, : SIZE // 2], crop[:, SIZE // 2 :] = (115, 90, 65), (65, 90, 115)
    cv2.ellipse(crop, (250, 230), (130, 180), 0, 0, 360, skin, -1)
    landmarks = np.full((478, 2), 250.0, np.float32)
    for index, x in enumerate((200, 300)):
        _eye(crop, landmarks, index, x, white, openness)
    cv2.ellipse(crop, (250, 290), (50, 14), 0, 0, 360, lip, -1)
    columns = np.linspace(205, 295, 11)
    bow = 1 - ((columns - 250) / 45) ** 2
    for ring, side in ((_UPPER_LIP, -0.35), (_LOWER_LIP, 0.65)):
        landmarks[list(ring)] = np.stack([columns, 290 + side * gap * bow], -1)
    landmarks[[17, 84, 314, 15, 86, 316]] = [[x, 298] for x in (250, 240, 260, 250, 240, 260)]
    landmarks[[50, 280]] = [[190, 240], [310, 240]]
    landmarks[[1, 168]] = [[250, 230], [250, 190]]
    landmarks[[10, 54, 284]] = [[250, 80], [150, 130], [350, 130]]
    light = crop.astype(np.float32) * gain
    if grey:
        light = np.repeat(light.mean(-1, keepdims=True), 3, -1)
    return light.astype(np.uint8), landmarks, IOD


def _eye(crop, landmarks, index, x, white, openness):
    columns = np.linspace(x - 22, x + 22, 9)
    bow = 1 - ((columns - x) / 22) ** 2
    upper = np.stack([columns, 190 - openness * 0.6 * bow], -1)
    lower = np.stack([columns, 190 + openness * 0.4 * bow], -1)
    landmarks[list(_EYES[index][0])], landmarks[list(_EYES[index][1])] = upper, lower
    outline = np.round(np.vstack([upper, lower[::-1]])).astype(np.int32)
    cv2.fillPoly(crop, [outline], white)
    inside = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(inside, [outline], 255)
    iris = np.zeros_like(inside)
    cv2.circle(iris, (x, 190), 9, 255, -1)
    crop[(inside > 0) & (iris > 0)] = (60, 40, 30)
    cv2.polylines(crop, [np.round(upper).astype(np.int32)], False, (30, 20, 20), 2)
    first = 468 + 5 * index
    landmarks[first] = (x, 190)
    landmarks[first + 1 : first + 5] = [(x + 9, 190), (x, 181), (x - 9, 190), (x, 199)]
    along = np.linspace(x - 28, x + 28, 5)
    brow = _BROWS[index]
    landmarks[list(brow[:5])] = np.stack([along, np.full(5, 165)], -1)
    landmarks[list(brow[5:])] = np.stack([along, np.full(5, 157)], -1)
    cv2.line(crop, (x - 28, 161), (x + 28, 161), (60, 45, 40), 8)
