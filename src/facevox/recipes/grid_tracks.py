"""Label every frame of GRID with face landmarks, once, for the mouth recipes.

    python -m facevox.recipes.grid_tracks --data ../shared/data \
        --task ../shared/models/face_landmarker.task --out ../grid_tracks

Clips that are done already are left alone, so a run that was stopped goes on.
"""

import argparse
import io
from pathlib import Path

import numpy as np

from facevox.core.errors import DataError, FacevoxError
from facevox.core.files import write_atomically
from facevox.data.grid import FaceTrack, GridClip, list_clips
from facevox.evaluation.judges.landmarks import LandmarkTracker, load_face_landmarker
from facevox.evaluation.media import read_frames

MAX_STEP = 0.25
"""Irises that jump farther than this between frames were lost [IOD]."""


def label(clip: GridClip, tracker: LandmarkTracker) -> FaceTrack:
    """Return the landmarks of a clip; frames in which the track jumps are not trusted.

    Raises:
        InputError: If the video cannot be read.
        DataError: If no frame shows a face.
    """
    landmarks = tracker.track(read_frames(clip.video))
    seen = np.isfinite(landmarks[:, 0, 0])
    if not seen.any():
        raise DataError(f"{clip.video} shows no face.")
    nearest = np.abs(np.flatnonzero(seen) - np.arange(len(seen))[:, None]).argmin(1)
    landmarks = landmarks[np.flatnonzero(seen)[nearest]]
    irises = landmarks[:, [468, 473], :2].astype(np.float64)
    iod = np.linalg.norm(irises[:, 1] - irises[:, 0], axis=-1)
    step = np.linalg.norm(np.diff(irises.mean(1), axis=0), axis=-1) / np.median(iod)
    steady = np.concatenate([[True], step < MAX_STEP])
    found = seen & steady & (np.abs(iod / np.median(iod) - 1) < MAX_STEP)
    return FaceTrack(landmarks=landmarks, found=found)


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(description="Label GRID with face landmarks.")
    parser.add_argument("--data", type=Path, required=True, help="folder with talking/grid_s1")
    parser.add_argument("--task", type=Path, required=True, help="face_landmarker.task")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tracks (npz)")
    parser.add_argument("--limit", type=int, default=None, help="label only the first clips")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    tracker = load_face_landmarker(arguments.task)
    for clip in list_clips(arguments.data / "talking" / "grid_s1")[: arguments.limit]:
        path = arguments.out / f"{clip.name}.npz"
        if path.exists():
            continue
        try:
            track = label(clip, tracker)
        except FacevoxError as error:
            print(f"{clip.name} is left out: {error}")
            continue
        buffer = io.BytesIO()
        np.savez_compressed(buffer, landmarks=track.landmarks, ok=track.found)
        write_atomically(path, buffer.getvalue())


if __name__ == "__main__":
    main()
