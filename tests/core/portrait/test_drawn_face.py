"""Which faces look drawn: photographs, worse photographs, drawings made of them, plain shapes."""

import cv2
import numpy as np
import pytest

from facevox.core.portrait.drawn_face import looks_drawn
from facevox.core.portrait.reader import read_portrait


def darker(photo):
    return (photo * 0.25).astype(np.uint8)


def brighter(photo):
    return np.clip(photo * 1.5, 0, 255).astype(np.uint8)


def grey(photo):
    return cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def coded(photo):
    return cv2.imdecode(cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1)


def blurred(photo):
    return cv2.GaussianBlur(photo, (0, 0), 1.0)


def smoothed(photo):
    return cv2.bilateralFilter(photo, 0, 25, 3)


def lines(photo):
    """The photo's outlines in black on white."""
    shades = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (0, 0), 1)
    edge = cv2.adaptiveThreshold(
        shades, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 11, 4
    )
    return cv2.cvtColor(edge, cv2.COLOR_GRAY2RGB)


@pytest.mark.parametrize("worse", [darker, brighter, grey, coded, blurred, smoothed])
def test_photographs_are_not_drawn(astronaut, portrait, worse):
    assert not portrait.drawn
    assert not looks_drawn(worse(astronaut), portrait.landmarks)


def test_drawings_after_a_photo_are_drawn(astronaut, drawn_astronaut, portrait):
    for drawing in (drawn_astronaut, lines(astronaut)):
        assert looks_drawn(drawing, portrait.landmarks)


def test_the_reader_tells(drawn_astronaut):
    assert read_portrait(drawn_astronaut).drawn


def test_a_larger_copy_is_judged_alike(astronaut, drawn_astronaut, portrait):
    landmarks = portrait.landmarks * np.float32(2)
    for picture, drawn in ((astronaut, False), (drawn_astronaut, True)):
        larger = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
        assert looks_drawn(larger, landmarks) == drawn


def test_a_small_photograph_is_not_drawn(astronaut, portrait):
    small = cv2.resize(astronaut, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    assert not looks_drawn(small, portrait.landmarks * np.float32(0.6))
