"""Real faces for the generator's warm-up: smiling photos and frames of GRID, cut and measured.

`facevox.recipes.acted_portraits` calls both; the layout of the arrays is told in
`data/face_pairs.py`.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from facevox.core.errors import InputError
from facevox.core.portrait.head_pose import estimate_head_poses
from facevox.core.portrait.reader import read_portrait
from facevox.data.grid import GridClip, hold_out, list_clips, read_track
from facevox.data.grid_mouth import mouth_numbers, read_mouth_clips
from facevox.data.portraits import LabelledPortrait, list_portraits
from facevox.evaluation.media import read_frames
from facevox.models.face.lia.mean_flow import mouth_place
from facevox.models.face.lia.view import view_of
from facevox.models.face.mouth_basis import (
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
    MouthBasis,
    register,
)

_NUMBERS = 9


def write_pairs(faces: Path, out: Path, side: int, say: Callable[[str], None]) -> int:
    """Write the people of the London set neutral and smiling; return how many.

    Args:
        faces: Folder of the portraits.
        out: Where the arrays go.
        side: Length of a side of the pictures [px].
        say: Told who is left out.

    Raises:
        DataError: If the folder has another layout.
    """
    people: dict[str, dict[bool, LabelledPortrait]] = {}
    for row in list_portraits(faces):
        if row.source == "london":
            people.setdefault(row.person, {})[row.smiling] = row
    names, frames, mouths, poses = [], [], [], []
    for person, photos in sorted(people.items()):
        if len(photos) < 2:
            continue
        try:
            picture, mouth, pose = _pair([photos[smiling].path for smiling in (False, True)], side)
        except InputError as error:
            say(f"{person} is left out: {error}")
            continue
        names.append(person)
        frames.append(picture)
        mouths.append(mouth)
        poses.append(pose)
    if names:
        np.save(out / "pairs.npy", np.stack(frames))
        np.save(out / "pairs_mouth.npy", np.stack(mouths))
        np.save(out / "pairs_pose.npy", np.stack(poses))
        np.save(out / "pairs_names.npy", np.array(names))
    return len(names)


def _pair(
    paths: list[Path], side: int
) -> tuple[
    UInt8[np.ndarray, "2 side side 3"], Float32[np.ndarray, "9"], Float32[np.ndarray, "2 3"]
]:
    """Return both pictures, the smile's mouth, and both head poses."""
    basis = MouthBasis.load()
    portraits = [read_portrait(path) for path in paths]
    cut = [view_of(portrait.landmarks).cut(portrait.pixels, side) for portrait in portraits]
    pictures = np.stack([np.uint8(picture * 255 + 0.5) for picture in cut])
    rest, smile = (register(p.landmarks.astype(np.float64), basis.neutral) for p in portraits)
    gaps = [face[LOWER_LIP_INNER, 1] - face[UPPER_LIP_INNER, 1] for face in (rest, smile)]
    mouth = np.zeros(_NUMBERS, np.float32)
    mouth[:6], mouth[6] = basis.project(smile, rest=rest), gaps[1] - gaps[0]
    poses = np.stack([portrait.head_pose for portrait in portraits]).astype(np.float32)
    return pictures, mouth, poses


def write_grid(clips: Path, tracks: Path, out: Path, side: int, say: Callable[[str], None]) -> int:
    """Write all frames of a GRID speaker with mouth and head pose; return the clips.

    Args:
        clips: The speaker's folder.
        tracks: Face tracks of `facevox.recipes.grid_tracks`.
        out: Where the arrays go.
        side: Length of a side of the pictures [px].
        say: Told how many clips are left out.

    Raises:
        DataError: If there are no clips or no usable tracks.
    """
    listed = list_clips(clips)
    found, left_out = read_mouth_clips(listed, tracks, MouthBasis.load())
    if left_out:
        say(f"{len(left_out)} clips are left out; the first: {left_out[0]}")
    videos = {clip.name: clip for clip in listed}
    held = {clip.name for clip in hold_out(listed)[1]}
    length = max(len(clip.mouth) for clip in found)
    shape = (len(found), length, side, side, 3)
    frames = np.lib.format.open_memmap(out / "grid.npy", "w+", np.uint8, shape)
    mouth = np.zeros((len(found), length, _NUMBERS), np.float32)
    pose = np.zeros((len(found), length, 3), np.float32)
    place = np.zeros((len(found), length, 3), np.float32)
    seen = np.zeros((len(found), length), bool)
    for row, clip in enumerate(found):
        track = read_track(tracks / f"{clip.name}.npz")
        count = len(clip.mouth)
        view = view_of(np.median(track.landmarks[track.found], 0).astype(np.float32))
        _cut_clip(videos[clip.name], view.matrix(side), frames[row], side)
        place[row, :count] = [mouth_place(points, view) for points in track.landmarks[:count]]
        mouth[row, :count] = mouth_numbers(clip)
        turned = estimate_head_poses(track.landmarks[:count])
        pose[row, :count] = np.nan_to_num(turned)
        seen[row, :count] = track.found[:count] & np.isfinite(turned).all(1)
    frames.flush()
    arrays = {"mouth": mouth, "pose": pose, "place": place, "found": seen}
    arrays["names"] = np.array([clip.name for clip in found])
    arrays["test"] = np.array([clip.name in held for clip in found])
    for name, array in arrays.items():
        np.save(out / f"grid_{name}.npy", array)
    return len(found)


def _cut_clip(
    clip: GridClip, matrix: np.ndarray, frames: UInt8[np.ndarray, "f s s 3"], side: int
) -> None:
    """Fill the frames of a clip: one square for all, so that the head moves in it."""
    import cv2

    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    for number, picture in enumerate(read_frames(clip.video)):
        if number < len(frames):
            frames[number] = cv2.warpAffine(
                picture, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE
            )
