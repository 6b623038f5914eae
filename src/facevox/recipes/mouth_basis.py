"""Learn the six mouth shapes from GRID.

    python -m facevox.recipes.mouth_basis --data ../shared/data --tracks ../grid_tracks

Faces are brought to canonical space, made symmetric, masked to the lower face
and decomposed by a principal component analysis around the speaker's rest.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment

from facevox.core.checkpoint import WEIGHTS, save_checkpoint
from facevox.core.motion import NUM_MOUTH
from facevox.core.portrait.portrait import LEFT_IRIS, NUM_LANDMARKS, RIGHT_IRIS
from facevox.data.grid import GridClip, list_clips, read_track, silent_frames
from facevox.models.face.mouth_basis import (
    LOWER_LIP_INNER,
    UPPER_LIP_INNER,
    MouthBasis,
    fit_similarity,
    register,
)

CLOSED_GAP = 0.02
"""Lips nearer than this are taken as closed [IOD]."""

MIN_REST_FRAMES = 5
"""Clips with fewer frames at rest are left out."""

FADE_START, FADE_END = 0.50, 0.92
"""Expression grows from none to full between these distances below the irises [IOD]."""

NUM_SKIN = 468
_FLIP = np.array([-1.0, 1.0, 1.0])


def _centre(face: Float[np.ndarray, "478 3"]) -> Float[np.ndarray, "478 3"]:
    """Put the irises 1 apart around the origin."""
    irises = face[[RIGHT_IRIS, LEFT_IRIS]]
    return (face - irises.mean(0)) / np.linalg.norm(irises[1] - irises[0])


def mean_face(
    faces: Float[np.ndarray, "frames 478 3"], rounds: int = 4
) -> Float[np.ndarray, "478 3"]:
    """Return the mean of faces laid upon each other by their stable points."""
    mean = _centre(faces[0])
    for _ in range(rounds):
        mean = _centre(register(faces, mean).mean(0))
    return mean


def find_mirror(face: Float[np.ndarray, "478 3"]) -> Int[np.ndarray, " 478"]:
    """Match each landmark with its twin on the other side.

    Args:
        face: A nearly symmetric frontal face with an OPEN mouth: on a closed one
            the inner lips coincide and would be swapped.
    """
    distance = ((face[:, None] - (face * _FLIP)[None]) ** 2).sum(-1)
    mirror = np.arange(NUM_LANDMARKS)
    for part in (slice(0, NUM_SKIN), slice(NUM_SKIN, None)):
        rows, columns = linear_sum_assignment(distance[part, part])
        mirror[part.start + rows] = part.start + columns
    return mirror


def make_frontal(
    face: Float[np.ndarray, "478 3"], rounds: int = 6
) -> tuple[Float[np.ndarray, "478 3"], Int[np.ndarray, " 478"]]:
    """Turn a face until it is as symmetric as it can be; return it and its mirror map."""
    mirror = find_mirror(face)
    for _ in range(rounds):
        mirror = find_mirror(face)
        halfway = (face + face[mirror] * _FLIP) / 2
        _, rotation, _ = fit_similarity(face, halfway)
        face = (face - face.mean(0)) @ rotation.T + halfway.mean(0)
    return face, mirror


def lower_face_weight(neutral: Float[np.ndarray, "478 3"]) -> Float[np.ndarray, " 478"]:
    """Return 0 above the nose base, 1 from the upper lip down, smooth between."""
    ramp = np.clip((neutral[:, 1] - FADE_START) / (FADE_END - FADE_START), 0, 1)
    return ramp**2 * (3 - 2 * ramp)


def principal_shapes(
    moved: Float[np.ndarray, "frames 478 3"],
) -> tuple[Float[np.ndarray, "6 478 3"], Float[np.ndarray, " 6"]]:
    """Return unit shapes, the strongest first, and the share of motion up to each.

    The analysis is not centred: zero stays the face at rest.
    """
    flat = moved.reshape(len(moved), -1)
    values, vectors = np.linalg.eigh(flat.T @ flat)
    order = np.argsort(values)[::-1][:NUM_MOUTH]
    share = np.cumsum(values[order]) / values.sum()
    return vectors.T[order].reshape(NUM_MOUTH, NUM_LANDMARKS, 3), share


def _load_faces(
    clips: tuple[GridClip, ...], tracks: Path
) -> list[tuple[Float[np.ndarray, "frames 478 3"], Bool[np.ndarray, " frames"]]]:
    """Return the usable landmarks of each clip and which of its frames are silent."""
    faces = []
    for clip in clips:
        track = read_track(tracks / f"{clip.name}.npz")
        silent = silent_frames(clip, len(track.found))
        faces.append((track.landmarks[track.found].astype(np.float64), silent[track.found]))
    return faces


def _gap(faces: Float[np.ndarray, "*frames 478 3"]) -> Float[np.ndarray, "*frames"]:
    return faces[..., LOWER_LIP_INNER, 1] - faces[..., UPPER_LIP_INNER, 1]


def speaker_frame(
    faces: Float[np.ndarray, "frames 478 3"],
) -> tuple[Float[np.ndarray, "478 3"], Int[np.ndarray, " 478"]]:
    """Return the speaker's mean face turned to the front [IOD], and the mirror map."""
    mean = mean_face(faces)
    registered = register(faces, mean)
    gap = _gap(registered)
    wide = registered[gap > np.percentile(gap, 90)].mean(0)
    frontal, mirror = make_frontal(wide)
    _, rotation, _ = fit_similarity(wide, frontal)
    return _centre(mean @ rotation.T), mirror


