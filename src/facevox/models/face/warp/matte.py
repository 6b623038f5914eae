"""Telling the person from what is behind: a soft matte, and the background without the person.

The head moves over a background that stays still.  A matte that takes the person
for background would leave pieces behind, which is worse than a background that
bends a little, so whatever is doubtful moves with the person.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.portrait.mediapipe_model import MediapipeModel
from facevox.models.face.warp.face_frame import OVAL, FaceFrame, smoothstep
from facevox.models.face.warp.mouth_patch import Box, cut

_NETWORK_SIZE = 256
_WORKING_SIZE = 256
"""Longest side of the picture on which the matte's edge is found [px]."""

_LARGEST, _STRIP = 768, 256
"""Longest side at which a matte is made [px], and rows that are taken apart at once."""

_EDGE = 0.07
"""Radius in which the matte follows the edges of the picture [IOD]."""

_SURELY_BACK, _SURELY_FRONT = 0.12, 0.55
"""Matte below which a pixel stays still, and above which it moves fully."""

_HEM = 0.10
"""Strip of background around the person that is not trusted to be free of it [IOD]."""

_STANDS_OUT = (14.0, 45.0)
"""Difference from the background that starts to count, and that counts fully."""

_segment = MediapipeModel("selfie_segmentation")


@dataclass(frozen=True, kw_only=True, slots=True)
class Matte:
    """A picture taken apart.

    Attributes:
        person: RGB times cover, then cover; moves.
        background: What is behind, filled in where the person stands; stays.
    """

    person: UInt8[np.ndarray, "h w 4"]
    background: UInt8[np.ndarray, "h w 3"]

    def lay_over(self, moved: UInt8[np.ndarray, "h w 4"], box: Box) -> UInt8[np.ndarray, "h w 3"]:
        """Return a box of the moved person in front of the still background."""
        behind = cv2.cvtColor(255 - cv2.extractChannel(moved, 3), cv2.COLOR_GRAY2RGB)
        cv2.multiply(behind, cut(self.background, box), dst=behind, scale=1 / 255)
        return cv2.add(cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB), behind)


def cut_out(
    crop: UInt8[np.ndarray, "h w 3"],
    landmarks: Float32[np.ndarray, "478 3"],
    frame: FaceFrame,
) -> Matte | None:
    """Take a picture apart, or return None where person and background cannot be told apart.

    Args:
        crop: The picture.
        landmarks: Face mesh [px].
        frame: Pose of the face.
    """
    likely = _person_likelihood(crop)
    if not _is_trustworthy(likely, landmarks, crop.shape[1::-1]):
        return None
    scale = min(1.0, _LARGEST / max(crop.shape[:2]))
    small = (
        crop
        if scale == 1.0
        else cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    )
    cover = _follow_edges(small, likely, _EDGE * frame.iod * scale)
    cover = smoothstep(cover, _SURELY_BACK, _SURELY_FRONT).astype(np.float32)
    hem = _HEM * frame.iod * scale
    filled, trust = _fill_in(small, cover, hem)
    background = _mix(filled, small, trust)
    cover = np.maximum(cover, _strays(small, background, cover, hem))
    return _take_apart(crop, filled, trust, np.round(255 * cover).astype(np.uint8))


