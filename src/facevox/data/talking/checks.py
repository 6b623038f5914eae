"""When the face in a clip is not good enough to learn from."""

import numpy as np
from jaxtyping import Bool, Float, Float32

from facevox.core.portrait.face_detector import Detection
from facevox.core.portrait.head_pose import estimate_head_poses
from facevox.core.portrait.portrait import LEFT_IRIS, RIGHT_IRIS
from facevox.data.speech.settings import PrepareSettings
from facevox.data.talking.pictures import CLOCK

MOST_JUMP = 0.6
"""Way of the eyes from picture to picture that a head does not go [IOD]; 70 cm a second."""

MOST_GROWTH = 1.25
"""Ratio of the face's sizes from picture to picture."""

CUT_CHANGE = 25.0
"""Mean change of a small copy of the whole picture at a cut [grey levels]."""

CUT_CONTRAST = 4.0
"""How often the usual change of the clip a cut changes."""

EQUAL_SIZE = 0.7
"""A second face from this share of the size of the first is its equal."""

REPEATED = 0.1
"""Mean change of the face below which a picture is the same again [grey levels]."""

LONGEST_FREEZE = 1.0
"""A face that talks never stands still for this long [s]."""

MOST_REPEATED = 0.6
"""Share of repeated pictures; a video of 12.5 fps has 0.5."""

_SHARE = 0.1
"""Share of the pictures that may be beyond a limit."""


class UnusableFace(Exception):
    """Reason and detail of a clip whose face is not used."""


def check_found(found: Bool[np.ndarray, " frames"], settings: PrepareSettings) -> None:
    """Refuse a clip in which the face is missing.

    Raises:
        UnusableFace: If it is.
    """
    share = float(found.mean()) if len(found) else 0.0
    if not share:
        raise UnusableFace("no face", "no picture shows one")
    if share < settings.least_found:
        raise UnusableFace("face lost", f"seen in {share:.0%} of the pictures")


def check_rivals(
    looks: list[tuple[int, list[Detection]]], landmarks: Float32[np.ndarray, "frames 478 3"]
) -> None:
    """Refuse a clip that shows several people alike.

    Args:
        looks: Number of a picture and the faces that the detector finds in it.
        landmarks: Of the face that was followed [px], NaN where it was lost.

    Raises:
        UnusableFace: If half of the pictures show another face nearly as large.
    """
    counts = []
    for number, faces in looks:
        points = landmarks[number, :, :2]
        if np.isfinite(points).all() and faces:
            middles = np.array([(face.box[:2] + face.box[2:]) / 2 for face in faces])
            own = int(np.linalg.norm(middles - points.mean(0), axis=1).argmin())
            limit = EQUAL_SIZE * faces[own].size
            counts.append(sum(k != own and face.size > limit for k, face in enumerate(faces)))
    if counts and np.mean(np.array(counts) > 0) >= 0.5:
        raise UnusableFace("several faces", f"{max(counts) + 1} faces are about equally large")


def check_place(landmarks: Float32[np.ndarray, "found 478 3"], settings: PrepareSettings) -> float:
    """Refuse a face that is too small or turned aside; return its size, the median IOD [px].

    Args:
        landmarks: Of the pictures that show it [px].
        settings: What is asked.

    Raises:
        UnusableFace: If it is.
    """
    poses = estimate_head_poses(landmarks)
    eyes = landmarks[:, LEFT_IRIS, :2] - landmarks[:, RIGHT_IRIS, :2]
    shortened = np.maximum(np.cos(np.radians(poses[:, 0])), 0.5)
    iod = float(np.median(np.linalg.norm(eyes, axis=1) / shortened))
    if iod < settings.least_iod:
        raise UnusableFace("face too small", f"{iod:.0f} px between the eyes")
    yaw = float(np.quantile(np.abs(poses[:, 0]), 1 - _SHARE))
    if yaw > settings.most_yaw:
        raise UnusableFace("side face", f"turned by {yaw:.0f} degrees")
    return iod


def check_cuts(
    landmarks: Float32[np.ndarray, "frames 478 3"],
    changes: Float[np.ndarray, " frames"],
    iod: float,
) -> None:
    """Refuse a clip with a cut: the whole picture changes at once, or the face jumps.

    Args:
        landmarks: Of every picture [px], NaN where the face was lost.
        changes: Change of the picture since the one before [grey levels]; 0 at first.
        iod: Usual distance of the eyes [px].

    Raises:
        UnusableFace: If there is one.
    """
    usual = float(np.median(changes[1:])) if len(changes) > 1 else 0.0
    if len(changes) and changes.max() > max(CUT_CHANGE, CUT_CONTRAST * usual):
        time = CLOCK.frame_time(int(changes.argmax()))
        raise UnusableFace("cut", f"the whole picture changes at {time:.2f} s")
    rows = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))
    gaps = np.minimum(np.diff(rows), 3)
    irises = landmarks[rows][:, [RIGHT_IRIS, LEFT_IRIS], :2].astype(np.float64)
    way = np.linalg.norm(np.diff(irises.mean(1), axis=0), axis=1) / (iod * gaps)
    spread = np.sqrt(landmarks[rows, :, :2].astype(np.float64).var(1).sum(1))
    growth = np.exp(np.abs(np.diff(np.log(spread))) / gaps)
    for value, limit, what in ((way, MOST_JUMP, "moves"), (growth, MOST_GROWTH, "grows")):
        if len(value) and value.max() > limit:
            time = CLOCK.frame_time(int(rows[value.argmax() + 1]))
            raise UnusableFace("jump", f"the face {what} too far at {time:.2f} s")


def check_light(light: Float[np.ndarray, " frames"], settings: PrepareSettings) -> None:
    """Refuse a face that is too dark or too bright.

    Args:
        light: Mean grey level of the face in every picture.
        settings: What is asked.

    Raises:
        UnusableFace: If it is.
    """
    usual = float(np.median(light))
    low, high = settings.light
    if not low <= usual <= high:
        what = "too dark" if usual < low else "too bright"
        raise UnusableFace(what, f"the face has a mean grey level of {usual:.0f}")


def check_frozen(changes: Float[np.ndarray, " frames"]) -> None:
    """Refuse pictures that stand still.

    Args:
        changes: Change of the face since the picture before [grey levels]; the first is not
            looked at.

    Raises:
        UnusableFace: If the same picture is shown too often.
    """
    same = changes[1:] < REPEATED
    if not len(same):
        return
    borders = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    longest = int(np.diff(borders)[::2].max(initial=0))
    if longest >= LONGEST_FREEZE * CLOCK.fps:
        raise UnusableFace("frozen", f"nothing moves for {CLOCK.frame_time(longest):.1f} s")
    if same.mean() > MOST_REPEATED:
        raise UnusableFace("frozen", f"{same.mean():.0%} of the pictures are repeated")