def learn_basis(clips: tuple[GridClip, ...], tracks: Path) -> tuple[MouthBasis, dict]:
    """Learn the basis; return it with what was measured on the way."""
    faces = _load_faces(clips, tracks)
    frame, mirror = speaker_frame(np.concatenate([landmarks for landmarks, _ in faces]))
    rests, moved, speaking = [], [], []
    for landmarks, silent in faces:
        canonical = register(landmarks, frame)
        resting = canonical[silent & (_gap(canonical) < CLOSED_GAP)]
        if len(resting) < MIN_REST_FRAMES:
            continue
        rests.append(np.median(resting, 0))
        moved.append(canonical - rests[-1])
        speaking.append(~silent)
    rest = np.mean(rests, 0)
    neutral = _centre((rest + rest[mirror] * _FLIP) / 2)
    basis, results = fit_basis(np.concatenate(moved), np.concatenate(speaking), neutral, mirror)
    return basis, {"clips": len(rests), **results}


def fit_basis(
    movement: Float[np.ndarray, "frames 478 3"],
    speaking: Bool[np.ndarray, " frames"],
    neutral: Float[np.ndarray, "478 3"],
    mirror: Int[np.ndarray, " 478"],
) -> tuple[MouthBasis, dict]:
    """Fit the shapes to movements from rest in canonical space [IOD]."""
    weight = lower_face_weight(neutral)
    symmetric = (movement + movement[:, mirror] * _FLIP) / 2 * weight[:, None]
    shapes, share = principal_shapes(symmetric[speaking])
    coefficients = symmetric.reshape(len(symmetric), -1) @ shapes.reshape(NUM_MOUTH, -1).T
    scale = np.sqrt((coefficients[speaking] ** 2).mean(0))
    sign = np.where(_gap(shapes) < 0, -1.0, 1.0)
    basis = MouthBasis(
        displacement=(shapes * (scale * sign)[:, None, None]).astype(np.float32),
        neutral=neutral.astype(np.float32),
        scale=scale.astype(np.float32),
        weight=weight.astype(np.float32),
        mirror=mirror.astype(np.int64),
    )
    fitted, measured = basis.gap(coefficients * sign / scale), _gap(movement)
    percentiles = {str(p): round(float(np.percentile(measured, p)), 3) for p in (50, 90, 99)}
    return basis, {
        "frames": len(movement),
        "frames_speaking": int(speaking.sum()),
        "share_of_motion": [round(float(value), 4) for value in share],
        "gap_correlation": round(float(np.corrcoef(fitted, measured)[0, 1]), 4),
        "gap_error_rms_iod": round(float(np.sqrt(((fitted - measured) ** 2).mean())), 4),
        "gap_percentiles_iod": percentiles,
        "lip_gap_gain": [round(float(value), 4) for value in basis.lip_gap_gain],
        "rest_gap_iod": round(float(_gap(neutral)), 4),
    }


def save_basis(basis: MouthBasis, results: dict, path: Path, command: str) -> None:
    """Write the basis and its card beside it."""
    names = ("displacement", "neutral", "scale", "weight", "mirror")
    card = {
        "kind": "mouth-basis",
        "config": {"num_mouth": NUM_MOUTH, "fade_iod": [FADE_START, FADE_END]},
        "data": "GRID corpus, speaker s1 (Cooke et al. 2006), CC BY 4.0; "
        "landmarks by MediaPipe face_landmarker (Apache-2.0)",
        "licence": "Apache-2.0",
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "results": results,
    }
    save_checkpoint(path, {name: getattr(basis, name) for name in names}, card)


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description="Learn the mouth basis from GRID.")
    parser.add_argument("--data", type=Path, required=True, help="folder with talking/grid_s1")
    parser.add_argument("--tracks", type=Path, required=True, help="folder of face tracks (npz)")
    parser.add_argument("--out", type=Path, default=WEIGHTS / "mouth_basis.safetensors")
    arguments = parser.parse_args()
    clips = list_clips(arguments.data / "talking" / "grid_s1")
    basis, results = learn_basis(clips, arguments.tracks)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    command = "python -m facevox.recipes.mouth_basis --data DATA --tracks TRACKS"
    save_basis(basis, results, arguments.out, command)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