def _mix(
    filled: UInt8[np.ndarray, "h w 3"],
    crop: UInt8[np.ndarray, "h w 3"],
    trust: Float32[np.ndarray, "h w"],
) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture where it is trusted to be background, what was filled in elsewhere."""
    return np.round(filled + trust[..., None] * (crop - filled.astype(np.float32))).astype(np.uint8)


def _strays(
    crop: UInt8[np.ndarray, "h w 3"],
    background: UInt8[np.ndarray, "h w 3"],
    cover: Float32[np.ndarray, "h w"],
    hem: float,
) -> Float32[np.ndarray, "h w"]:
    """Return the cover of what stands out from the background close to the person: hair."""
    difference = cv2.absdiff(crop, background).max(-1).astype(np.float32)
    # What is darker than the background must be covered by at least that much.
    darker = 1.0 - (crop.astype(np.float32) / np.maximum(background, 1)).min(-1)
    side = 2 * max(1, round(hem)) + 1
    wide = 2 * max(1, round(1.5 * hem)) + 1
    near = cv2.blur(cv2.dilate(cover, np.ones((wide, wide))), (side, side))
    return (np.maximum(smoothstep(difference, *_STANDS_OUT), darker) * near).astype(np.float32)


def _take_apart(
    crop: UInt8[np.ndarray, "h w 3"],
    filled: UInt8[np.ndarray, "small_h small_w 3"],
    trust: Float32[np.ndarray, "small_h small_w"],
    alpha: UInt8[np.ndarray, "small_h small_w"],
) -> Matte:
    """Return layers that put together give the picture exactly, in strips to save memory."""
    height, width = crop.shape[:2]
    person, background = np.empty((height, width, 4), np.uint8), np.empty_like(crop)
    filled, trust, alpha = (
        layer if layer.shape[:2] == (height, width) else cv2.resize(layer, (width, height))
        for layer in (filled, trust, alpha)
    )
    for top in range(0, height, _STRIP):
        rows = slice(top, top + _STRIP)
        behind = cv2.cvtColor(255 - alpha[rows], cv2.COLOR_GRAY2RGB)
        # Where the picture is darker than what should shine through, it is the background.
        most = crop[rows].astype(np.float32) * 255 / np.maximum(behind, 1)
        most[behind == 0] = 255
        back = np.minimum(_mix(filled[rows], crop[rows], trust[rows]), most).astype(np.uint8)
        background[rows] = back
        person[rows, :, :3] = cv2.subtract(crop[rows], cv2.multiply(behind, back, scale=1 / 255))
        person[rows, :, 3] = alpha[rows]
    return Matte(person=person, background=background)


def _person_likelihood(crop: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "256 256"]:
    """Return how likely each part of a picture belongs to a person."""
    size = (_NETWORK_SIZE, _NETWORK_SIZE)
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    (flat,) = _segment(small.astype(np.float32) / 255)
    return flat.reshape(size).astype(np.float32)


def _is_trustworthy(
    likely: Float32[np.ndarray, "256 256"],
    landmarks: Float32[np.ndarray, "478 3"],
    shape: tuple[int, int],
) -> bool:
    """Return whether the face is in front, and something is behind."""
    inside = np.clip(landmarks[list(OVAL), :2] / shape * _NETWORK_SIZE, 0, _NETWORK_SIZE - 1)
    columns, rows = inside.astype(int).T
    return bool(np.mean(likely[rows, columns] > 0.5) > 0.85 and np.mean(likely < 0.1) > 0.02)


def _follow_edges(
    crop: UInt8[np.ndarray, "h w 3"], likely: Float32[np.ndarray, "256 256"], radius: float
) -> Float32[np.ndarray, "h w"]:
    """Return the likelihood with its edges drawn onto the picture's: the fast guided filter.

    Reference:
        He & Sun, Fast guided filter, 2015.
    """
    height, width = crop.shape[:2]
    scale = min(1.0, _WORKING_SIZE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    guide = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    value = cv2.resize(likely, size, interpolation=cv2.INTER_LINEAR)
    side = 2 * max(2, round(radius * scale)) + 1

    def mean(field: np.ndarray) -> np.ndarray:
        return cv2.blur(field, (side, side))

    centre, level = mean(guide), mean(value)
    outer = guide[..., :, None] * guide[..., None, :]
    spread = mean(outer.reshape(*guide.shape[:2], 9)[..., :4])
    rest = mean(outer.reshape(*guide.shape[:2], 9)[..., 4:8])
    last = mean(np.ascontiguousarray(outer[..., 2, 2]))
    spread = np.dstack([spread, rest, last]).reshape(*guide.shape[:2], 3, 3)
    spread -= centre[..., :, None] * centre[..., None, :]
    spread += 2e-4 * np.eye(3, dtype=np.float32)
    joint = mean(guide * value[..., None]) - centre * level[..., None]
    slope = np.linalg.solve(spread, joint[..., None])[..., 0].astype(np.float32)
    offset = level - (slope * centre).sum(-1)
    slope = cv2.resize(mean(slope), (width, height))
    offset = cv2.resize(mean(offset), (width, height))
    fine = crop.astype(np.float32) / 255
    return np.clip((slope * fine).sum(-1) + offset, 0.0, 1.0)


def _fill_in(
    crop: UInt8[np.ndarray, "h w 3"], cover: Float32[np.ndarray, "h w"], hem: float
) -> tuple[UInt8[np.ndarray, "h w 3"], Float32[np.ndarray, "h w"]]:
    """Return the background continued behind the person, and where the picture shows it."""
    height, width = crop.shape[:2]
    scale = min(1.0, 256 / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    side = 2 * max(1, round(hem * scale)) + 1
    person = cv2.dilate(
        cv2.resize(cover, size, interpolation=cv2.INTER_AREA), np.ones((side, side))
    )
    known = (person < 0.02).astype(np.float32)
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    filled = cv2.resize(_push_pull(small, known), (width, height), interpolation=cv2.INTER_LINEAR)
    trust = cv2.blur(cv2.resize(known, (width, height)), (side, side))
    trust = smoothstep(trust, 0.5, 1.0).astype(np.float32)
    return np.round(filled).astype(np.uint8), trust


def _push_pull(
    picture: Float32[np.ndarray, "h w 3"], known: Float32[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w 3"]:
    """Return a picture whose unknown parts are filled from the nearest known ones.

    Reference:
        Gortler et al., The Lumigraph, SIGGRAPH 1996.
    """
    if min(picture.shape[:2]) <= 2:
        total = max(float(known.sum()), 1e-6)
        return np.broadcast_to((picture * known[..., None]).sum((0, 1)) / total, picture.shape)
    size = (-(-picture.shape[1] // 2), -(-picture.shape[0] // 2))
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    coarse = sums / np.maximum(weight, 1e-6)[..., None]
    below = _push_pull(coarse.astype(np.float32), np.minimum(1.0, 2.0 * weight))
    blurred = cv2.resize(
        below.astype(np.float32), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR
    )
    return blurred + known[..., None] * (picture - blurred)
