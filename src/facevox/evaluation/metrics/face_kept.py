"""Is the photo's face still there?  Its own pixels, compared without any network.

Every frame is laid on the photo by the landmarks that only the head moves (turn, scale and
shift), both at a size at which the irises are 36 px apart, and forehead, nose, cheeks and
brows are compared in grey; mouth, chin and eyes are left out, because they shall move.  A
turn and shift of up to 3 px that make the pixels correlate best take out what the tracker
got wrong; where none is found, the landmarks stand.

- SSIM, Gaussian window with a spread of 1.5 px, mean over that part of the face.
- NCC, correlation of the grey values there: blind to brightness and contrast.

Traps:
    It asks for this photo, not for this person: another photo of the same person scores
    lower, another person in the same light not zero (see the decision page for values).
    A still photo scores 1, so read it beside head motion.  A head that turns by more than a
    few degrees costs a little.  A face whose irises are less than
    36 px apart is blurred by enlarging it, which costs SSIM; that is noted.

Reference:
    Evangelidis and Psarakis, Parametric image alignment using enhanced correlation
    coefficient maximization, IEEE TPAMI 2008.
    Wang, Bovik, Sheikh and Simoncelli, Image quality assessment: from error visibility to
    structural similarity, IEEE Transactions on Image Processing 2004.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from facevox.core.errors import InputError
from facevox.core.portrait.head_pose import RIGID_LANDMARKS
from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Figure, Observation, Result, Seen, mean_over_clips
from facevox.evaluation.signals.face_alignment import fit_similarity, warp_picture
from facevox.evaluation.signals.structure import structural_similarity

SIDE, IOD, MIDDLE = 96, 36.0, (48.0, 40.0)
"""Side of the square, distance of the irises in it and the point between them [px]."""

EVERY = 0.2
"""Time between the frames that are looked at [s]."""

OVAL = tuple(
    int(index)
    for index in "10 338 297 332 284 251 389 356 454 323 361 288 397 365 379 378 400 377 152 148 "
    "176 149 150 136 172 58 132 93 234 127 162 21 54 103 67 109".split()
)
EYES = ((33, 161, 159, 157, 133, 154, 145, 163), (362, 384, 386, 388, 263, 390, 374, 381))
NOSE_BASE = 2
_RIM, _AROUND_EYES = 5, 9  # px
_FARTHEST, _ROUNDS, _PRECISION = 3.0, 20, 1e-4  # px, steps, gain of correlation
_FEWEST_PIXELS = 500
_HALF = 0.5  # px: landmarks count from the corner of a pixel, arrays from its middle


@dataclass(frozen=True, slots=True)
class PhotoFace:
    """The face of the photo in the small square.

    Attributes:
        grey: Its grey values.
        rigid: Where its rigid landmarks are [px].
        part: The part that is compared.
    """

    grey: Float32[np.ndarray, "96 96"]
    rigid: Float64[np.ndarray, "n 2"]
    part: Bool[np.ndarray, "96 96"]


def photo_face(
    pixels: UInt8[np.ndarray, "h w 3"], landmarks: Float32[np.ndarray, "478 3"]
) -> PhotoFace:
    """Return the face of a photo, to compare frames with.

    Args:
        pixels: The photo, RGB.
        landmarks: Of the face in it [px].

    Raises:
        InputError: If too little of the face lies within the photo.
    """
    flat = landmarks[:, :2].astype(np.float64) - _HALF
    level = np.array([[-IOD / 2, 0.0], [IOD / 2, 0.0]]) + MIDDLE
    matrix = fit_similarity(flat[[RIGHT_IRIS, LEFT_IRIS]], level)
    points = flat @ matrix[:, :2].T + matrix[:, 2]
    inside = warp_picture(np.full_like(pixels, 255), matrix, (SIDE, SIDE))[..., 0] == 255
    part = _upper_face(points) & inside
    if part.sum() < _FEWEST_PIXELS:
        raise InputError("too little of the face lies within the photo to compare it")
    grey = _grey(warp_picture(pixels, matrix, (SIDE, SIDE)))
    return PhotoFace(grey, points[list(RIGID_LANDMARKS)], part)


def face_kept(
    photo: PhotoFace,
    pixels: UInt8[np.ndarray, "h w 3"],
    landmarks: Float32[np.ndarray, "478 3"],
) -> tuple[float, float]:
    """Return SSIM and NCC of a frame with the photo, both 1 where they are equal.

    Args:
        photo: From `photo_face`.
        pixels: The frame, RGB.
        landmarks: Of the face in it [px].
    """
    rigid = landmarks[list(RIGID_LANDMARKS), :2].astype(np.float64) - _HALF
    matrix = fit_similarity(rigid, photo.rigid)
    rough = _grey(warp_picture(pixels, matrix, (SIDE, SIDE)))
    grey = _grey(warp_picture(pixels, _refined(photo, rough, matrix), (SIDE, SIDE)))
    kept, seen = photo.grey[photo.part], grey[photo.part]
    spread = float(kept.std() * seen.std())
    covariance = float(((kept - kept.mean()) * (seen - seen.mean())).mean())
    ncc = covariance / spread if spread > 0 else 0.0
    return float(structural_similarity(photo.grey, grey)[photo.part].mean()), ncc


class FaceKept:
    """SSIM and NCC of the upper face with the photo."""

    name = "face-kept"
    version = 1
    judges: tuple[str, ...] = ()
    uses_landmarks = True
    figures: tuple[Figure, ...] = ()

    def observe(self, media: ClipMedia) -> Observation:
        """Compare the frames of a clip with its photo.

        Raises:
            InputError: If no photo is given, or none of the frames shows a face.
        """
        media.note_lost_frames()
        photo = photo_face(media.portrait.pixels, media.portrait.landmarks)
        values, iods = [], []
        for pixels, points in media.faces(EVERY):
            values.append(face_kept(photo, pixels, points))
            iods.append(np.linalg.norm(points[LEFT_IRIS, :2] - points[RIGHT_IRIS, :2]))
        if not values:
            raise InputError("none of the frames that are looked at shows a face")
        if (iod := float(np.median(iods))) < IOD:
            media.note(f"irises {iod:.0f} px apart: SSIM with the photo suffers below {IOD:g}")
        ssim, ncc = np.mean(values, axis=0)
        return {"ssim": np.array(ssim), "ncc": np.array(ncc)}

    def summarise(self, seen: Sequence[Seen], *, seed: int = 0) -> Mapping[str, Result]:
        """Return the means over clips."""
        return {
            figure.name: mean_over_clips(seen, key, seed=seed) for key, figure in _FIGURES.items()
        }


_HOW = (
    "Upper face without eyes (forehead, brows, nose, cheeks) in grey, frame laid on the photo by "
    "44 rigid landmarks (turn, scale, shift) and refined by up to 3 px, irises 36 px apart, a "
    f"frame each {EVERY:g} s, mean over frames. Asks for the photo, not the person: a still photo "
    "has 1."
)
_FIGURES = {
    "ssim": Figure(
        name="face kept (SSIM)",
        unit="",
        better="higher",
        protocol=f"SSIM with the source photo, Gaussian window 1.5 px. {_HOW}",
    ),
    "ncc": Figure(
        name="face kept (NCC)",
        unit="",
        better="higher",
        protocol=f"Correlation of grey values with the source photo. {_HOW}",
    ),
}
FaceKept.figures = tuple(_FIGURES.values())


def _refined(
    photo: PhotoFace, rough: Float32[np.ndarray, "96 96"], matrix: Float64[np.ndarray, "2 3"]
) -> Float64[np.ndarray, "2 3"]:
    """Return the map to the small square that also makes the pixels correlate best."""
    start, stop = np.eye(2, 3, dtype=np.float32), (3, _ROUNDS, _PRECISION)
    mask = photo.part.astype(np.uint8)
    try:
        _, found = cv2.findTransformECC(
            photo.grey, rough, start, cv2.MOTION_EUCLIDEAN, stop, mask, 3
        )
    except cv2.error:  # no correlation to climb
        return matrix
    turn, shift = found[:, :2].astype(np.float64), found[:, 2].astype(np.float64)
    if np.linalg.norm(turn @ MIDDLE + shift - MIDDLE) > _FARTHEST:
        return matrix
    back = np.linalg.inv(turn)
    return np.column_stack([back @ matrix[:, :2], back @ (matrix[:, 2] - shift)])


def _grey(pixels: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w"]:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _upper_face(points: Float64[np.ndarray, "478 2"]) -> Bool[np.ndarray, "96 96"]:
    """Return where skin is that neither speech nor blinks move."""
    face = _filled(points[list(OVAL)])
    part = cv2.erode(face, np.ones((_RIM, _RIM), np.uint8)) > 0
    part[max(0, int(points[NOSE_BASE, 1])) :] = False
    for eye in EYES:
        hull = cv2.convexHull(points[list(eye)].astype(np.float32))[:, 0].astype(np.float64)
        part &= cv2.dilate(_filled(hull), np.ones((_AROUND_EYES, _AROUND_EYES), np.uint8)) == 0
    return part


def _filled(outline: Float64[np.ndarray, "n 2"]) -> UInt8[np.ndarray, "96 96"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(canvas, [outline.round().astype(np.int32)], 1)
    return canvas
